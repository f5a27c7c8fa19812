#include "simulator/vodia/calls.h"

#include <algorithm>
#include <utility>

#include "simulator/engine/random.h"

namespace simulator::vodia {

using engine::Call;
using engine::CallId;
using engine::Change;
using engine::ExtensionIndex;
using engine::Leg;
using engine::LegState;
using engine::TimePoint;

namespace {

constexpr std::string_view kLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::size_t kIdLetters = 12;

}  // namespace

Parties parties_of(const Call& call, const engine::Tenant& tenant) {
  const Leg* caller = nullptr;
  const Leg* callee = nullptr;
  for (const auto id : call.legs) {
    const Leg* leg = tenant.find_leg(id);
    if (leg->outgoing && !caller) caller = leg;
  }
  if (!caller && !call.legs.empty()) caller = tenant.find_leg(call.legs.front());
  if (!caller) return {};
  for (const auto id : call.legs) {
    const Leg* leg = tenant.find_leg(id);
    if (leg != caller && !callee) callee = leg;
  }
  return {caller->number, callee ? callee->number : caller->to};
}

void Calls::on_change(const Change& change) {
  if (!change.call || !change.leg) return;
  changed_.insert(change.call->id);
  auto [it, is_new] = records_.try_emplace(change.call->id);
  CallRecord& record = it->second;
  if (is_new) {
    record.number = ++last_number_;
    record.id = id_of(change.call->id);
    record.start = change.call->created;
    record.from = change.leg->from;
    record.to = change.leg->to;
  }
  if (change.kind == Change::Kind::record_started) record.recorded = record.recording = true;
  if (change.kind == Change::Kind::record_stopped) record.recording = false;
  if (change.extension == engine::kOutside) {
    record.outside = true;
    return;
  }
  const auto& number = change.leg->number;
  auto& all = record.extensions;
  if (std::find(all.begin(), all.end(), number) == all.end()) all.push_back(number);
}

std::optional<std::set<ExtensionIndex>> Calls::settle(TimePoint at) {
  if (changed_.empty()) return std::nullopt;
  std::set<ExtensionIndex> touched;
  for (const CallId id : std::exchange(changed_, {})) look_at(id, at, touched);
  return touched;
}

void Calls::look_at(CallId id, TimePoint at, std::set<ExtensionIndex>& touched) {
  const auto it = records_.find(id);
  if (it == records_.end()) return;
  CallRecord& record = it->second;
  touched.insert(record.present.begin(), record.present.end());
  if (record.recorded && !record.record_from) record.record_from = at;
  if (record.recording) {
    record.record_to.reset();
  } else if (record.recorded && !record.record_to) {
    record.record_to = at;
  }
  const Call* call = tenant_.find_call(id);
  if (!call) {
    record.end = at;
    if (ended_.size() >= kEndedMax) ended_.pop_front();
    ended_.push_back(std::move(record));
    records_.erase(it);
    return;
  }
  const Parties parties = parties_of(*call, tenant_);
  record.from = parties.from;
  record.to = parties.to;
  record.present.clear();
  std::size_t talking = 0;
  for (const auto leg_id : call->legs) {
    const Leg& leg = *tenant_.find_leg(leg_id);
    if (leg.extension != engine::kOutside) record.present.insert(leg.extension);
    if (leg.state == LegState::up && leg.connected) ++talking;
  }
  if (talking < 2) {
    record.connect.reset();
  } else {
    if (!record.connect) record.connect = at;
    if (!record.answered) record.answered = at;
  }
  touched.insert(record.present.begin(), record.present.end());
}

void Calls::forget() {
  records_.clear();
  changed_.clear();
}

// Nobody can guess one from another, and the same seed gives the same.
std::string Calls::id_of(CallId call) const {
  engine::Random random(seed_ * 0x100000001b3 + call * 0x9e3779b1 +
                        tenant_.generation() * 0x85ebca77c2b2ae63);
  std::string id;
  while (id.size() < kIdLetters) id += kLetters[random.below(kLetters.size())];
  return id + "@pbx";
}

const CallRecord* Calls::find(CallId call) const {
  const auto it = records_.find(call);
  return it == records_.end() ? nullptr : &it->second;
}

CallRecord* Calls::find(CallId call) {
  const auto it = records_.find(call);
  return it == records_.end() ? nullptr : &it->second;
}

}  // namespace simulator::vodia
