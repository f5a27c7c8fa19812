#include "simulator/innovaphone/admin.h"

#include <algorithm>
#include <utility>

#include "simulator/innovaphone/digest.h"

namespace simulator::innovaphone {

using engine::ExtensionIndex;
using engine::kOutside;
using engine::TimePoint;

std::string guid_of(const Settings& settings, const AppObject& app) {
  return sha256_hex("app:" + settings.domain + ':' + app.name).substr(0, 32);
}

// One row per operation. `perform` may add to the result.
struct Admin::Operation {
  struct At {
    Pbx& pbx;
    Outlet& outlet;
    const IsConnected& is_connected;
    const Socket& socket;
    const Message& request;
    json::object& result;
    TimePoint now;

    const Settings& settings() const { return pbx.settings; }
    std::string text(const std::string& key) const { return text_at(request.body, key); }
    // Of guid, cn or h323, with something before the name of each; kOutside: none.
    ExtensionIndex user(const std::string& before = {}) const {
      const auto guid = text(before + "guid");
      if (!guid.empty() && guid != "*") return pbx.users.of_guid(guid);
      const auto cn = text(before + "cn");
      return cn.empty() ? pbx.users.of_h323(text(before + "h323")) : pbx.users.of_cn(cn);
    }
  };
  std::string_view name;
  Profile since;
  void (*perform)(const At& at);
};

namespace {

constexpr std::int64_t kSearchMax = 20;

using At = Admin::Operation::At;

json::array emails_of(const Pbx& pbx, const User& user) {
  return {json::object{{"email", user.h323 + '@' + pbx.settings.domain}}};
}

void search_users(const At& at) {
  const Users& users = at.pbx.users;
  std::vector<ExtensionIndex> order;
  for (ExtensionIndex index = 0; index < users.size(); ++index) {
    if (at.pbx.shows(at.socket, index)) order.push_back(index);
  }
  std::sort(order.begin(), order.end(),
            [&](ExtensionIndex a, ExtensionIndex b) { return users[a].cn < users[b].cn; });
  const auto after = at.text("cn");
  const bool match = flag_at(at.request.body, "includeMatch");
  const auto limit =
      std::clamp(number_at(at.request.body, "limit", kSearchMax), std::int64_t{1}, kSearchMax);
  json::array found;
  for (const auto index : order) {
    const User& user = users[index];
    if (static_cast<std::int64_t>(found.size()) == limit) break;
    if (user.cn < after || (user.cn == after && !match)) continue;
    found.push_back(json::object{{"cn", user.cn},
                                 {"dn", user.dn},
                                 {"guid", user.guid},
                                 {"h323", user.h323},
                                 {"emails", emails_of(at.pbx, user)}});
  }
  put(at.result, "user", std::move(found));
}

json::array admin_diversions_of(const engine::Forwarding& forwarding) {
  json::array all;
  const auto add = [&all](const char* type, const std::string& to) {
    if (to.empty()) return;
    json::array ends{json::object{{"e164", to}}};
    all.push_back(json::object{{"type", type}, {"ep", std::move(ends)}});
  };
  add("cfu", forwarding.always);
  add("cfb", forwarding.busy);
  add("cfnr", forwarding.no_answer);
  return all;
}

void get_object(const At& at) {
  const auto index = at.user();
  if (index == kOutside) {
    at.result["error"] = "not found";
    return;
  }
  const User& user = at.pbx.users[index];
  const auto& extension = at.pbx.tenant.extension(index);
  at.result["guid"] = user.guid;
  at.result["cn"] = user.cn;
  at.result["dn"] = user.dn;
  at.result["h323"] = user.h323;
  at.result["e164"] = extension.number;
  at.result["node"] = "root";
  at.result["loc"] = at.settings().pbxs[user.pbx].name;
  at.result["emails"] = emails_of(at.pbx, user);
  put(at.result, "dnd", extension.do_not_disturb);
  at.result["devices"] = json::array{json::object{{"hw", user.hw}, {"text", "IP phone"}}};
  put(at.result, "cds", admin_diversions_of(extension.forwarding));
}

// The number of {ep: [{e164, h323}]}, or of what has e164 or h323 itself.
std::string destination_of(const Pbx& pbx, const json::object& diversion) {
  const auto* ends = diversion.if_contains("ep");
  const auto* list = ends ? ends->if_array() : nullptr;
  const auto* end = list && !list->empty() ? list->front().if_object() : nullptr;
  const json::object& where = end ? *end : diversion;
  if (auto e164 = text_at(where, "e164"); !e164.empty()) return e164;
  const auto index = pbx.users.of_h323(text_at(where, "h323"));
  return index == kOutside ? std::string() : pbx.users.number(index);
}

// Of all properties only the forwardings, which it replaces as a whole.
void update_object(const At& at) {
  const auto index = at.user();
  if (index == kOutside) {
    at.result["error"] = "not found";
    return;
  }
  const auto* cds = at.request.body.if_contains("cds");
  const auto* list = cds ? cds->if_array() : nullptr;
  if (!list) return;
  engine::Forwarding forwarding;
  for (const auto& each : *list) {
    const auto* diversion = each.if_object();
    if (!diversion) continue;
    const auto type = text_at(*diversion, "type");
    const auto to = destination_of(at.pbx, *diversion);
    if (type == "cfu") forwarding.always = to;
    if (type == "cfb") forwarding.busy = to;
    if (type == "cfnr") forwarding.no_answer = to;
  }
  const auto number = at.pbx.users.number(index);
  if (at.pbx.tenant.set_forwarding(number, std::move(forwarding), at.now)) {
    at.result["error"] = "invalid destination";
  }
}

void app_objects(const At& at) {
  const auto uri = at.text("uri");
  json::array found;
  for (const auto& app : at.settings().apps) {
    if (!app.url.starts_with(uri)) continue;
    json::object it;
    it["title"] = app.name;
    it["app"] = app.url.substr(app.url.rfind('/') + 1);
    it["url"] = app.url;
    put(it, "connected", at.is_connected(app));
    it["guid"] = guid_of(at.settings(), app);
    it["sip"] = app.name;
    found.push_back(std::move(it));
  }
  put(at.result, "objects", std::move(found));
}

void app_login(const At& at) {
  const AppObject* app = at.settings().app(at.text("app"));
  if (!app) {
    at.result["error"] = "not found";
    return;
  }
  LoginFields fields;
  fields.app = app->name;
  fields.domain = at.settings().domain;
  at.result["app"] = app->name;
  at.result["domain"] = fields.domain;
  at.result["digest"] = login_digest(fields, at.text("challenge"), app->password);
}

void normalized_number(const At& at) {
  const auto index = at.user();
  if (index == kOutside) {
    at.result["error"] = "not found";
  } else {
    at.result["number"] = at.pbx.users.number(index);
  }
}

void regs(const At& at) {
  const auto index = at.user();
  if (index == kOutside) return;
  const User& user = at.pbx.users[index];
  at.result["cn"] = user.cn;
  if (!at.pbx.tenant.extension(index).registered) return;
  at.result["regs"] = json::array{json::object{{"hw", user.hw}, {"addr", "192.0.2.1"}}};
}

void location(const At& at) {
  for (const auto& pbx : at.settings().pbxs) {
    if (pbx.name != at.text("loc")) continue;
    at.result["loc"] = pbx.name;
    at.result["module"] = pbx.module;
    at.result["dns"] = at.settings().host;
    return;
  }
  at.result["error"] = "not found";
}

void monitor_config(const At& at) {
  if (flag_at(at.request.body, "stop")) return;
  json::object info = indication("MonitorConfigInfo", at.request.api, at.request.src);
  info["domain"] = at.settings().domain;
  info["pbx"] = at.settings().pbxs[at.socket.pbx].name;
  info["dns"] = at.settings().host;
  at.outlet.tell(at.socket, info, at.now);
}

constexpr Admin::Operation kOperations[] = {
    {"GetPbxConfig", Profile::v13r1,
     [](const At& at) { at.result["loc"] = at.settings().pbxs[at.socket.pbx].name; }},
    {"MonitorConfig", Profile::v13r1, monitor_config},
    {"SearchUsers", Profile::v13r1, search_users},
    {"GetObject", Profile::v13r1, get_object},
    {"UpdateObject", Profile::v13r1, update_object},
    {"GetRegs", Profile::v13r1, regs},
    {"GetNodes", Profile::v13r1,
     [](const At& at) {
       at.result["nodes"] = json::array{json::object{{"name", "root"}, {"node", ""}}};
     }},
    {"GetAppObjects", Profile::v13r1, app_objects},
    {"GetAppLogin", Profile::v13r1, app_login},
    {"GetNormalizedNumber", Profile::v13r2, normalized_number},
    {"GetLocation", Profile::v13r2, location},
};

}  // namespace

bool Admin::answer(Socket& socket, const Message& request, TimePoint now) {
  for (const Operation& each : kOperations) {
    if (each.name != request.mt || !pbx_.knows(each.since)) continue;
    json::object result = result_of(request);
    each.perform({pbx_, outlet_, is_connected_, socket, request, result, now});
    outlet_.answer(socket, result, now);
    return true;
  }
  return false;
}

}  // namespace simulator::innovaphone
