#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "simulator/webitel/rest.h"
#include "simulator/webitel/rest_fields.h"
#include "simulator/webitel/rest_listing.h"
#include "simulator/webitel/text.h"

// Phones, as the directory knows them: whether one is registered is its user's presence.
namespace simulator::webitel {

using engine::HttpAnswer;

namespace {

constexpr const char* kDevices = "devices";
constexpr std::string_view kFields[] = {"id", "name", "account", "user", "brand", "model"};

json::object device_json(const Pbx& pbx, const Device& it) {
  json::object out{{"id", std::to_string(it.id)},
                   {"name", it.name},
                   {"account", it.account},
                   {"password", it.password},
                   {"user", user_lookup(pbx, it.user)},
                   {"brand", it.brand},
                   {"model", it.model},
                   {"mac", it.mac},
                   {"ip", it.ip},
                   {"hotdesk", it.hotdesk},
                   {"logged_in", false}};
  add_times(pbx, it, out);
  return without_empties(std::move(out), {"user", "logged_in"});
}

bool account_is_free(const Accounts& accounts, const Device& device) {
  for (const auto& [id, it] : accounts.devices()) {
    if (id != device.id && it.account == device.account) return false;
  }
  return true;
}

// What the request says of it. Nothing if that is all right.
std::optional<Problem> read(const RestCall& call, bool whole, Device& device) {
  const Form form(call.body, whole);
  form.take("name", device.name);
  form.take("account", device.account);
  // Without one it stays as it is, since nobody can see it to send it back.
  if (call.body.contains("password")) form.take("password", device.password);
  form.take("brand", device.brand);
  form.take("model", device.model);
  form.take("mac", device.mac);
  form.take("ip", device.ip);
  form.take("hotdesk", device.hotdesk);
  if (const auto user = form.reference("user")) device.user = *user;
  if (device.name.empty()) return problems::bad_field(kDevices, "name");
  if (device.account.empty()) return problems::bad_field(kDevices, "account");
  if (device.user != kNobody && !call.pbx.accounts.find_user(device.user)) {
    return problems::bad_field(kDevices, "user");
  }
  if (!account_is_free(call.pbx.accounts, device)) return problems::taken(kDevices, "account");
  return std::nullopt;
}

HttpAnswer create(const RestCall& call) {
  const auto phones = extensions_with_phone(call.pbx);
  Device device;
  stamp(device, call.user->id, call.now);
  if (const auto wrong = read(call, true, device)) return directory_problem(*wrong);
  const Device* added = call.pbx.accounts.add_device(std::move(device));
  if (!added) return directory_problem(problems::too_many(kDevices));
  call.pbx.accounts.connect_device(added->id, added->user);
  settle_phones(call.pbx, phones, call.now);
  return json_answer(device_json(call.pbx, *added));
}

HttpAnswer list(const RestCall& call) {
  const Arguments asked(call.http.query());
  const std::string q = asked.first("q");
  std::vector<json::object> rows;
  for (const auto& [id, it] : call.pbx.accounts.devices()) {
    const bool mentioned = q.empty() || mentions(it.name, q) || mentions(it.account, q);
    if (mentioned && asked.wants("name", it.name) && asked.wants("account", it.account) &&
        asked.wants("user.id", std::to_string(it.user)) && asked.wants("ids", std::to_string(id)) &&
        asked.wants("id", std::to_string(id)) && asked.wants("mac", it.mac) &&
        asked.wants("ip", it.ip)) {
      rows.push_back(device_json(call.pbx, it));
      if (rows.back().at("user").as_object().empty()) rows.back().erase("user");
    }
  }
  return json_answer(list_of(asked, {kDirectorySize, kSizeMax, kFields, "id"}, std::move(rows)));
}

Device* named(const RestCall& call) { return call.pbx.accounts.find_device(call.id().value_or(0)); }

HttpAnswer get(const RestCall& call) {
  const Device* device = named(call);
  if (!device) return directory_problem(problems::no_object(kDevices));
  return json_answer(device_json(call.pbx, *device));
}

HttpAnswer change(const RestCall& call, bool whole) {
  Device* device = named(call);
  if (!device) return directory_problem(problems::no_object(kDevices));
  const auto phones = extensions_with_phone(call.pbx);
  Device changed = *device;
  stamp(changed, call.user->id, call.now);
  if (const auto wrong = read(call, whole, changed)) return directory_problem(*wrong);
  *device = std::move(changed);
  call.pbx.accounts.connect_device(device->id, device->user);
  settle_phones(call.pbx, phones, call.now);
  return json_answer(device_json(call.pbx, *device));
}
HttpAnswer put(const RestCall& call) { return change(call, true); }
HttpAnswer patch(const RestCall& call) { return change(call, false); }

// The answer is a list, as the live system's is.
HttpAnswer remove(const RestCall& call) {
  const Device* device = named(call);
  if (!device) return directory_problem(problems::no_object(kDevices));
  const auto phones = extensions_with_phone(call.pbx);
  json::array gone;
  gone.push_back(device_json(call.pbx, *device));
  call.pbx.accounts.remove_device(device->id);
  settle_phones(call.pbx, phones, call.now);
  return json_answer(std::move(gone));
}

}  // namespace

std::span<const RestRoute> device_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"POST", "/devices", kDevices, 'c', true, create},
      {"GET", "/devices", kDevices, 'r', false, list},
      {"GET", "/devices/{}", kDevices, 'r', false, get},
      {"PUT", "/devices/{}", kDevices, 'u', true, put},
      {"PATCH", "/devices/{}", kDevices, 'u', true, patch},
      {"DELETE", "/devices/{}", kDevices, 'd', true, remove},
  };
  return kRoutes;
}

}  // namespace simulator::webitel
