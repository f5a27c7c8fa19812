#include "pbx/vodia/calls.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "pbx/vodia/parties.h"

namespace pbx::vodia {
namespace {

using call::Cause;
using call::ConnectionState;
using call::DeviceKind;
using call::Role;

constexpr std::size_t kSources = 2;
// How much later the second side of a call may begin than the first.
constexpr std::int64_t kSideSpan = 2'000'000;  // µs
// How far an entry may have moved up in the list before it is looked for by its id.
constexpr std::size_t kLookAhead = 8;

// An entry of the list before, as it was written.
struct Slot {
  std::string text, id;
};

// An id of the PBX's.
struct Entry {
  CallEntry call;
  std::string key;                         // of the call it belongs to
  std::uint64_t round[kSources] = {0, 0};  // in which it was last in a list; 0: in none
  std::optional<TimePoint> missing;        // since when, if a list lacked it and none had it since
  bool over = false;                       // the PBX says that it has ended
};

// A call: one or two entries.
struct Record {
  std::string key;
  std::vector<std::string> entries;
  std::vector<Part> parts;
  std::vector<std::string> left;  // extensions that were in it
  std::string holder;             // the extension that we know to hold
  std::string recorder;           // the extension that a recording is told of
  std::optional<bool> recording;
  bool recording_listed = false;  // by the entries, not by marks
  bool answered = false;
  bool dirty = false;
  bool merged = false;  // some of it went on in another call: it has ended
  std::string dialled;
  call::CallView told;  // without causes
};

bool is_live(ConnectionState state) { return state != ConnectionState::null; }

}  // namespace

struct Calls::Impl {
  Impl(Options its_options, const Directory& its_directory)
      : options(its_options), directory(its_directory) {}

  Options options;
  const Directory& directory;
  std::unordered_map<std::string, Entry> entries;
  std::unordered_map<std::string, Record> records;
  std::unordered_map<std::string, std::string> legs;                    // → key
  std::unordered_map<std::string, std::vector<std::string>> at_number;  // → keys
  std::unordered_map<std::string, std::vector<std::string>> pairs;      // from, to → entries
  std::unordered_map<std::string, Doing> expected;                      // by leg
  std::set<std::string> missing;                                        // entries
  std::vector<Slot> slots[kSources];
  std::size_t shown[kSources] = {0, 0};  // entries that a list of the source has shown
  std::uint64_t rounds[kSources] = {0, 0};
  std::vector<std::string> dirty;

  // ---- Entries. ----

  void soil(Record& record) {
    if (record.dirty) return;
    record.dirty = true;
    dirty.push_back(record.key);
  }

  std::string pair_of(const CallEntry& call) const {
    const std::string from = own_number(directory, call.from.number);
    const std::string to = own_number(directory, call.to.number);
    if (from.empty() || to.empty() || !is_extension(directory, call, from) ||
        !is_extension(directory, call, to)) {
      return {};
    }
    return from + '\n' + to;
  }

  void leave_pair(const std::string& id, const CallEntry& call) {
    const auto found = pairs.find(pair_of(call));
    if (found == pairs.end()) return;
    std::erase(found->second, id);
    if (found->second.empty()) pairs.erase(found);
  }

  static bool are_sides(const CallEntry& one, const CallEntry& other) {
    if (!one.start || !other.start || one.extensions.empty() || other.extensions.empty()) {
      return false;
    }
    if (std::llabs(*one.start - *other.start) > kSideSpan) return false;
    return std::none_of(one.extensions.begin(), one.extensions.end(), [&](const auto& it) {
      return std::find(other.extensions.begin(), other.extensions.end(), it) !=
             other.extensions.end();
    });
  }

  // The call that a new entry is another side of; nullptr if it is a call of its own.
  Record* other_side(const CallEntry& call, const std::string& pair) {
    if (pair.empty()) return nullptr;
    const auto found = pairs.find(pair);
    if (found == pairs.end()) return nullptr;
    for (const std::string& id : found->second) {
      const Entry& candidate = entries.at(id);
      Record& record = records.at(candidate.key);
      if (record.entries.size() == 1 && are_sides(candidate.call, call)) return &record;
    }
    return nullptr;
  }

  Entry& open(CallEntry call) {
    const std::string id = call.id;
    const std::string pair = pair_of(call);
    Record* record = nullptr;
    if (const auto found = records.find(id); found != records.end()) {
      record = &found->second;  // its entry is back
    } else {
      record = other_side(call, pair);
    }
    if (record != nullptr && record->parts.empty() && !record->entries.empty() &&
        call.start < entries.at(record->entries.front()).call.start) {
      // Both are new, and this one is older: the call has its id.
      Record renamed = std::move(*record);
      for (const std::string& it : renamed.entries) entries.at(it).key = id;
      records.erase(std::string(renamed.key));
      renamed.key = id;
      renamed.dirty = false;
      record = &records.emplace(id, std::move(renamed)).first->second;
      record->entries.insert(record->entries.begin(), id);
    } else if (record != nullptr) {
      record->entries.push_back(id);
    } else {
      record = &records[id];
      record->key = id;
      record->entries.push_back(id);
    }
    if (record->dialled.empty()) record->dialled = call.to.number;
    if (!pair.empty()) pairs[pair].push_back(id);
    soil(*record);
    Entry& entry = entries[id];
    entry.call = std::move(call);
    entry.key = record->key;
    return entry;
  }

  void update(Entry& entry, CallEntry call) {
    if (entry.call == call) return;
    const bool moves = entry.call.from != call.from || entry.call.to != call.to ||
                       entry.call.extensions != call.extensions;
    if (moves) leave_pair(call.id, entry.call);
    entry.call = std::move(call);
    if (moves) {
      if (const std::string pair = pair_of(entry.call); !pair.empty()) {
        pairs[pair].push_back(entry.call.id);
      }
    }
    soil(records.at(entry.key));
  }

  // It is not in the PBX any more. Its call goes on if it has another side.
  void close(const std::string& id, Output& out) {
    const auto found = entries.find(id);
    Entry& entry = found->second;
    for (std::size_t i = 0; i < kSources; ++i) {
      if (entry.round[i] != 0) --shown[i];
    }
    leave_pair(id, entry.call);
    Record& record = records.at(entry.key);
    std::erase(record.entries, id);
    missing.erase(id);
    entries.erase(found);
    if (record.entries.empty()) {
      end(record, out);
    } else {
      soil(record);
    }
  }

  void saw(Entry& entry, std::size_t source) {
    if (entry.round[source] == 0) ++shown[source];
    entry.round[source] = rounds[source];
    if (!entry.missing) return;
    entry.missing.reset();
    missing.erase(entry.call.id);
  }

  // ---- Lists. ----

  Output take(Source kind, const CallList& list, TimePoint now) {
    Output out;
    const auto source = static_cast<std::size_t>(kind);
    const std::uint64_t round = ++rounds[source];
    std::vector<Slot>& before = slots[source];
    std::vector<Slot> current;
    current.reserve(list.entries.size());
    std::size_t cursor = 0, present = 0;
    for (std::string_view text : list.entries) {
      // Most entries are where they were, or a little further up, and as they were.
      std::size_t at = cursor;
      const std::size_t last = std::min(before.size(), cursor + kLookAhead);
      while (at < last && before[at].text != text) ++at;
      if (at < last) {
        cursor = at + 1;
        const auto found = entries.find(before[at].id);
        if (found != entries.end() && !found->second.over) {
          if (found->second.round[source] == round) {
            ++out.repeated;
            continue;
          }
          saw(found->second, source);
          ++present;
          current.push_back(std::move(before[at]));
          continue;
        }
      }
      ++out.parsed;
      auto call = parse_call(text);
      if (!call) {
        ++out.unread;
        continue;
      }
      const auto found = entries.find(call->id);
      if (found != entries.end() && found->second.round[source] == round) {
        ++out.repeated;
        continue;
      }
      if (call->progress == Progress::gone) {
        if (found != entries.end()) found->second.over = true;
        continue;
      }
      if (found == entries.end() && entries.size() >= kCallsMax) {
        ++out.unread;
        continue;
      }
      std::string id = call->id;
      Entry* entry = nullptr;
      if (found == entries.end()) {
        entry = &open(std::move(*call));
      } else {
        entry = &found->second;
        update(*entry, std::move(*call));
      }
      saw(*entry, source);
      ++present;
      entry->over = false;
      current.push_back({std::string(text), std::move(id)});
      if (cursor < before.size() && before[cursor].id == current.back().id) ++cursor;
    }
    before = std::move(current);

    // Who was shown by such a list before, and is not now?
    std::vector<std::string> absent;
    if (list.complete && present < shown[source]) {
      for (const auto& [id, entry] : entries) {
        if (entry.round[source] != 0 && entry.round[source] != round) absent.push_back(id);
      }
      std::sort(absent.begin(), absent.end());
    }
    settle(absent, now, out);
    return out;
  }

  // Tells what has changed, and ends what is absent: at once, or when that is confirmed.
  void settle(const std::vector<std::string>& absent, TimePoint now, Output& out) {
    std::map<std::string, std::size_t> leaving;  // calls, by how many of their entries are absent
    for (const std::string& id : absent) ++leaving[entries.at(id).key];
    const auto leaves = [&](const Record& record) {
      const auto found = leaving.find(record.key);
      return found != leaving.end() && found->second == record.entries.size();
    };
    rebuild_dirty(leaves, out);
    for (const std::string& id : absent) {
      Entry& entry = entries.at(id);
      const Record& record = records.at(entry.key);
      if (!options.confirm || entry.over || entry.missing || record.merged || is_expected(record)) {
        close(id, out);
        continue;
      }
      entry.missing = now;
      missing.insert(id);
      out.ask = true;
    }
    // A call that has lost one of its sides.
    rebuild_dirty([](const Record&) { return false; }, out);
  }

  template <class Leaves>
  void rebuild_dirty(Leaves&& leaves, Output& out) {
    for (const std::string& key : std::exchange(dirty, {})) {
      const auto found = records.find(key);
      if (found == records.end() || !found->second.dirty) continue;
      found->second.dirty = false;
      rebuild(found->second, leaves, out);
    }
  }

  bool is_expected(const Record& record) const {
    if (expected.empty()) return false;
    return std::any_of(record.parts.begin(), record.parts.end(), [&](const Part& part) {
      const auto found = expected.find(part.leg);
      return found != expected.end() && found->second != Doing::hold &&
             found->second != Doing::record;
    });
  }
  bool expects(const Part& part, Doing doing) const {
    const auto found = expected.find(part.leg);
    return found != expected.end() && found->second == doing;
  }

  // ---- Legs. ----

  void seat(const Record& record, const Part& part) {
    legs[part.leg] = record.key;
    if (!part.party.device.empty()) at_number[part.party.device.str()].push_back(record.key);
  }
  void unseat(const Record& record, const Part& part) {
    legs.erase(part.leg);
    const auto found = at_number.find(part.party.device.str());
    if (found == at_number.end()) return;
    const auto it = std::find(found->second.begin(), found->second.end(), record.key);
    if (it != found->second.end()) found->second.erase(it);
    if (found->second.empty()) at_number.erase(found);
  }

  std::string new_leg(const Record& record, const Wanted& wanted) const {
    std::string id = record.key + '/';
    if (wanted.party.kind == DeviceKind::outside) {
      id += wanted.role == Role::calling ? "caller" : "callee";
    } else {
      id += wanted.party.device.str();
    }
    if (!legs.contains(id)) return id;
    for (unsigned i = 2;; ++i) {
      std::string other = id + '~' + std::to_string(i);
      if (!legs.contains(other)) return other;
    }
  }

  // A party that comes up here while a call that it was in vanishes has moved: the same leg.
  template <class Leaves>
  std::optional<Part> take_moved(const Record& record, const Wanted& wanted, Leaves&& leaves) {
    const auto found = at_number.find(wanted.party.device.str());
    if (found == at_number.end()) return std::nullopt;
    for (const std::string& key : found->second) {
      if (key == record.key) continue;
      Record& other = records.at(key);
      if (!leaves(other)) continue;
      const bool transfers =
          std::any_of(other.parts.begin(), other.parts.end(), [&](const Part& part) {
            return expects(part, Doing::transfer) || expects(part, Doing::join);
          });
      // A new call of somebody whose other one has just ended is a new call.
      if (record.parts.empty() && !transfers) continue;
      const auto part = std::find_if(other.parts.begin(), other.parts.end(), [&](const Part& it) {
        return it.party.device == wanted.party.device && it.talked;
      });
      if (part == other.parts.end()) continue;
      Part moved = std::move(*part);
      unseat(other, moved);
      other.parts.erase(part);
      other.merged = true;
      return moved;
    }
    return std::nullopt;
  }

  // Which part each wanted one is; -1 if it is new.
  static std::vector<int> match(const std::vector<Part>& parts, const std::vector<Wanted>& wanted) {
    std::vector<int> found(wanted.size(), -1);
    std::vector<bool> used(parts.size(), false);
    const auto pass = [&](auto&& same) {
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        for (std::size_t j = 0; j < parts.size() && found[i] < 0; ++j) {
          if (used[j] || !same(parts[j], wanted[i])) continue;
          used[j] = true;
          found[i] = static_cast<int>(j);
        }
      }
    };
    pass([](const Part& part, const Wanted& it) {
      return !part.party.device.empty() && part.party.device == it.party.device;
    });
    // Somebody outside may show another number: it is still the one that is outside.
    pass([](const Part& part, const Wanted& it) {
      return part.role == it.role && part.party.kind == DeviceKind::outside &&
             it.party.kind == DeviceKind::outside;
    });
    return found;
  }

  Cause cause_of_leaving(const Part& part, const std::vector<Wanted>& added, bool answered,
                         bool still_called) const {
    const bool any_added = !added.empty();
    if (part.party.kind == DeviceKind::queue || part.party.kind == DeviceKind::group) {
      return still_called ? Cause::distributed : Cause::unspecified;
    }
    if (part.talked) {
      if (expects(part, Doing::transfer)) return Cause::single_step_transfer;
      if (expects(part, Doing::park)) return Cause::park;
      if (!any_added) return Cause::unspecified;
      const bool parks = std::any_of(added.begin(), added.end(), [](const Wanted& it) {
        return it.party.kind == DeviceKind::park;
      });
      return parks ? Cause::park : Cause::transfer;
    }
    if (expects(part, Doing::deflect)) return Cause::redirected;
    if (expects(part, Doing::pickup)) return Cause::call_pickup;
    if (!any_added) return Cause::unspecified;
    return answered ? Cause::call_pickup : Cause::redirected;
  }

  // Brings a call's legs to what its entries now say, and tells what is different.
  template <class Leaves>
  void rebuild(Record& record, Leaves&& leaves, Output& out) {
    std::vector<const CallEntry*> sides;
    for (const std::string& id : record.entries) sides.push_back(&entries.at(id).call);
    if (sides.empty()) return;
    decide_holder(record, sides);
    const Arrangement now = arrange(sides, directory, record.parts, record.left, record.holder);
    if (now.parts.empty()) return;  // nobody whom we could tell of
    const bool is_new = record.parts.empty();
    const auto matched = match(record.parts, now.parts);

    std::vector<Wanted> added;
    std::vector<bool> stays(record.parts.size(), false);
    std::size_t talking = 0;
    bool still_called = false;
    for (std::size_t i = 0; i < now.parts.size(); ++i) {
      if (matched[i] >= 0) {
        stays[static_cast<std::size_t>(matched[i])] = true;
      } else {
        added.push_back(now.parts[i]);
      }
      if (now.parts[i].state == ConnectionState::connected ||
          now.parts[i].state == ConnectionState::hold) {
        ++talking;
      }
      if (now.parts[i].role == Role::called) still_called = true;
    }

    std::vector<call::Leg> ended;
    for (std::size_t j = 0; j < record.parts.size(); ++j) {
      if (stays[j]) continue;
      const Part& part = record.parts[j];
      call::Leg leg;
      leg.id = part.leg;
      leg.party = part.party;
      leg.role = part.role;
      leg.cause = cause_of_leaving(part, added, now.answered, still_called);
      ended.push_back(std::move(leg));
      if (part.party.kind == DeviceKind::extension) record.left.push_back(part.party.device.str());
    }

    std::vector<Part> parts;
    std::set<std::string> joining;
    std::vector<std::string> fresh;
    for (std::size_t i = 0; i < now.parts.size(); ++i) {
      const Wanted& wanted = now.parts[i];
      Part part;
      if (matched[i] >= 0) {
        Part& known = record.parts[static_cast<std::size_t>(matched[i])];
        unseat(record, known);
        part = std::move(known);
      } else {
        if (auto moved = take_moved(record, wanted, leaves)) part = std::move(*moved);
        if (part.leg.empty()) {
          part.leg = new_leg(record, wanted);
          fresh.push_back(part.leg);
        }
        std::erase(record.left, wanted.party.device.str());
        if (!is_new && record.answered && ended.empty() && talking >= 3) joining.insert(part.leg);
      }
      part.party = wanted.party;
      part.role = wanted.role;
      part.state = wanted.state;
      part.member = part.member || wanted.member;
      part.talked = part.talked || wanted.state == ConnectionState::connected ||
                    wanted.state == ConnectionState::hold;
      seat(record, part);
      parts.push_back(std::move(part));
    }
    unseat_ended(record, ended);
    record.parts = std::move(parts);
    record.answered = record.answered || now.answered;
    decide_recording(record, sides);

    call::CallView view = view_of(record, now.holder_unknown);
    if (view == record.told && ended.empty()) return;
    record.told = view;
    for (call::Leg& leg : view.legs) {
      if (joining.contains(leg.id)) leg.cause = Cause::conference;
    }
    std::move(ended.begin(), ended.end(), std::back_inserter(view.legs));
    out.seen.push_back({std::move(view), is_new});
  }

  void unseat_ended(const Record& record, const std::vector<call::Leg>& ended) {
    for (const call::Leg& leg : ended) {
      if (!legs.contains(leg.id) || legs.at(leg.id) != record.key) continue;
      Part part;
      part.leg = leg.id;
      part.party = leg.party;
      unseat(record, part);
    }
  }

  // Whoever we asked to hold does; from then on until nobody does.
  void decide_holder(Record& record, const std::vector<const CallEntry*>& sides) const {
    const bool held = std::any_of(sides.begin(), sides.end(), [](const CallEntry* it) {
      return it->progress == Progress::holding || it->progress == Progress::on_hold;
    });
    if (!held) return record.holder.clear();
    if (!record.holder.empty()) return;
    for (const Part& part : record.parts) {
      if (expects(part, Doing::hold)) record.holder = part.party.device.str();
    }
  }

  void decide_recording(Record& record, const std::vector<const CallEntry*>& sides) const {
    for (const CallEntry* it : sides) {
      if (it->recording) record.recording_listed = true;
    }
    if (record.recording_listed) {
      record.recording = std::any_of(sides.begin(), sides.end(), [](const CallEntry* it) {
        return it->recording.value_or(false);
      });
    }
    if (record.recording != true) return record.recorder.clear();
    const auto is_there =
        std::any_of(record.parts.begin(), record.parts.end(),
                    [&](const Part& part) { return part.party.device.str() == record.recorder; });
    if (!record.recorder.empty() && is_there) return;
    record.recorder.clear();
    for (const Part& part : record.parts) {
      if (part.party.kind != DeviceKind::extension) continue;
      if (record.recorder.empty() || expects(part, Doing::record)) {
        record.recorder = part.party.device.str();
      }
    }
  }

  call::CallView view_of(const Record& record, bool holder_unknown) const {
    call::CallView view;
    view.key = record.key;
    view.dialled = record.dialled;
    const Entry& first = entries.at(record.entries.front());
    if (!first.call.matter.empty()) view.data["cmc"] = first.call.matter;
    if (holder_unknown) view.data["hold"] = "unknown";
    for (const Part& part : record.parts) {
      call::Leg leg;
      leg.id = part.leg;
      leg.party = part.party;
      leg.role = part.role;
      leg.state = part.state;
      leg.recording = record.recording;
      if (record.recording == true) leg.recording = part.party.device.str() == record.recorder;
      view.legs.push_back(std::move(leg));
    }
    return view;
  }

  void end(Record& record, Output& out) {
    call::CallView view = std::move(record.told);
    view.key = record.key;
    view.legs.clear();
    for (const Part& part : record.parts) {
      call::Leg leg;
      leg.id = part.leg;
      leg.party = part.party;
      leg.role = part.role;
      view.legs.push_back(std::move(leg));
      unseat(record, part);
    }
    if (!view.legs.empty()) out.seen.push_back({std::move(view), false});
    records.erase(std::string(record.key));
  }
};

Calls::Calls(Options options, const Directory& directory)
    : impl_(std::make_unique<Impl>(options, directory)) {}
Calls::~Calls() = default;

Calls::Output Calls::on_list(Source source, const CallList& list, TimePoint now) {
  return impl_->take(source, list, now);
}

Calls::Output Calls::on_recording(const RecordingMark& mark) {
  Output out;
  const auto entry = impl_->entries.find(mark.id);
  if (entry == impl_->entries.end()) return out;
  Record& record = impl_->records.at(entry->second.key);
  if (record.recording_listed) return out;
  record.recording = mark.on;
  impl_->soil(record);
  impl_->rebuild_dirty([](const Record&) { return false; }, out);
  return out;
}

Calls::Output Calls::on_directory() {
  Output out;
  impl_->pairs.clear();
  for (const auto& [id, entry] : impl_->entries) {
    const std::string pair = impl_->pair_of(entry.call);
    if (!pair.empty()) impl_->pairs[pair].push_back(id);
  }
  for (auto& [key, record] : impl_->records) impl_->soil(record);
  impl_->rebuild_dirty([](const Record&) { return false; }, out);
  return out;
}

Calls::Output Calls::on_tick(TimePoint now) {
  Output out;
  std::vector<std::string> due;
  for (const std::string& id : impl_->missing) {
    if (*impl_->entries.at(id).missing + impl_->options.confirm_limit <= now) due.push_back(id);
  }
  for (const std::string& id : due) impl_->close(id, out);
  impl_->rebuild_dirty([](const Record&) { return false; }, out);
  return out;
}

TimePoint Calls::deadline() const {
  TimePoint first = TimePoint::max();
  for (const std::string& id : impl_->missing) {
    first = std::min(first, *impl_->entries.at(id).missing + impl_->options.confirm_limit);
  }
  return first;
}

std::vector<call::CallView> Calls::all() const {
  std::map<std::string_view, const Record*> sorted;
  for (const auto& [key, record] : impl_->records) {
    if (!record.told.legs.empty()) sorted.emplace(key, &record);
  }
  std::vector<call::CallView> views;
  views.reserve(sorted.size());
  for (const auto& [key, record] : sorted) views.push_back(record->told);
  return views;
}

void Calls::expect(const std::string& leg, Doing doing) { impl_->expected[leg] = doing; }
void Calls::forget(const std::string& leg) { impl_->expected.erase(leg); }

std::optional<Calls::Known> Calls::find(std::string_view leg) const {
  const auto place = impl_->legs.find(std::string(leg));
  if (place == impl_->legs.end()) return std::nullopt;
  const Record& record = impl_->records.at(place->second);
  const auto part = std::find_if(record.parts.begin(), record.parts.end(),
                                 [&](const Part& it) { return it.leg == leg; });
  if (part == record.parts.end() || record.entries.empty() || !is_live(part->state)) {
    return std::nullopt;
  }
  Known known{record.entries.front(),
              part->party.device.str(),
              {},
              record.key,
              part->role,
              part->state,
              {}};
  for (const std::string& id : record.entries) {
    const CallEntry& call = impl_->entries.at(id).call;
    if (std::find(call.extensions.begin(), call.extensions.end(), known.extension) !=
        call.extensions.end()) {
      known.id = id;
      break;
    }
  }
  if (record.parts.size() == 2) {
    known.peer = record.parts[&*part == &record.parts[0] ? 1 : 0].party.device.str();
  }
  if (record.recording) {
    known.recording = *record.recording && record.recorder == known.extension;
  }
  return known;
}

bool Calls::is_in(std::string_view extension, std::string_view key) const {
  const auto found = impl_->records.find(std::string(key));
  if (found == impl_->records.end()) return false;
  return std::any_of(found->second.parts.begin(), found->second.parts.end(), [&](const Part& it) {
    return it.party.device.str() == extension && it.state == ConnectionState::connected;
  });
}

bool Calls::is_talking(std::string_view extension) const {
  const auto found = impl_->at_number.find(std::string(extension));
  return found != impl_->at_number.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [&](const std::string& key) { return is_in(extension, key); });
}

std::size_t Calls::size() const { return impl_->records.size(); }

}  // namespace pbx::vodia
