#include "pbxctl/change.h"

#include "pbxctl/request_id.h"

namespace pbxctl {

void add_request_id(CLI::App& app, std::string& request_id) {
  app.add_option_function<std::string>(
         "--request-id",
         [&](const std::string& text) {
           if (text == "auto") return;
           if (!is_request_id(text)) {
             throw CLI::ValidationError(
                 "--request-id",
                 "found \"" + printable(text) + "\"; expected auto, or a UUID of version 4");
           }
           request_id = text;
         },
         "Makes a repetition safe: done once in 24 h. auto, the default: a new one")
      ->type_name("UUID");
}

void add_change_options(CLI::App& app, ChangeOptions& options) {
  add_request_id(app, options.request_id);
  app.add_flag("--dry-run", options.dry_run, "Only check whether it could be done now");
}

std::string outcome_line(const Session& session, const pbxgw::v1::Call* call,
                         const std::string& connection) {
  const Style& style = session.style();
  if (!call) return style(Color::green, "done") + "  the call has ended";
  std::string state = "ended";
  for (const auto& it : call->connections()) {
    if (it.name() == connection) state = word(it.state());
  }
  const std::string id = connection.empty() ? id_of(call->name()) : id_of(connection);
  return row({{"done", Color::green},
              {id, Color::bold},
              {connection.empty() ? "" : state},
              {parties(*call)}},
             {4, 0, 0, 0}, style);
}

std::string outcome_line(const Session& session, const pbxgw::v1::Device& device) {
  std::string now;
  const auto add = [&](const std::string& text) {
    now.append(now.empty() ? "" : ", ").append(text);
  };
  if (device.has_do_not_disturb()) {
    add(std::string("do not disturb ") + (device.do_not_disturb() ? "on" : "off"));
  }
  if (device.forwardings_size() > 0) add(forwardings(device));
  if (device.has_presence()) add("presence " + printable(device.presence()));
  if (device.has_agent_state()) add("agent " + word(device.agent_state()));
  const std::string& name = device.display_name();
  return row({{"done", Color::green},
              {id_of(device.name()) + (name.empty() ? "" : " " + printable(name)), Color::bold},
              {now}},
             {4, 0, 0}, session.style());
}

Failure with_repeat_hint(Failure failure, const std::string& request_id) {
  if (failure.code == ExitCode::unknown_outcome) {
    failure.hints.push_back("It may have been done. To repeat safely: --request-id " + request_id);
  }
  return failure;
}

}  // namespace pbxctl
