#include "pbx/vodia/calls.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "pbx/vodia/calls_impl.h"

namespace pbx::vodia {
namespace {

using call::ConnectionState;

// How much later the second side of a call may begin than the first.
constexpr std::int64_t kSideSpan = 2'000'000;  // µs
// How far an entry may have moved up in the list before it is looked for by its id.
constexpr std::size_t kLookAhead = 8;

bool are_sides(const CallEntry& one, const CallEntry& other) {
  if (!one.start || !other.start || one.extensions.empty() || other.extensions.empty()) {
    return false;
  }
  if (std::llabs(*one.start - *other.start) > kSideSpan) return false;
  return std::none_of(one.extensions.begin(), one.extensions.end(), [&](const auto& it) {
    return std::find(other.extensions.begin(), other.extensions.end(), it) !=
           other.extensions.end();
  });
}

}  // namespace

void Calls::Impl::soil(CallRecord& record) {
  if (record.dirty) return;
  record.dirty = true;
  dirty.push_back(record.key);
}

std::string Calls::Impl::pair_of(const CallEntry& call) const {
  const std::string from = own_number(directory, call.from.number);
  const std::string to = own_number(directory, call.to.number);
  if (from.empty() || to.empty() || !is_extension(directory, call, from) ||
      !is_extension(directory, call, to)) {
    return {};
  }
  return from + '\n' + to;
}

void Calls::Impl::leave_pair(const std::string& id, const CallEntry& call) {
  const auto found = pairs.find(pair_of(call));
  if (found == pairs.end()) return;
  std::erase(found->second, id);
  if (found->second.empty()) pairs.erase(found);
}

CallRecord* Calls::Impl::other_side(const CallEntry& call, const std::string& pair) {
  if (pair.empty()) return nullptr;
  const auto found = pairs.find(pair);
  if (found == pairs.end()) return nullptr;
  for (const std::string& id : found->second) {
    const ListEntry& candidate = entries.at(id);
    CallRecord& record = records.at(candidate.key);
    if (record.entries.size() == 1 && are_sides(candidate.call, call)) return &record;
  }
  return nullptr;
}

ListEntry& Calls::Impl::open(CallEntry call) {
  const std::string id = call.id;
  const std::string pair = pair_of(call);
  CallRecord* record = nullptr;
  if (const auto found = records.find(id); found != records.end()) {
    record = &found->second;  // its entry is back
  } else {
    record = other_side(call, pair);
  }
  if (record != nullptr && record->parts.empty() && !record->entries.empty() &&
      call.start < entries.at(record->entries.front()).call.start) {
    // Both are new, and this one is older: the call has its id.
    CallRecord renamed = std::move(*record);
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
  ListEntry& entry = entries[id];
  entry.call = std::move(call);
  entry.key = record->key;
  return entry;
}

void Calls::Impl::update(ListEntry& entry, CallEntry call) {
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

void Calls::Impl::close(const std::string& id, Output& out) {
  const auto found = entries.find(id);
  ListEntry& entry = found->second;
  for (std::size_t i = 0; i < kSources; ++i) {
    if (entry.round[i] != 0) --shown[i];
  }
  leave_pair(id, entry.call);
  CallRecord& record = records.at(entry.key);
  std::erase(record.entries, id);
  missing.erase(id);
  entries.erase(found);
  if (record.entries.empty()) {
    end(record, out);
  } else {
    soil(record);
  }
}

void Calls::Impl::saw(ListEntry& entry, std::size_t source) {
  if (entry.round[source] == 0) ++shown[source];
  entry.round[source] = rounds[source];
  if (!entry.missing) return;
  entry.missing.reset();
  missing.erase(entry.call.id);
}

Calls::Output Calls::Impl::take(Source kind, const CallList& list, TimePoint now) {
  Output out;
  const auto source = static_cast<std::size_t>(kind);
  const std::uint64_t round = ++rounds[source];
  std::vector<ListSlot>& before = slots[source];
  std::vector<ListSlot> current;
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
    ListEntry* entry = nullptr;
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

void Calls::Impl::settle(const std::vector<std::string>& absent, TimePoint now, Output& out) {
  Leaving leaving;
  for (const std::string& id : absent) ++leaving[entries.at(id).key];
  rebuild_dirty(leaving, out);
  for (const std::string& id : absent) {
    ListEntry& entry = entries.at(id);
    const CallRecord& record = records.at(entry.key);
    if (!options.confirm || entry.over || entry.missing || record.merged || is_expected(record)) {
      close(id, out);
      continue;
    }
    entry.missing = now;
    missing.insert(id);
    out.ask = true;
  }
  // A call that has lost one of its sides.
  rebuild_dirty({}, out);
}

void Calls::Impl::rebuild_dirty(const Leaving& leaving, Output& out) {
  for (const std::string& key : std::exchange(dirty, {})) {
    const auto found = records.find(key);
    if (found == records.end() || !found->second.dirty) continue;
    found->second.dirty = false;
    rebuild(found->second, leaving, out);
  }
}

bool Calls::Impl::is_expected(const CallRecord& record) const {
  if (expected.empty()) return false;
  return std::any_of(record.parts.begin(), record.parts.end(), [&](const Part& part) {
    const auto found = expected.find(part.leg);
    return found != expected.end() && found->second != Doing::hold &&
           found->second != Doing::record;
  });
}
bool Calls::Impl::expects(const Part& part, Doing doing) const {
  const auto found = expected.find(part.leg);
  return found != expected.end() && found->second == doing;
}

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
  CallRecord& record = impl_->records.at(entry->second.key);
  if (record.recording_listed) return out;
  record.recording = mark.on;
  impl_->soil(record);
  impl_->rebuild_dirty({}, out);
  return out;
}

Calls::Output Calls::on_holder(const std::string& key, const std::string& extension) {
  Output out;
  const auto found = impl_->records.find(key);
  // The next rebuilding forgets it if nobody holds any more.
  if (found == impl_->records.end() || !found->second.holder.empty()) return out;
  found->second.holder = extension;
  impl_->soil(found->second);
  impl_->rebuild_dirty({}, out);
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
  impl_->rebuild_dirty({}, out);
  return out;
}

Calls::Output Calls::on_tick(TimePoint now) {
  Output out;
  std::vector<std::string> due;
  for (const std::string& id : impl_->missing) {
    if (*impl_->entries.at(id).missing + impl_->options.confirm_limit <= now) due.push_back(id);
  }
  for (const std::string& id : due) impl_->close(id, out);
  impl_->rebuild_dirty({}, out);
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
  std::map<std::string_view, const CallRecord*> sorted;
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
  const CallRecord& record = impl_->records.at(place->second);
  const auto part = std::find_if(record.parts.begin(), record.parts.end(),
                                 [&](const Part& it) { return it.leg == leg; });
  if (part == record.parts.end() || record.entries.empty() ||
      part->state == ConnectionState::null) {
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
