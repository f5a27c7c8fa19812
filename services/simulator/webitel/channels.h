#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "simulator/engine/tenant.h"
#include "simulator/webitel/accounts.h"

namespace simulator::webitel {

namespace json = boost::json;

// As in `from` and `to`: type is user, dest or gateway.
struct Party {
  std::string type, number, name, id;

  json::object object() const;
};

// A recording of one leg, as a file.
struct Recording {
  std::int64_t id = 0;
  engine::TimePoint from, to;  // `to` counts once it is over
  bool over = false;
};

// One leg as the media node has it: a device's side of a call, or a trunk's. What is told of it
// stays until it is forgotten in the history, after the engine's leg has long gone.
struct Channel {
  std::string id;         // a UUID
  engine::LegId leg = 0;  // the engine's; 0: it has none of its own, or no longer
  engine::ExtensionIndex extension = engine::kOutside;  // kOutside: a trunk's
  std::string number;                                   // of the device, or the party outside
  bool outbound = false;  // as the leg sees it; a trunk's as the node does
  std::string destination;
  Party from;
  std::optional<Party> to;
  std::string parent, bridged;  // other channels' ids; empty: none
  bool requested = false;       // by a client: rings the own phone first
  bool auto_answer = false;     // and asks it to pick up
  std::string display;
  std::map<std::string, std::string> variables;  // the user's

  bool announced = false;  // `ringing` has been told; before, nobody knows of it
  std::string state = "idle";
  engine::TimePoint at;  // of the state
  engine::TimePoint created;
  std::optional<engine::TimePoint> answered, first_bridged, bridged_at, ended;
  std::optional<engine::TimePoint> held_since;
  std::vector<std::pair<engine::TimePoint, engine::TimePoint>> holds;  // those that are over
  bool muted = false;
  std::vector<Recording> recordings;

  // Of the end.
  std::string cause, hangup_by, transfer_to, transfer_from;
  unsigned sip = 0;

  engine::Millis held_for(engine::TimePoint now) const;
};

// What a client has asked for, until its leg is there.
struct ClickToCall {
  bool auto_answer = true;
  std::string display;
  std::map<std::string, std::string> variables;
};

// All legs of a tenant, as this vendor sees them. On a phone, a conference is two calls: the leg
// that the engine has given up for it goes on here without one.
class Channels {
 public:
  // Something happened to a leg; `data` is without its owner's id. The channel is as it is after
  // it.
  using Tell = std::function<void(const Channel& channel, std::string_view event, json::object data,
                                  engine::TimePoint at)>;
  static constexpr std::size_t kEndedMax = 10'000;

  Channels(const Settings& settings, const engine::Tenant& tenant, const Accounts& accounts)
      : settings_(settings), tenant_(tenant), accounts_(accounts) {}

  void on_tell(Tell tell) { tell_ = std::move(tell); }
  void on_change(const engine::Change& change);
  // The next leg that rings its own phone first is this one's; std::nullopt: nobody's.
  void expect(std::optional<ClickToCall> click) { expected_ = std::move(click); }
  // Legs that end until it is taken back do so for this reason, or only the first of them; empty:
  // for their own.
  void force_cause(std::string cause, bool once) {
    forced_cause_ = std::move(cause);
    forced_once_ = once;
  }
  // Something that the engine does not know: a digit, for instance.
  void tell(const Channel& channel, std::string_view event, json::object data,
            engine::TimePoint at) const;

  // Of legs that live and have been told of. nullptr: none.
  Channel* find(std::string_view id);
  const Channel* find(std::string_view id) const;
  Channel* find(engine::LegId leg);
  std::vector<const Channel*> live() const;                    // oldest first
  const std::deque<Channel>& ended() const { return ended_; }  // oldest first
  // Live or over; nullptr: not known.
  const Channel* find_any(std::string_view id) const;
  // The leg that the whole tree began with.
  const Channel& root_of(const Channel& channel) const;
  std::string id_of(engine::LegId leg) const;

  const User* user_of(const Channel& channel) const;
  std::int64_t millis(engine::TimePoint at) const { return settings_.clock.unix_millis(at); }

  void forget() {
    channels_.clear();
    extra_.clear();
  }
  // After the engine's ids have changed.
  void rename();

 private:
  struct End {
    std::string cause;
    unsigned sip = 200;
  };
  // Of a conference at a phone: the channel that the engine has no leg for, and the owner's other.
  struct Extra {
    engine::LegId owner;
    Channel channel;
  };

  Party party_of(std::string_view number) const;
  Channel* channel_of(engine::LegId leg);
  void add(const engine::Change& change);
  void announce(Channel& channel, const engine::Leg& leg, engine::TimePoint at);
  void on_state(Channel& channel, const engine::Change& change);
  void bridge(engine::LegId one, engine::LegId other, engine::TimePoint at);
  void bridge_call(const engine::Call& call, engine::TimePoint at, engine::LegId without = 0);
  void on_end(const engine::Change& change);
  End end_of(Channel& channel, const engine::Change& change);
  bool is_attended(Channel& channel, const engine::Change& change);
  void finish(Channel channel, const End& end, std::string by, engine::TimePoint at);
  std::string ended_by(const Channel& channel, const engine::Change& change);

  const Settings& settings_;
  const engine::Tenant& tenant_;
  const Accounts& accounts_;
  Tell tell_;
  std::map<engine::LegId, Channel> channels_;
  std::vector<Extra> extra_;
  std::deque<Channel> ended_;
  std::optional<ClickToCall> expected_;
  std::string forced_cause_;
  bool forced_once_ = false;
  std::int64_t last_file_ = 9'000;
  // Of the two legs of an attended transfer, the second, and what it is to say.
  engine::LegId transfer_second_ = 0;
  std::string transfer_to_;
  // Who ended a call, for the legs that end with it.
  engine::CallId ended_call_ = 0;
  std::string ended_by_;
};

}  // namespace simulator::webitel
