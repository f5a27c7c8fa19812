#include <memory>

#include "pbxctl/json.h"
#include "pbxctl/target.h"
#include "pbxctl/verbs/declarations.h"
#include "pbxgw/v1/devices_service.grpc.pb.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

constexpr int kPageSize = 1'000;

Cell availability_cell(Availability it) {
  switch (it) {
    case AVAILABILITY_IN_SERVICE: return {word(it), Color::green};
    case AVAILABILITY_OUT_OF_SERVICE: return {word(it), Color::red};
    default: return {"-"};
  }
}

Cell activity_cell(Activity it) {
  switch (it) {
    case ACTIVITY_UNSPECIFIED: return {"-"};
    case ACTIVITY_IDLE: return {word(it), Color::dim};
    case ACTIVITY_RINGING:
    case ACTIVITY_BUSY_AND_RINGING: return {word(it), Color::yellow};
    default: return {word(it), Color::green};
  }
}

Cell dnd_cell(const Device& it) {
  if (!it.has_do_not_disturb()) return {"-"};
  return it.do_not_disturb() ? Cell{"on", Color::red} : Cell{"off"};
}

std::string presence_text(const Device& it) {
  return it.has_presence() ? printable(it.presence()) : "-";
}

std::string agent_text(const Device& it) {
  if (!it.has_agent_state()) return "-";
  return word(it.agent_state()) +
         (it.agent_reason().empty() ? "" : " (" + printable(it.agent_reason()) + ")");
}

void print_one(const Session& session, const Device& it) {
  print_fields({{"device", {printable(it.device_id()), Color::bold}},
                {"tenant", {tenant_of(it.name())}},
                {"name", {printable(it.display_name())}},
                {"kind", {it.kind() == DEVICE_KIND_UNSPECIFIED ? "" : word(it.kind())}},
                {"availability", availability_cell(it.availability())},
                {"activity", activity_cell(it.activity())},
                {"do not disturb", dnd_cell(it)},
                {"forwarding", {forwardings(it)}},
                {"presence", {presence_text(it)}},
                {"agent", {agent_text(it)}},
                {"status at the PBX", {printable(it.vendor_status())}},
                {"controllable", {it.controllable() ? "yes" : "no, only seen"}}},
               session.style(), session.out());
}

Outcome<void> show_one(Session& session, const std::string& text) {
  auto name = device_name(session, text);
  if (!name) return name.error();
  GetDeviceRequest request;
  request.set_name(*name);
  auto response = session.ask(&Devices::Stub::GetDevice, request);
  if (!response) return response.error();
  if (session.json()) {
    session.out() << json_line(response->device()) << '\n';
  } else {
    print_one(session, response->device());
  }
  return {};
}

Outcome<void> show_all(Session& session) {
  const std::string parent = tenant_or_all(session);
  const bool of_all = session.options().tenant.empty();
  std::vector<std::string> headers{"NUMBER",     "NAME",     "AVAILABILITY", "ACTIVITY", "DND",
                                   "FORWARDING", "PRESENCE", "AGENT",        "CONTROL"};
  if (of_all) headers.insert(headers.begin(), "TENANT");
  Table table(std::move(headers));
  Unreachable unreachable("devices");
  ListDevicesRequest request;
  request.set_parent(parent);
  request.set_page_size(kPageSize);
  bool any = false;
  do {
    auto page = session.ask(&Devices::Stub::ListDevices, request);
    if (!page) return page.error();
    unreachable.warn(session, page->unreachable());
    for (const auto& it : page->devices()) {
      any = true;
      if (session.json()) {
        session.out() << json_line(it) << '\n';
        continue;
      }
      std::vector<Cell> cells{{printable(it.device_id()), Color::bold},
                              {printable(it.display_name())},
                              availability_cell(it.availability()),
                              activity_cell(it.activity()),
                              dnd_cell(it),
                              {forwardings(it)},
                              {presence_text(it)},
                              {agent_text(it)},
                              {it.controllable() ? "yes" : "no"}};
      if (of_all) cells.insert(cells.begin(), {tenant_of(it.name())});
      table.add(std::move(cells));
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  table.print(session.style(), session.out());
  if (!any && !session.json()) session.out() << "no devices\n";
  return {};
}

}  // namespace

Action declare_devices(CLI::App& app) {
  auto number = std::make_shared<std::string>();
  app.add_option("DEVICE", *number, "Only this one, with all that is known of it")->type_name("");
  return [number](Session& session) {
    return number->empty() ? show_all(session) : show_one(session, *number);
  };
}

}  // namespace pbxctl
