#include <boost/json.hpp>

#include "simulator/vodia/rest.h"

// The directory, and what state its accounts are in.
namespace simulator::vodia {

namespace json = boost::json;
using engine::Extension;
using engine::HttpReply;

namespace {

constexpr std::size_t kFillFrom = 900'000;  // numbers of invented accounts

bool shown(const std::string& wanted, std::string_view type) {
  return wanted.empty() || wanted == type;
}

json::object directory_entry(const Pbx& pbx, const Extension& it) {
  const auto flag = [&](bool value) { return pbx.encoder.boolean(value); };
  return {{"name", it.number},
          {"alias", json::array()},
          {"ani", json::array()},
          {"displayname", pbx.settings.name_of(it.number)},
          {"icon", ""},
          {"dnd", flag(it.do_not_disturb)},
          {"chatstatus", it.registered ? "online" : "offline"},
          {"connected", flag(!it.legs.empty())},
          {"login", flag(false)},
          {"department", ""},
          {"position", ""},
          {"registered", flag(it.registered)}};
}

HttpReply accounts(const RestCall& call) {
  const Pbx& pbx = call.pbx;
  const std::string type = call.query("type");
  json::array list;
  for (const Extension& it : pbx.tenant.extensions()) {
    if (shown(type, pbx.settings.type_of(it.number))) list.push_back(directory_entry(pbx, it));
  }
  for (const Account& it : pbx.settings.accounts) {
    if (it.type == kOrbits || !shown(type, it.type)) continue;
    Extension group;
    group.number = it.number;
    group.registered = false;
    list.push_back(directory_entry(pbx, group));
  }
  while (shown(type, kExtensions) && list.size() < pbx.faults.init_extensions) {
    Extension invented;
    invented.number = std::to_string(kFillFrom + list.size());
    list.push_back(directory_entry(pbx, invented));
  }
  return json_reply(list);
}

HttpReply extensions(const RestCall& call) {
  const Pbx& pbx = call.pbx;
  const std::string wanted = call.query("account");
  json::array list;
  for (const Extension& it : pbx.tenant.extensions()) {
    if (pbx.settings.type_of(it.number) != kExtensions) continue;
    if (!wanted.empty() && wanted != it.number) continue;
    list.push_back({{"name", it.number},
                    {"displayname", pbx.settings.name_of(it.number)},
                    {"alias", json::array()},
                    {"mac", json::array()},
                    {"dnd", pbx.encoder.boolean(it.do_not_disturb)},
                    {"cfa", it.forwarding.always},
                    {"cfb", it.forwarding.busy},
                    {"cfn", it.forwarding.no_answer},
                    {"mailbox", pbx.encoder.boolean(true)}});
  }
  if (!wanted.empty() && list.empty()) return bare_reply(404);
  return json_reply(wanted.empty() ? json::value(list) : list.front());
}

HttpReply users(const RestCall& call) {
  const Pbx& pbx = call.pbx;
  json::array list;
  const auto add = [&](const std::string& number, std::string_view type) {
    list.push_back(
        {{"name", number}, {"displayname", pbx.settings.name_of(number)}, {"usertype", type}});
  };
  for (const Extension& it : pbx.tenant.extensions()) {
    add(it.number, pbx.settings.type_of(it.number));
  }
  for (const Account& it : pbx.settings.accounts) {
    if (it.type != kOrbits) add(it.number, it.type);
  }
  return json_reply(list);
}

json::object registration_of(const Pbx& pbx, const Extension& it, std::size_t id) {
  return {{"id", id},
          {"event", "register"},
          {"extension", it.number},
          {"contact", "sip:" + it.number + "@192.0.2." + std::to_string(id % 250 + 1)},
          {"useragent", "Simulator/1.0"},
          {"domain", pbx.settings.domain}};
}

json::array registrations_of(const Pbx& pbx) {
  json::array list;
  for (const Extension& it : pbx.tenant.extensions()) {
    const bool phone = pbx.settings.type_of(it.number) == kExtensions;
    if (phone && it.registered) list.push_back(registration_of(pbx, it, list.size() + 1));
  }
  return list;
}

HttpReply registrations(const RestCall& call) { return json_reply(registrations_of(call.pbx)); }

HttpReply registration(const RestCall& call) {
  const Extension& it = call.pbx.tenant.extension(call.account);
  json::array list;
  if (it.registered) list.push_back(registration_of(call.pbx, it, 1));
  return json_reply(list);
}

HttpReply status_count(const RestCall& call) {
  if (call.rest == "registrations") return json_reply(registrations_of(call.pbx).size());
  if (call.rest == "calls") return json_reply(call.pbx.tenant.call_count());
  std::size_t count = 0;
  for (const Extension& it : call.pbx.tenant.extensions()) {
    if (call.pbx.settings.type_of(it.number) == call.rest) ++count;
  }
  return json_reply(count);
}

HttpReply orbits(const RestCall& call) { return json_reply(call.pbx.encoder.orbit_list()); }

HttpReply system_status(const RestCall& call) {
  const Pbx& pbx = call.pbx;
  std::size_t legs = 0;
  for (const auto* each : pbx.tenant.calls()) legs += each->legs.size();
  const auto up = pbx.settings.clock.unix_millis(call.now) / 1'000 - pbx.settings.clock.unix_start;
  return json_reply({{"version", pbx.settings.server()},
                     {"calls", pbx.tenant.call_count()},
                     {"legs", legs},
                     {"uptime", up}});
}

HttpReply domains(const RestCall& call) {
  json::array list;
  list.push_back(json::object{{"name", call.pbx.settings.domain}});
  return json_reply(list);
}

}  // namespace

std::span<const RestRoute> account_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"GET", "/rest/user/{account}/accounts", Needs::itself, accounts},
      {"GET", "/rest/domain/{domain}/extensions", Needs::tenant, extensions},
      {"GET", "/rest/domain/{domain}/users", Needs::tenant, users},
      {"GET", "/rest/domain/{domain}/registrations", Needs::tenant, registrations},
      {"GET", "/rest/user/{account}/registration", Needs::itself, registration},
      {"GET", "/rest/domain/{domain}/status/*", Needs::tenant, status_count},
      {"GET", "/rest/domain/{domain}/orbits", Needs::tenant, orbits},
      {"GET", "/rest/user/{account}/orbits", Needs::itself, orbits},
      {"GET", "/rest/system/status", Needs::system, system_status},
      {"GET", "/rest/system/domains", Needs::system, domains},
  };
  return kRoutes;
}

}  // namespace simulator::vodia
