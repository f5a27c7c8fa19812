#include "simulator/innovaphone/table_users.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace simulator::innovaphone {

using engine::ExtensionIndex;
using engine::TimePoint;

namespace {

constexpr std::string_view kApi = "PbxTableUsers";

// What this PBX delivers, if asked to; a password is not among it.
constexpr std::string_view kColumns[] = {
    "guid",   "h323", "cn",      "dn",  "e164",  "node", "loc",    "pseudo", "hide",   "emails",
    "allows", "grps", "devices", "cds", "forks", "cfpr", "config", "apps",   "apps-my"};

}  // namespace

json::array diversions_of(const engine::Forwarding& forwarding) {
  json::array all;
  const auto add = [&all](const char* type, const std::string& to) {
    if (!to.empty()) all.push_back(json::object{{"type", type}, {"e164", to}});
  };
  add("cfu", forwarding.always);
  add("cfb", forwarding.busy);
  add("cfnr", forwarding.no_answer);
  return all;
}

bool TableUsers::answer(Socket& socket, const Message& request, TimePoint now) {
  if (request.mt == "ReplicateStart") return start(socket, request, now), true;
  if (request.mt == "ReplicateNext") return continue_with(socket, request, now), true;
  // What clients write is not acknowledged, and here it changes nothing.
  return request.mt == "ReplicateAdd" || request.mt == "ReplicateUpdate" ||
         request.mt == "ReplicateDel";
}

void TableUsers::start(Socket& socket, const Message& request, TimePoint now) {
  Copy& copy = copies_[socket.id];
  copy = {};
  copy.src = request.src;
  json::object delivered;
  const auto* asked = request.body.if_contains("columns");
  if (const auto* columns = asked ? asked->if_object() : nullptr) {
    for (const auto& [key, value] : *columns) {
      const std::string_view name(key.data(), key.size());
      if (std::find(std::begin(kColumns), std::end(kColumns), name) == std::end(kColumns)) continue;
      copy.columns.emplace_back(name);
      delivered[key] = value;
    }
  }
  const auto* pseudo = request.body.if_contains("pseudo");
  if (const auto* types = pseudo ? pseudo->if_array() : nullptr) {
    copy.users = std::any_of(types->begin(), types->end(), [](const json::value& type) {
      return type.is_string() && type.get_string().empty();
    });
  }
  json::object result = result_of(request);
  result["columns"] = std::move(delivered);
  outlet_.answer(socket, result, now);
}

void TableUsers::continue_with(Socket& socket, const Message& request, TimePoint now) {
  json::object result = result_of(request);
  const auto it = copies_.find(socket.id);
  if (it == copies_.end()) {
    result["error"] = "not started";
    return outlet_.answer(socket, result, now);
  }
  Copy& copy = it->second;
  copy.src = request.src;
  while (copy.next < pbx_.users.size() && (!copy.users || !pbx_.shows(socket, copy.next))) {
    ++copy.next;
  }
  if (copy.next < pbx_.users.size()) result["columns"] = row(copy, copy.next++);
  outlet_.answer(socket, result, now);
}

json::object TableUsers::row(const Copy& copy, ExtensionIndex index) const {
  const User& user = pbx_.users[index];
  const auto& extension = pbx_.tenant.extension(index);
  json::object whole;
  whole["guid"] = user.guid;
  whole["h323"] = user.h323;
  whole["cn"] = user.cn;
  put(whole, "dn", user.dn);
  whole["e164"] = extension.number;
  whole["node"] = "root";
  whole["loc"] = pbx_.settings.pbxs[user.pbx].name;
  whole["emails"] = json::array{json::object{{"email", user.h323 + '@' + pbx_.settings.domain}}};
  whole["devices"] = json::array{json::object{{"hw", user.hw}, {"text", "IP phone"}}};
  put(whole, "cds", diversions_of(extension.forwarding));
  json::object it;
  for (const auto& name : copy.columns) {
    if (const auto* value = whole.if_contains(name)) it[name] = *value;
  }
  return it;
}

void TableUsers::on_change(const engine::Change& change, TimePoint now) {
  if (change.kind != engine::Change::Kind::forwarding) return;
  for (const auto& [id, copy] : copies_) {
    const auto it = pbx_.sockets.find(id);
    if (it == pbx_.sockets.end() || !copy.users) continue;
    if (!pbx_.shows(it->second, change.extension)) continue;
    json::object update = indication("ReplicateUpdate", kApi, copy.src);
    update["columns"] = row(copy, change.extension);
    outlet_.tell(it->second, update, now);
  }
}

}  // namespace simulator::innovaphone
