#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "pbx/webitel/legs.h"

// What Legs is made of: legs.cc has the sources, legs_absence.cc what lists lack, legs_join.cc what
// becomes one call and how legs end, legs_view.cc the parties and views, and what others ask.
// Included by those only.
namespace pbx::webitel {

// What the PBX's table of calls shows may be so much older than what its events told.
inline constexpr std::chrono::seconds kSettled{1};
// After which a leg may be in a list again that had ended.
inline constexpr std::chrono::seconds kRevival{5};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
template <class T>
using ByText = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

struct Group;

// A leg, or the party at the other end of one that the PBX shows no leg for.
struct Node {
  std::string id;      // in views
  std::string pbx_id;  // empty: the PBX has not told one
  std::string app_id, user, parent, bridged, destination, queue;
  Way way = Way::unknown;
  End from;
  std::optional<End> to;
  End peer;            // whom it was joined to last, as `bridge` told
  bool real = false;   // the PBX has shown it, and not only pointed to it
  bool vague = false;  // which way it goes is not known yet: it is not shown
  bool originate = false, progress = false, answered = false, joined = false, held = false;
  Group* group = nullptr;
  call::ConnectionState state = call::ConnectionState::null;

  TimePoint event_at = TimePoint::min();  // the last event
  TimePoint asked = TimePoint::min();     // the latest list that has had it
  std::int64_t told_at = 0;               // the last event's own time
  LegEvent::Kind last = LegEvent::Kind::other;
  bool listed = false;                         // a list of the tenant has had it
  unsigned missed = 0;                         // lists that lacked it, in a row
  TimePoint missing_since = TimePoint::max();  // the first of them was asked for

  // Of one that is not real:
  call::Role role = call::Role::called;
  std::string owner;                               // the id of the leg that it is the other end of
  call::Cause parting = call::Cause::unspecified;  // why the leg that it belonged to has ended
  TimePoint due = TimePoint::max();                // it ends then, if nobody points to it
};

struct Group {
  std::string key;
  std::uint64_t order = 0;  // the older call goes on, where two become one
  std::vector<Node*> nodes;
  std::vector<call::Leg> ended;  // to be shown once more
  std::string dialled, queue;
  call::CallView told;
  bool dirty = false;
  bool anew = false;  // a leg of it is a user's now, which may show in no view
};

struct Legs::Impl {
  explicit Impl(const Directory& its_directory) : directory(its_directory) {}

  // ---- legs.cc ----

  // By either id; nullptr if it is not known.
  Node* node_of(std::string_view id) const;
  Node& add(const std::string& id, TimePoint now);
  // Whose leg it is; true if that was not known.
  bool give(Node& node, const std::string& user);
  void take(const LegEvent& event, TimePoint now);
  // False if it is not to be followed, or has ended.
  bool take(const LegRow& row, TimePoint asked, TimePoint now);
  void expire(TimePoint now);

  // ---- legs_absence.cc ----

  // Whether a leg that a list of the tenant's lacks has ended.
  bool is_over(Node& node, Coverage coverage, TimePoint asked);
  // Takes those out whose call has a leg that is gone as well, and is given time to say why.
  void spare_those_that_wait(std::vector<Node*>& candidates) const;
  // Ends those of `candidates` that a list lacks: of the tenant, or of one user.
  void end_absent(std::vector<Node*> candidates, TimePoint now);
  // Other ends that rows point to, and that the same list would show if they were still there.
  void end_unlisted(const std::vector<LegRow>& rows, TimePoint now);
  void end_other_end(const std::string& id, TimePoint now);

  // ---- legs_join.cc ----

  // Puts it where its parent, or the leg it is joined to, is.
  void seat(Node& node);
  void join(Node& node, TimePoint now);
  Group& merge(Group& one, Group& other);
  void transfer(Node& own, Node& partner, const call::VendorCause& vendor, TimePoint now);
  void end(Node& node, call::Cause cause, const call::VendorCause& vendor, bool sure,
           TimePoint now);
  void remove(Node& node);
  bool has_ended(std::string_view id, bool surely) const;
  // Whether a leg that points to this one is to be given it as its other end.
  bool can_be_placed(std::string_view id) const;
  void remember(const std::string& id, bool sure, bool real, TimePoint now);
  std::optional<Doing> expected(const Node& node, TimePoint now) const;
  Output settle(TimePoint now);
  void place_other_ends(Group& group);
  void place_caller(Node& node);
  void place_called(Node& node);
  void end_unneeded(Group& group, TimePoint now);

  // ---- legs_view.cc ----

  call::Role role_of(const Node& node) const;
  call::Party party_of(const Node& node) const;
  call::Party party_of(const End& end) const;
  call::ConnectionState state_of(const Node& node) const;
  call::Leg leg_of(const Node& node) const;
  call::CallView view_of(const Group& group) const;

  void soil(Group& group) {
    if (!std::exchange(group.dirty, true)) dirty.push_back(group.key);
  }
  bool is_watched(const std::string& user) const { return watched.contains(user); }

  struct Ended {
    TimePoint at;
    bool sure;  // the PBX said so: no list brings it back
    bool real;  // a leg, and not one of ours
  };
  struct Expectation {
    Doing doing;
    TimePoint until;
  };

  const Directory& directory;
  ByText<std::unique_ptr<Node>> nodes;  // by the id in views
  ByText<std::string> aliases;          // the PBX's id, where it is another
  std::map<std::string, std::unique_ptr<Group>, std::less<>> groups;
  ByText<std::vector<Node*>> by_user;  // the oldest first
  ByText<Ended> ended;
  std::deque<std::string> ended_order;
  std::unordered_set<std::string> watched;  // users
  ByText<Expectation> expectations;
  ByText<TimePoint> made;  // by user: until when a new leg of his was made by request
  std::set<std::pair<TimePoint, std::string>> dues;
  std::vector<std::string> dirty;  // keys
  Output before;                   // views that come before those of settle()
  std::uint64_t orders = 0;
  std::size_t left_out = 0;
  bool wants_list = false;
  TimePoint wants_list_at = TimePoint::max();
};

}  // namespace pbx::webitel
