#include "call/index.h"

#include <algorithm>

#include "call/difference.h"

namespace call {
namespace {

// Only extensions can act, so only they have a desk.
bool has_desk(const Connection& connection) {
  return connection.party.kind == DeviceKind::extension && !connection.party.device.empty();
}

}  // namespace

Entry& Index::open(Call& call) {
  Entry& entry = entries_[call.id];
  entry.call = &call;
  if (!call.key.empty()) keys_[call.key] = &entry;
  for (const Connection& connection : call.connections) {
    add(entry, connection);
    if (has_talked(connection.role, connection.state)) entry.talked.push_back(connection.number);
  }
  return entry;
}

void Index::close(Entry& entry) {
  for (const Connection& connection : entry.call->connections) remove(entry, connection);
  if (auto found = keys_.find(entry.call->key); found != keys_.end() && found->second == &entry) {
    keys_.erase(found);
  }
  const CallId id = entry.call->id;
  entries_.erase(id);
}

void Index::add(Entry& entry, const Connection& connection) {
  legs_[connection.leg] = {&entry, connection.number};
  if (has_desk(connection)) {
    desks_[connection.party.device].places.push_back({&entry, connection.number});
  }
}

void Index::remove(Entry& entry, const Connection& connection) {
  const auto is_here = [&](const Place& place) {
    return place.entry == &entry && place.number == connection.number;
  };
  if (auto found = legs_.find(connection.leg); found != legs_.end() && is_here(found->second)) {
    legs_.erase(found);
  }
  if (!has_desk(connection)) return;
  auto found = desks_.find(connection.party.device);
  if (found == desks_.end()) return;
  Desk& desk = found->second;
  std::erase_if(desk.places, is_here);
  if (desk.places.empty() && desk.device == nullptr) desks_.erase(found);
}

void Index::set_key(Entry& entry, const std::string& key) {
  if (auto found = keys_.find(entry.call->key); found != keys_.end() && found->second == &entry) {
    keys_.erase(found);
  }
  entry.call->key = key;
  if (!key.empty()) keys_[key] = &entry;
}

Entry* Index::by_key(const std::string& key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : found->second;
}

Place Index::by_leg(const std::string& leg) const {
  const auto found = legs_.find(leg);
  return found == legs_.end() ? Place{} : found->second;
}

Entry* Index::by_id(const CallId& call) {
  const auto found = entries_.find(call);
  return found == entries_.end() ? nullptr : &found->second;
}

const Desk* Index::desk(const DeviceId& device) const {
  const auto found = desks_.find(device);
  return found == desks_.end() ? nullptr : &found->second;
}

const Desk* Index::desk(const Connection& connection) const {
  return has_desk(connection) ? desk(connection.party.device) : nullptr;
}

Desk& Index::seat(const Device& device) {
  Desk& desk = desks_[device.id];
  desk.device = &device;
  return desk;
}

void Index::unseat(const DeviceId& device) {
  const auto found = desks_.find(device);
  if (found == desks_.end()) return;
  found->second.device = nullptr;
  if (found->second.places.empty()) desks_.erase(found);
}

}  // namespace call
