#pragma once

#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "pbx/innovaphone/legs.h"

// Inside legs*.cc.
namespace pbx::innovaphone {

// One user's part in a call.
struct Part {
  std::string id;  // Leg::id
  Legs::Guid guid;
  call::Role role = call::Role::called;
  Standing standing = Standing::hidden;
  bool answered = false, rang = false, prompted = false;
  bool peer_holds = false, peer_rings = false;
  bool picking = false;          // it came here by a pickup
  bool stale = false;            // its socket was lost
  Connector peer, by, diverted;  // the other end; who transferred it here; who was called before
  std::string other;             // of the other end, if that is nobody of ours
  std::optional<int> cause;      // as last told
  std::string cause_text;
  call::Cause arrived = call::Cause::unspecified;  // why it rings here
  std::vector<Legs::Handle> handles;               // several, if several devices ring
  Doing doing = Doing::nothing;

  // It has ended. Until the reason is known it is told as it was.
  struct End {
    TimePoint due;
    bool bare = false;   // nobody released it
    bool known = false;  // why
    call::Cause cause = call::Cause::unspecified;
  };
  std::optional<End> end;

  bool live() const { return !end; }
  bool gone() const { return end && end->known; }
};

// Somebody in a call who is nobody of ours.
struct Other {
  std::string id;
  call::Party party;
  call::Role role = call::Role::calling;
  call::ConnectionState state = call::ConnectionState::null;
  bool referenced = false;  // in the present rebuilding
};

struct Record {
  std::string key;
  std::vector<std::string> confs;  // those that have become one call
  std::vector<Part> parts;
  std::vector<Other> others;
  std::string dialled;
  call::CallView told;
  std::optional<TimePoint> hidden_until;  // its `conf` is awaited
  unsigned others_made = 0;
  std::set<std::string> rang;  // guids of those who were called, and may not be in it any more
  bool left = false;           // somebody who talked, or called, has hung up
  Connector parked;            // where it was parked
};

struct Legs::Impl {
  Impl(Options chosen, const Users& directory) : options(chosen), users(directory) {}

  struct Place {
    std::string key;  // of the record; empty: of a part that has ended
    Guid guid;
  };

  // What a message is about: legs.cc.
  Record& open(const std::string& conf, const Handle& handle, TimePoint now);
  Record& rename(Record& record, const std::string& conf);
  Record& record_of(const Handle& handle, const Guid& guid, const CallInfo& info, TimePoint now);
  Part& part_of(Record& record, const Handle& handle, const Guid& guid, const CallInfo& info);
  bool take(Part& part, const Handle& handle, const CallInfo& info, TimePoint now);
  void finish(Part& part, Standing over, bool bare, TimePoint now);
  void drop(const Handle& handle, Part& part);
  void bury(const Handle& handle, const std::string& conf);
  void erase(Record& record, std::size_t part);

  // Calls that become one: legs_join.cc.
  Record& join(Record& one, Record& other, const Guid& by);
  void bid_farewell(Record& from, const Guid& by, const std::string& into);
  Record& join_if_transferred(Record& record, const Guid& guid);
  Record* transferred_to(Record& record, const Part& part, Guid& by);

  // Reasons, and the legs as they now are: legs_view.cc.
  void explain(Record& record, TimePoint now);
  void explain(Record& record, Part& part, TimePoint now);
  call::Cause forwarding_cause(const Record& record, const User& from, const Guid& to) const;
  void refer(Record& record, Part& part);
  call::CallView view_of(Record& record);
  Views flush(TimePoint now);

  call::Party party_of(const Connector& connector) const;
  bool names(const Connector& party, const Guid& guid) const;
  Part* find_part(Record& record, const Guid& guid, bool live) const;
  void soil(const Record& record) { dirty.insert(record.key); }

  Options options;
  const Users& users;
  std::unordered_map<std::string, Record> records;
  std::unordered_map<std::string, std::string> confs;          // → key
  std::unordered_map<std::string, std::string> legs;           // → key
  std::unordered_map<Guid, std::vector<std::string>> at_user;  // → keys
  std::map<Handle, Place> handles;
  std::set<Handle> made;  // by a MakeCall of ours
  // The `conf` of handles whose end was told: what is still said of it is old, until the handle is
  // used again. The last kBuriedMax of them.
  std::map<Handle, std::string> buried;
  std::deque<Handle> buried_first;
  std::set<std::string> waiting;  // keys with something due
  std::set<std::string> dirty;    // keys
  Views farewells;                // of calls that have become part of others; to be told after
  std::size_t parts = 0;
  bool telling = false;
};

inline bool is_empty(const Connector& it) {
  return it.cn.empty() && it.h323.empty() && it.e164.empty() && it.norm.empty();
}

}  // namespace pbx::innovaphone
