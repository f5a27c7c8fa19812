#include "support/tracker_script.h"

#include <algorithm>
#include <optional>
#include <set>

#include "call/fold.h"
#include "call/tracker.h"

namespace support {
namespace {

using namespace call;

constexpr std::size_t kStepsMax = 400;
constexpr std::size_t kLegs = 10, kKeys = 4, kDevices = 5;

// What chooses: bytes until there are none left, then always the first.
class Choice {
 public:
  explicit Choice(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  std::size_t of(std::size_t count) {
    if (bytes_.empty()) return 0;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte % count;
  }
  bool once_in(std::size_t count) { return of(count) == 1; }

 private:
  std::span<const std::uint8_t> bytes_;
};

std::vector<Capability> every_service() {
  std::vector<Capability> capabilities;
  for (std::size_t i = 0; i < kServiceCount; ++i) {
    capabilities.push_back({static_cast<Service>(i), Confirmation::acknowledged, ""});
  }
  return capabilities;
}

std::string number_of(std::size_t i) { return "20" + std::to_string(i); }

Party party_of(Choice& choice, std::size_t leg) {
  Party party;
  if (choice.once_in(16)) leg += 1;  // the PBX changes its mind about who it is
  if (leg % 4 == 3) {
    party.device = DeviceId("+4930" + std::to_string(leg));
    party.kind = DeviceKind::outside;
  } else {
    party.device = DeviceId(number_of(leg % kDevices));
    party.kind = DeviceKind::extension;
  }
  party.number = party.device.str();
  if (choice.once_in(8)) party.name = "somebody";
  return party;
}

Leg leg_of(Choice& choice, std::size_t i) {
  static constexpr Cause kCauses[] = {
      Cause::unspecified, Cause::unspecified, Cause::unspecified,     Cause::busy,
      Cause::transfer,    Cause::redirected,  Cause::normal_clearing, Cause::conference};
  Leg leg;
  leg.id = "L" + std::to_string(i);
  leg.party = party_of(choice, i);
  leg.role = choice.of(3) == 0 ? Role::calling : Role::called;
  leg.state = kConnectionStates[choice.of(kConnectionStates.size())];
  leg.offered = choice.once_in(4);
  leg.recording = choice.once_in(4);
  leg.cause = kCauses[choice.of(std::size(kCauses))];
  if (choice.once_in(8)) leg.vendor_cause.q850 = static_cast<int>(choice.of(130));
  return leg;
}

// The legs and keys that are still to be had: a complete list has none of them twice.
struct Left {
  std::vector<std::size_t> legs, keys;

  Left() {
    for (std::size_t i = 0; i < kLegs; ++i) legs.push_back(i);
    for (std::size_t i = 0; i < kKeys; ++i) keys.push_back(i);
  }
  static std::size_t take(Choice& choice, std::vector<std::size_t>& from) {
    const auto at = from.begin() + static_cast<std::ptrdiff_t>(choice.of(from.size()));
    const std::size_t taken = *at;
    from.erase(at);
    return taken;
  }
};

CallView view_of(Choice& choice, Left& left) {
  CallView view;
  if (!choice.once_in(16) && !left.keys.empty()) {
    view.key = "K" + std::to_string(Left::take(choice, left.keys));
  }
  for (std::size_t count = choice.of(5); count > 0 && !left.legs.empty(); --count) {
    view.legs.push_back(leg_of(choice, Left::take(choice, left.legs)));
  }
  if (choice.once_in(4)) view.dialled = number_of(choice.of(3));
  if (choice.once_in(8)) view.data["order"] = number_of(choice.of(3));
  return view;
}

Device device_of(Choice& choice, std::size_t i) {
  Device device;
  device.id = DeviceId(number_of(i));
  device.availability = static_cast<Availability>(choice.of(3));
  device.activity = static_cast<Activity>(choice.of(6));
  if (choice.once_in(2)) device.do_not_disturb = choice.once_in(2);
  if (choice.once_in(3)) device.forwardings.push_back({ForwardingType::busy, "300"});
  if (choice.once_in(3)) device.agent_state = static_cast<AgentState>(choice.of(6));
  if (choice.once_in(3)) device.vendor_status = "beep";
  device.controllable = choice.of(3) != 0;
  return device;
}

// As consumers know it: without what changes silently.
Call told(Call call) {
  for (Connection& connection : call.connections) connection.allowed = {};
  return call;
}
Device told(Device device) {
  device.vendor_status.clear();
  return device;
}
template <class Map>
Map told(const Map& map) {
  Map result;
  for (const auto& [id, value] : map) result.emplace(id, told(value));
  return result;
}

class Play {
 public:
  explicit Play(Choice choice)
      : choice_(choice), capabilities_(every_service()), tracker_(capabilities_, epoch_) {}

  std::string run() {
    for (; !choice_.empty() && step_ < kStepsMax && broken_.empty(); ++step_) {
      now_ += std::chrono::milliseconds(choice_.of(3));
      step();
      check_book();
    }
    if (broken_.empty() && published_) {
      heal();
      check_book();
    }
    return broken_;
  }

 private:
  void step() {
    if (published_ && choice_.once_in(4)) heal();
    switch (choice_.of(16)) {
      default: {
        Left left;
        see(view_of(choice_, left));
        break;
      }
      case 8:
      case 9: {
        Left left;
        CallsSeen all;
        for (std::size_t count = choice_.of(4); count > 0; --count) {
          all.calls.push_back(view_of(choice_, left));
        }
        see(all);
        break;
      }
      case 10:
        tell(tracker_.apply(DeviceSeen{device_of(choice_, choice_.of(kDevices))}, context()));
        break;
      case 11: {
        DevicesSeen all;
        for (std::size_t i = 0; i < kDevices; ++i) {
          if (choice_.of(3) != 0) all.devices.push_back(device_of(choice_, i));
        }
        tell(tracker_.apply(all, context()));
        break;
      }
      case 12:
        if (choice_.once_in(2)) {
          tracker_.begin_resync();
        } else {
          tell(tracker_.end_resync(context()));
        }
        break;
      case 13: tell(tracker_.link({LinkState::up, "", "", std::nullopt}, context())); break;
      case 14:
        if (published_) {
          heal();
        } else {
          published_ = tracker_.book();
        }
        break;
      case 15: take_over(); break;
    }
  }

  void see(const CallView& view) {
    const CallSeen seen{view};
    tell(tracker_.apply(seen, context()));
    check(view);
    if (!tracker_.apply(seen, context()).empty()) fail("the same call seen twice made events");
  }

  void see(const CallsSeen& all) {
    tell(tracker_.apply(all, context()));
    std::size_t live = 0, known = 0;
    for (const CallView& view : all.calls) {
      check(view);
      live += live_legs(view);
    }
    for (const auto& [id, call] : tracker_.book().calls) known += call.connections.size();
    if (live != known) fail("a complete list, and other connections are known");
    if (!tracker_.apply(all, context()).empty()) fail("the same list seen twice made events");
  }

  static std::size_t live_legs(const CallView& view) {
    return static_cast<std::size_t>(
        std::count_if(view.legs.begin(), view.legs.end(),
                      [](const Leg& leg) { return leg.state != ConnectionState::null; }));
  }

  // What the PBX says is, is what is known.
  void check(const CallView& view) {
    const Call* call = nullptr;
    for (const Leg& leg : view.legs) {
      const auto [in, connection] = tracker_.find_leg(leg.id);
      if (leg.state == ConnectionState::null) {
        if (connection != nullptr) fail("an ended leg is still known");
        continue;
      }
      if (connection == nullptr) return fail("a leg is not known");
      if (call != nullptr && call != in) fail("legs of one call are in two");
      call = in;
      if (connection->state != leg.state || connection->party != leg.party ||
          connection->role != leg.role || connection->recording != leg.recording ||
          connection->offered != (leg.offered && leg.state == ConnectionState::alerting)) {
        fail("a connection is not as its leg");
      }
    }
    if (call == nullptr) return;
    if (call->connections.size() != live_legs(view)) fail("a missing leg is still known");
    if (call->key != view.key) fail("a call has not the key of its view");
  }

  void tell(const std::vector<Event>& events) {
    if (published_) return;
    for (const Event& event : events) {
      for (const std::string& violation : fold_.apply(event)) fail(violation);
    }
  }

  void heal() {
    StreamGap gap;
    gap.first_sequence = published_->sequence + 1;
    gap.last_sequence = tracker_.book().sequence;
    gap.reason = "outbox_full";
    const Book published = *std::exchange(published_, std::nullopt);
    if (gap.last_sequence >= gap.first_sequence) tell(tracker_.heal(published, gap, context()));
  }

  // The next owner knows what consumers have been told.
  void take_over() {
    Tracker next(capabilities_, ++epoch_);
    next.restore(fold_.book());
    tracker_ = std::move(next);
    published_.reset();
  }

  void check_book() {
    const Book& book = tracker_.book();
    Tracker other(capabilities_, epoch_);
    other.restore(book);
    if (other.book().calls != book.calls) fail("what is allowed is out of date");
    for (const auto& [id, call] : book.calls) {
      if (call.connections.empty()) fail("a call without connections lives on");
      for (const Connection& connection : call.connections) {
        if (tracker_.find_leg(connection.leg).second != &connection) fail("a leg is not found");
      }
    }
    if (published_) return;
    if (told(fold_.book().calls) != told(book.calls)) fail("consumers believe in other calls");
    if (told(fold_.book().devices) != told(book.devices)) {
      fail("consumers believe in other devices");
    }
    if (book.sequence != 0 &&
        (fold_.book().sequence != book.sequence || fold_.book().calls_made > book.calls_made)) {
      fail("consumers have other numbers");
    }
  }

  Context context() const { return {now_, std::nullopt, ""}; }

  void fail(const std::string& what) {
    if (broken_.empty()) broken_ = "step " + std::to_string(step_) + ": " + what;
  }

  Choice choice_;
  const std::vector<Capability> capabilities_;
  std::uint64_t epoch_ = 1;
  Tracker tracker_;
  Fold fold_{Book{}};
  std::optional<Book> published_;  // while events are lost: what consumers have been told
  Time now_{};
  std::size_t step_ = 0;
  std::string broken_;
};

}  // namespace

std::string play_tracker_script(std::span<const std::uint8_t> bytes) {
  return Play(Choice(bytes)).run();
}

}  // namespace support
