#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "pbx/vodia/calls.h"
#include "pbx/vodia/parties.h"

// What Calls is made of: calls.cc has the lists and their entries, call_legs.cc the legs. Included
// by those two only.
namespace pbx::vodia {

inline constexpr std::size_t kSources = 2;

// An entry of the list before, as it was written.
struct ListSlot {
  std::string text, id;
};

// An id of the PBX's.
struct ListEntry {
  CallEntry call;
  std::string key;                         // of the call it belongs to
  std::uint64_t round[kSources] = {0, 0};  // in which it was last in a list; 0: in none
  std::optional<TimePoint> missing;        // since when, if a list lacked it and none had it since
  bool over = false;                       // the PBX says that it has ended
};

// A call: one or two entries.
struct CallRecord {
  std::string key;
  std::vector<std::string> entries;
  std::vector<Part> parts;
  std::vector<std::string> left;  // extensions that were in it
  std::string holder;             // the extension that we know to hold
  std::string recorder;           // the extension that a recording is told of
  std::optional<bool> recording;
  bool recording_listed = false;  // by the entries, not by marks
  bool answered = false;
  bool doubted = false;  // it was told that nobody knows who holds
  bool dirty = false;
  bool merged = false;  // some of it went on in another call: it has ended
  std::string dialled;
  call::CallView told;  // without causes
};

struct Calls::Impl {
  // Calls, by how many of their entries a list lacks.
  using Leaving = std::map<std::string, std::size_t>;

  Impl(Options its_options, const Directory& its_directory)
      : options(its_options), directory(its_directory) {}

  // ---- calls.cc ----

  // The list has it, or the directory has changed: its legs have to be looked at.
  void soil(CallRecord& record);
  std::string pair_of(const CallEntry& call) const;
  void leave_pair(const std::string& id, const CallEntry& call);
  // The call that a new entry is another side of; nullptr if it is a call of its own.
  CallRecord* other_side(const CallEntry& call, const std::string& pair);
  ListEntry& open(CallEntry call);
  void update(ListEntry& entry, CallEntry call);
  // It is not in the PBX any more. Its call goes on if it has another side.
  void close(const std::string& id, Output& out);
  void saw(ListEntry& entry, std::size_t source);
  Output take(Source kind, const CallList& list, TimePoint now);
  // Tells what has changed, and ends what is absent: at once, or when that is confirmed.
  void settle(const std::vector<std::string>& absent, TimePoint now, Output& out);
  void rebuild_dirty(const Leaving& leaving, Output& out);
  bool is_expected(const CallRecord& record) const;
  bool expects(const Part& part, Doing doing) const;

  // ---- call_legs.cc ----

  void seat(const CallRecord& record, const Part& part);
  void unseat(const CallRecord& record, const Part& part);
  void unseat_ended(const CallRecord& record, const std::vector<call::Leg>& ended);
  std::string new_leg(const CallRecord& record, const Wanted& wanted) const;
  // A party that comes up here while a call that it was in vanishes has moved: the same leg.
  std::optional<Part> take_moved(const CallRecord& record, const Wanted& wanted,
                                 const Leaving& leaving);
  call::Cause cause_of_leaving(const Part& part, const std::vector<Wanted>& added, bool answered,
                               bool still_called) const;
  // Brings a call's legs to what its entries now say, and tells what is different.
  void rebuild(CallRecord& record, const Leaving& leaving, Output& out);
  // Whoever we asked to hold does; from then on until nobody does.
  void decide_holder(CallRecord& record, const std::vector<const CallEntry*>& sides) const;
  void decide_recording(CallRecord& record, const std::vector<const CallEntry*>& sides) const;
  call::CallView view_of(const CallRecord& record, bool holder_unknown) const;
  void end(CallRecord& record, Output& out);

  Options options;
  const Directory& directory;
  std::unordered_map<std::string, ListEntry> entries;
  std::unordered_map<std::string, CallRecord> records;
  std::unordered_map<std::string, std::string> legs;                    // → key
  std::unordered_map<std::string, std::vector<std::string>> at_number;  // → keys
  std::unordered_map<std::string, std::vector<std::string>> pairs;      // from, to → entries
  std::unordered_map<std::string, Doing> expected;                      // by leg
  std::set<std::string> missing;                                        // entries
  std::vector<ListSlot> slots[kSources];
  std::size_t shown[kSources] = {0, 0};  // entries that a list of the source has shown
  std::uint64_t rounds[kSources] = {0, 0};
  std::vector<std::string> dirty;  // keys
};

}  // namespace pbx::vodia
