#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call/fold.h"
#include "call/tracker.h"

namespace call {

using testing::ElementsAre;
using testing::IsEmpty;

inline const std::vector<Capability>& every_service() {
  static const auto all = [] {
    std::vector<Capability> rows;
    for (std::size_t i = 0; i < kServiceCount; ++i) {
      rows.push_back({static_cast<Service>(i), Confirmation::acknowledged, ""});
    }
    return rows;
  }();
  return all;
}

// A party by its number: whoever has a "+" is outside, "Q…" is a queue.
inline Party party(const std::string& number) {
  Party party;
  party.device = DeviceId(number);
  party.number = number;
  party.kind = number.front() == '+'   ? DeviceKind::outside
               : number.front() == 'Q' ? DeviceKind::queue
                                       : DeviceKind::extension;
  return party;
}

inline Leg leg(Role role, const std::string& number, ConnectionState state,
               Cause cause = Cause::unspecified) {
  Leg leg;
  leg.id = "leg-" + number;
  leg.party = party(number);
  leg.role = role;
  leg.state = state;
  leg.cause = cause;
  return leg;
}
inline Leg calling(const std::string& number, ConnectionState state,
                   Cause cause = Cause::unspecified) {
  return leg(Role::calling, number, state, cause);
}
inline Leg called(const std::string& number, ConnectionState state,
                  Cause cause = Cause::unspecified) {
  return leg(Role::called, number, state, cause);
}
inline Leg named(Leg leg, const std::string& id) {
  leg.id = id;
  return leg;
}

inline CallView view(const std::string& key, std::vector<Leg> legs) {
  CallView view;
  view.key = key;
  view.legs = std::move(legs);
  return view;
}

inline Device device(const std::string& number) {
  Device device;
  device.id = DeviceId(number);
  device.availability = Availability::in_service;
  device.controllable = true;
  return device;
}

// An event in a line: "c1-1-2 delivered newCall", with "inferred", "resync" and "to <device>" where
// they apply.
inline std::string line_of(const Event& event) {
  std::string line;
  if (const auto* it = std::get_if<CallEvent>(&event.body)) {
    line = it->connection == 0 ? it->call.id.str() : connection_id(it->call.id, it->connection);
    line += std::string(" ") + name_of(it->type) + " " + name_of(it->cause);
    if (it->other) line += " to " + it->other->device.str();
    if (it->inferred) line += " inferred";
  } else if (const auto* device = std::get_if<DeviceEvent>(&event.body)) {
    line = device->device.id.str() + " " + name_of(device->type);
  } else if (const auto* link = std::get_if<LinkEvent>(&event.body)) {
    line = std::string("link ") + name_of(link->state);
  } else if (const auto* gap = std::get_if<StreamGap>(&event.body)) {
    line = "gap " + std::to_string(gap->first_sequence) + "-" + std::to_string(gap->last_sequence);
  }
  if (event.origin == Origin::resync) line += " resync";
  return line;
}

// A PBX that says, a tracker that makes events of it, and a consumer that holds them to the
// promise.
class Dialogue : public testing::Test {
 protected:
  using Lines = std::vector<std::string>;

  Lines see(const CallView& view) { return fold(tracker_.apply(CallSeen{view}, next())); }
  Lines see(const Device& device) { return fold(tracker_.apply(DeviceSeen{device}, next())); }
  Lines see_all(std::vector<CallView> calls) {
    return fold(tracker_.apply(CallsSeen{std::move(calls)}, next()));
  }
  Lines see_all(std::vector<Device> devices) {
    return fold(tracker_.apply(DevicesSeen{std::move(devices)}, next()));
  }
  Lines end_resync() { return fold(tracker_.end_resync(next())); }

  Lines fold(std::vector<Event> events) {
    Lines lines;
    for (const Event& event : events) {
      EXPECT_THAT(consumer_.apply(event), IsEmpty()) << line_of(event);
      lines.push_back(line_of(event));
    }
    last_ = std::move(events);
    return lines;
  }

  // The event just made, by its place.
  const CallEvent& event(std::size_t at) const { return std::get<CallEvent>(last_.at(at).body); }
  const Call& call(const std::string& id) const { return tracker_.book().calls.at(CallId(id)); }
  const Connection& connection(const std::string& id, unsigned number) const {
    return *find_connection(call(id), number);
  }
  Context next() {
    now_ += std::chrono::seconds(1);
    return {now_, std::nullopt, ""};
  }

  Tracker tracker_{every_service(), 1};
  Fold consumer_{Book{}};
  Time now_{};
  std::vector<Event> last_;
};

}  // namespace call
