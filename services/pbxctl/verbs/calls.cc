#include <memory>

#include "pbxctl/json.h"
#include "pbxctl/target.h"
#include "pbxctl/verbs/declarations.h"
#include "pbxgw/v1/calls_service.grpc.pb.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

Color color_of(ConnectionState state) {
  switch (state) {
    case CONNECTION_STATE_CONNECTED: return Color::green;
    case CONNECTION_STATE_ALERTING:
    case CONNECTION_STATE_INITIATED: return Color::yellow;
    case CONNECTION_STATE_HOLD:
    case CONNECTION_STATE_QUEUED: return Color::magenta;
    case CONNECTION_STATE_FAIL: return Color::red;
    default: return Color::none;
  }
}

// The state of the call: that of its parts if they agree, else the one that tells most about it.
Cell state_cell(const Call& call) {
  constexpr ConnectionState kTelling[] = {CONNECTION_STATE_FAIL,      CONNECTION_STATE_QUEUED,
                                          CONNECTION_STATE_HOLD,      CONNECTION_STATE_ALERTING,
                                          CONNECTION_STATE_INITIATED, CONNECTION_STATE_CONNECTED};
  for (const auto state : kTelling) {
    for (const auto& it : call.connections()) {
      if (it.state() == state) return {word(state), color_of(state)};
    }
  }
  return {"-"};
}

// "201: hold clear; 202: clear"
std::string actions_of(const Call& call) {
  std::string out;
  for (const auto& it : call.connections()) {
    if (it.allowed_actions().empty()) continue;
    out.append(out.empty() ? "" : "; ").append(printable(it.party().device_id()));
    out.append(": ").append(verbs_for(it.allowed_actions()));
  }
  return out.empty() ? "-" : out;
}

std::string age_of(const Session& session, const google::protobuf::Timestamp& time) {
  return length_text(session.now() - time_of(time));
}

void print_one(const Session& session, const Call& call) {
  print_fields({{"call", {id_of(call.name()), Color::bold}},
                {"tenant", {tenant_of(call.name())}},
                {"direction", {word(call.direction())}},
                {"dialled", {printable(call.dialled_number())}},
                {"seen for", {age_of(session, call.create_time())}},
                {"id at the PBX", {printable(call.vendor_call_id())}}},
               session.style(), session.out());
  for (const auto& [key, value] : call.data()) {
    session.out() << "data " << printable(key) << '=' << printable(value) << '\n';
  }
  session.out() << '\n';
  Table table({"CONNECTION", "WHO", "ROLE", "STATE", "FOR", "CAUSE", "ACTIONS"});
  for (const auto& it : call.connections()) {
    table.add({{id_of(it.name()), Color::bold},
               {who(it.party())},
               {word(it.role())},
               {word(it.state()) + (it.recording() ? ", recorded" : ""), color_of(it.state())},
               {age_of(session, it.state_time())},
               {word(it.cause())},
               {verbs_for(it.allowed_actions())}});
  }
  table.print(session.style(), session.out());
}

Outcome<void> show_one(Session& session, const std::string& text) {
  auto name = call_name(session, text);
  if (!name) return name.error();
  GetCallRequest request;
  request.set_name(*name);
  auto response = session.ask(&Calls::Stub::GetCall, request);
  if (!response) return response.error();
  if (session.json()) {
    session.out() << json_line(response->call()) << '\n';
  } else {
    print_one(session, response->call());
  }
  return {};
}

Outcome<void> show_all(Session& session, const std::string& device) {
  auto calls = list_calls(session, tenant_or_all(session), device);
  if (!calls) return calls.error();
  const bool of_all = session.options().tenant.empty();
  std::vector<std::string> headers{"CALL", "DIRECTION", "WHO", "STATE", "FOR", "ACTIONS"};
  if (of_all) headers.insert(headers.begin(), "TENANT");
  Table table(std::move(headers));
  for (const auto& it : *calls) {
    if (session.json()) {
      session.out() << json_line(it) << '\n';
      continue;
    }
    std::vector<Cell> cells{
        {id_of(it.name()), Color::bold},     {word(it.direction())}, {parties(it)}, state_cell(it),
        {age_of(session, it.create_time())}, {actions_of(it)}};
    if (of_all) cells.insert(cells.begin(), {tenant_of(it.name())});
    table.add(std::move(cells));
  }
  table.print(session.style(), session.out());
  if (calls->empty() && !session.json()) session.out() << "no calls\n";
  return {};
}

}  // namespace

Action declare_calls(CLI::App& app) {
  auto call = std::make_shared<std::string>();
  auto device = std::make_shared<std::string>();
  auto* one = app.add_option("CALL", *call, "Only this one, with its connections")->type_name("");
  app.add_option("--device", *device, "Only calls of this device")
      ->type_name("NUMBER")
      ->excludes(one);
  return [call, device](Session& session) {
    return call->empty() ? show_all(session, *device) : show_one(session, *call);
  };
}

}  // namespace pbxctl
