#include <algorithm>

#include "call/difference.h"
#include "call/scribe.h"
#include "call/tracker.h"

namespace call {

DeviceEvents difference(const Device& told, const Device& now) {
  DeviceEvents events;
  using enum DeviceEventType;
  if (told.availability != now.availability) {
    switch (now.availability) {
      case Availability::in_service: events.push_back(back_in_service); break;
      case Availability::out_of_service: events.push_back(out_of_service); break;
      case Availability::unknown: break;  // information, below
    }
  }
  if (told.activity != now.activity) events.push_back(activity_changed);
  if (told.do_not_disturb != now.do_not_disturb) events.push_back(do_not_disturb);
  if (told.forwardings != now.forwardings) events.push_back(forwarding);
  if (told.presence != now.presence) events.push_back(presence_state);
  if (told.agent_state != now.agent_state || told.agent_reason != now.agent_reason) {
    events.push_back(agent_state);
  }
  if (told.name != now.name || told.kind != now.kind || told.controllable != now.controllable ||
      (told.availability != now.availability && now.availability == Availability::unknown)) {
    events.push_back(information);
  }
  return events;
}

void Tracker::see(const Device& device, Scribe& scribe) {
  if (device.id.empty()) return;
  directory_seen_ = true;
  const auto [found, is_new] = book_.devices.try_emplace(device.id, device);
  Desk& desk = index_.seat(found->second);
  desk.seen = round_;
  if (is_new) {
    scribe.device(DeviceEventType::added, device);
    return allow_at(&desk);
  }
  Device& known = found->second;
  if (known == device) return;
  const DeviceEvents events = difference(known, device);
  const bool rights = known.controllable != device.controllable;
  known = device;
  for (DeviceEventType type : events) scribe.device(type, known);
  if (rights) allow_at(&desk);
}

void Tracker::remove(const DeviceId& device, Scribe& scribe) {
  const auto found = book_.devices.find(device);
  scribe.device(DeviceEventType::removed, found->second);
  index_.unseat(device);
  book_.devices.erase(found);
  allow_at(index_.desk(device));
}

void Tracker::end_unseen_devices(std::uint64_t since, Scribe& scribe) {
  std::vector<DeviceId> unseen;
  for (const auto& [id, device] : book_.devices) {
    if (index_.desk(id)->seen < since) unseen.push_back(id);
  }
  for (const DeviceId& id : unseen) remove(id, scribe);
}

}  // namespace call
