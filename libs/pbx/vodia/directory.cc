#include "pbx/vodia/directory.h"

#include <algorithm>
#include <utility>

#include "pbx/json.h"

namespace pbx::vodia {
namespace {

using call::DeviceKind;

DeviceKind kind_of(std::string_view type) {
  constexpr std::pair<std::string_view, DeviceKind> kKinds[] = {
      {"extensions", DeviceKind::extension}, {"acds", DeviceKind::queue},
      {"hunts", DeviceKind::group},          {"attendants", DeviceKind::group},
      {"conferences", DeviceKind::group},    {"ivrnodes", DeviceKind::group},
      {"srvflags", DeviceKind::group},       {"hoots", DeviceKind::group},
      {"callingcards", DeviceKind::group},   {"orbits", DeviceKind::park},
      {"colines", DeviceKind::trunk},
  };
  if (type.empty()) return DeviceKind::extension;
  for (const auto& [name, kind] : kKinds) {
    if (type == name) return kind;
  }
  return DeviceKind::unknown;
}

// Nothing for a lamp that is out, or says what nobody knows.
std::optional<call::Activity> activity_of(std::string_view lamp) {
  const std::string word = folded(lamp);
  if (word == "alerting" || word == "ringing") return call::Activity::ringing;
  if (word == "holding") return call::Activity::holding;
  if (word == "connected") return call::Activity::busy;
  return std::nullopt;
}

using Calls = std::vector<std::pair<std::string, call::ConnectionState>>;

// The calls know better than the lamp, which is lit by a call that alerts at either end of it.
call::Activity activity_of(const Account& account, const Calls& calls, std::string_view lamp) {
  bool rings = false, talks = false, holds = false;
  for (const auto& [key, state] : calls) {
    rings = rings || state == call::ConnectionState::alerting;
    holds = holds || state == call::ConnectionState::hold;
    talks =
        talks || (state != call::ConnectionState::alerting && state != call::ConnectionState::hold);
  }
  if (rings) return talks || holds ? call::Activity::busy_and_ringing : call::Activity::ringing;
  if (talks || holds) return talks ? call::Activity::busy : call::Activity::holding;
  if (const auto shown = activity_of(lamp)) return *shown;
  if (account.busy) return *account.busy ? call::Activity::busy : call::Activity::idle;
  return call::Activity::unknown;
}

template <class T>
void take(std::optional<T>& known, const std::optional<T>& now) {
  if (now) known = now;
}

}  // namespace

Directory::Directory(std::function<bool(const std::string&)> controllable)
    : controllable_(std::move(controllable)) {}

Directory::Row* Directory::merge(const Account& account, bool from_directory) {
  auto found = rows_.find(account.number);
  if (found == rows_.end()) {
    if (rows_.size() >= kAccountsMax) return nullptr;
    found = rows_.emplace(account.number, Row{}).first;
    found->second.account.number = account.number;
    found->second.kind = kind_of(account.type);
    ++generation_;
  }
  Row& row = found->second;
  Account& known = row.account;
  if (!account.type.empty() && account.type != known.type) {
    known.type = account.type;
    if (kind_of(known.type) != row.kind) ++generation_;
    row.kind = kind_of(known.type);
  }
  if (!account.name.empty() || from_directory) known.name = account.name;
  take(known.registered, account.registered);
  take(known.do_not_disturb, account.do_not_disturb);
  take(known.busy, account.busy);
  if (account.busy) row.busy_was_read = from_directory;
  take(known.agent_logged_on, account.agent_logged_on);
  take(known.presence, account.presence);
  if (from_directory && known.aliases != account.aliases) {
    known.aliases = account.aliases;
    learn_aliases(row);
    ++generation_;
  }
  return &row;
}

void Directory::learn_aliases(const Row& row) {
  for (const std::string& alias : row.account.aliases) {
    const auto [it, is_new] = aliases_.emplace(bare_number(alias), row.account.number);
    // A number that several show to the outside is nobody's.
    if (!is_new && it->second != row.account.number) it->second.clear();
  }
}

call::Device Directory::device_of(const Row& row) const {
  const Account& account = row.account;
  call::Device device;
  device.id = call::DeviceId(account.number);
  device.kind = row.kind;
  device.name = account.name;
  if (account.registered) {
    device.availability =
        *account.registered ? call::Availability::in_service : call::Availability::out_of_service;
  }
  device.activity = activity_of(account, row.calls, row.lamp);
  device.do_not_disturb = account.do_not_disturb;
  device.forwardings = row.forwardings;
  if (account.presence && !account.presence->empty()) device.presence = account.presence;
  if (account.agent_logged_on) {
    // Whether an agent pauses is not told.
    device.agent_state =
        *account.agent_logged_on ? call::AgentState::ready : call::AgentState::logged_off;
  }
  device.vendor_status = row.lamp;
  device.controllable = row.kind == DeviceKind::extension && controllable_(account.number);
  return device;
}

bool Directory::tell(Row& row, Seen& seen) {
  call::Device now = device_of(row);
  if (now == row.told) return false;
  row.told = std::move(now);
  seen.push_back(call::DeviceSeen{row.told});
  return true;
}

// What is gone can only be told by a complete list.
Directory::Seen Directory::after_list(bool removed, Seen changes) {
  return removed || !told_all_ ? everything() : changes;
}

Directory::Seen Directory::everything() {
  told_all_ = true;
  call::DevicesSeen all;
  all.devices.reserve(rows_.size());
  for (auto& [number, row] : rows_) {
    row.told = device_of(row);
    all.devices.push_back(row.told);
  }
  std::sort(all.devices.begin(), all.devices.end(),
            [](const call::Device& one, const call::Device& other) { return one.id < other.id; });
  Seen seen;
  seen.push_back(std::move(all));
  return seen;
}

Directory::Seen Directory::on_domain_state(const std::vector<Account>& accounts) {
  ++round_;
  Seen changes;
  for (const Account& account : accounts) {
    Row* row = merge(account, false);
    if (row == nullptr) continue;
    row->round = round_;
    row->in_domain_state = true;
    tell(*row, changes);
  }
  const auto removed = std::erase_if(rows_, [&](const auto& it) {
    return it.second.in_domain_state && it.second.round != round_;
  });
  if (removed > 0) ++generation_;
  return after_list(removed > 0, std::move(changes));
}

Directory::Seen Directory::on_extensions(const std::vector<Account>& accounts) {
  ++round_;
  Seen changes;
  for (const Account& account : accounts) {
    Row* row = merge(account, true);
    if (row == nullptr) continue;
    row->round = round_;
    row->in_directory = true;
    tell(*row, changes);
  }
  const auto removed = std::erase_if(
      rows_, [&](const auto& it) { return it.second.in_directory && it.second.round != round_; });
  if (removed > 0) ++generation_;
  return after_list(removed > 0, std::move(changes));
}

Directory::Seen Directory::on_users(const std::vector<Account>& accounts) {
  Seen changes;
  for (const Account& account : accounts) {
    if (kind_of(account.type) == DeviceKind::extension) continue;
    if (Row* row = merge(account, false)) tell(*row, changes);
  }
  return changes;
}

Directory::Seen Directory::on_user_state(const Account& account) {
  Seen seen;
  Row* row = merge(account, false);
  if (row != nullptr) tell(*row, seen);
  return seen;
}

Directory::Seen Directory::on_lamp(const Lamp& lamp) {
  Seen seen;
  const auto found = rows_.find(lamp.number);
  if (found == rows_.end()) return seen;
  found->second.lamp = lamp.state;
  found->second.account.busy = activity_of(lamp.state).has_value();
  found->second.busy_was_read = false;
  tell(found->second, seen);
  return seen;
}

Directory::Seen Directory::on_call(const call::CallView& call) {
  std::vector<std::string> touched;
  if (const auto before = in_calls_.extract(call.key)) touched = std::move(before.mapped());
  for (const std::string& number : touched) {
    const auto row = rows_.find(number);
    if (row == rows_.end()) continue;
    auto& calls = row->second.calls;
    std::erase_if(calls, [&](const auto& it) { return it.first == call.key; });
    auto& busy = row->second.account.busy;
    if (calls.empty() && (row->second.busy_was_read || !busy)) busy = false;
  }
  std::vector<std::string> present;
  for (const call::Leg& leg : call.legs) {
    if (leg.state == call::ConnectionState::null) continue;
    const auto row = rows_.find(leg.party.device.str());
    if (row == rows_.end() || leg.party.kind != DeviceKind::extension) continue;
    row->second.calls.emplace_back(call.key, leg.state);
    present.push_back(row->first);
  }
  touched.insert(touched.end(), present.begin(), present.end());
  if (!present.empty()) in_calls_.emplace(call.key, std::move(present));
  Seen seen;
  for (const std::string& number : touched) {
    const auto row = rows_.find(number);
    if (row != rows_.end()) tell(row->second, seen);  // once: it has changed then
  }
  return seen;
}

Directory::Seen Directory::on_forwarding(const std::string& number,
                                         const ForwardingSettings& settings) {
  Seen seen;
  const auto found = rows_.find(number);
  if (found == rows_.end()) return seen;
  std::vector<call::Forwarding> now;
  const auto add = [&](call::ForwardingType type, const std::optional<std::string>& destination) {
    if (destination && !destination->empty()) now.push_back({type, *destination});
  };
  add(call::ForwardingType::immediate, settings.all);
  add(call::ForwardingType::busy, settings.busy);
  add(call::ForwardingType::no_answer, settings.no_answer);
  found->second.forwardings = std::move(now);
  tell(found->second, seen);
  return seen;
}

std::optional<Directory::Known> Directory::find(std::string_view number) const {
  if (number.empty()) return std::nullopt;
  auto found = rows_.find(std::string(number));
  if (found == rows_.end()) {
    const auto alias = aliases_.find(bare_number(number));
    if (alias == aliases_.end() || alias->second.empty()) return std::nullopt;
    found = rows_.find(alias->second);
    if (found == rows_.end()) return std::nullopt;
  }
  const Row& row = found->second;
  return Known{&found->first, &row.account.name, row.kind, row.account.type == "conferences"};
}

std::optional<bool> Directory::do_not_disturb(const std::string& number) const {
  const auto found = rows_.find(number);
  return found == rows_.end() ? std::nullopt : found->second.account.do_not_disturb;
}

std::optional<bool> Directory::busy(const std::string& number) const {
  const auto found = rows_.find(number);
  return found == rows_.end() ? std::nullopt : found->second.account.busy;
}

bool Directory::lit_without_call(const std::string& number) const {
  const auto found = rows_.find(number);
  return found != rows_.end() && found->second.calls.empty() &&
         activity_of(found->second.lamp).has_value();
}

std::vector<std::string> Directory::extensions() const {
  std::vector<std::string> numbers;
  for (const auto& [number, row] : rows_) {
    if (row.kind == DeviceKind::extension) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace pbx::vodia
