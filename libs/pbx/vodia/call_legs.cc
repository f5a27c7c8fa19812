#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/vodia/calls_impl.h"

namespace pbx::vodia {
namespace {

using call::Cause;
using call::ConnectionState;
using call::DeviceKind;
using call::Role;

// Which part each wanted one is; -1 if it is new.
std::vector<int> match(const std::vector<Part>& parts, const std::vector<Wanted>& wanted) {
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

}  // namespace

void Calls::Impl::seat(const CallRecord& record, const Part& part) {
  legs[part.leg] = record.key;
  if (!part.party.device.empty()) at_number[part.party.device.str()].push_back(record.key);
}
void Calls::Impl::unseat(const CallRecord& record, const Part& part) {
  legs.erase(part.leg);
  const auto found = at_number.find(part.party.device.str());
  if (found == at_number.end()) return;
  const auto it = std::find(found->second.begin(), found->second.end(), record.key);
  if (it != found->second.end()) found->second.erase(it);
  if (found->second.empty()) at_number.erase(found);
}

std::string Calls::Impl::new_leg(const CallRecord& record, const Wanted& wanted) const {
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

std::optional<Part> Calls::Impl::take_moved(const CallRecord& record, const Wanted& wanted,
                                            const Leaving& leaving) {
  const auto found = at_number.find(wanted.party.device.str());
  if (found == at_number.end()) return std::nullopt;
  for (const std::string& key : found->second) {
    if (key == record.key) continue;
    CallRecord& other = records.at(key);
    const auto lacked = leaving.find(key);
    if (lacked == leaving.end() || lacked->second != other.entries.size()) continue;
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

Cause Calls::Impl::cause_of_leaving(const Part& part, const std::vector<Wanted>& added,
                                    bool answered, bool still_called) const {
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

void Calls::Impl::rebuild(CallRecord& record, const Leaving& leaving, Output& out) {
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
      if (auto moved = take_moved(record, wanted, leaving)) part = std::move(*moved);
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

  if (now.holder_unknown && !record.doubted) {
    record.doubted = true;
    Doubt doubt{record.key, record.entries.front(), {}};
    for (const Part& part : record.parts) {
      if (part.party.kind == DeviceKind::extension) {
        doubt.extensions.push_back(part.party.device.str());
      }
    }
    out.doubts.push_back(std::move(doubt));
  }

  call::CallView view = view_of(record, now.holder_unknown);
  if (view == record.told && ended.empty()) return;
  record.told = view;
  for (call::Leg& leg : view.legs) {
    if (joining.contains(leg.id)) leg.cause = Cause::conference;
  }
  std::move(ended.begin(), ended.end(), std::back_inserter(view.legs));
  out.seen.push_back({std::move(view), is_new});
}

void Calls::Impl::unseat_ended(const CallRecord& record, const std::vector<call::Leg>& ended) {
  for (const call::Leg& leg : ended) {
    if (!legs.contains(leg.id) || legs.at(leg.id) != record.key) continue;
    Part part;
    part.leg = leg.id;
    part.party = leg.party;
    unseat(record, part);
  }
}

void Calls::Impl::decide_holder(CallRecord& record,
                                const std::vector<const CallEntry*>& sides) const {
  const bool held = std::any_of(sides.begin(), sides.end(), [](const CallEntry* it) {
    return it->progress == Progress::holding || it->progress == Progress::on_hold;
  });
  if (!held) {
    record.doubted = false;
    return record.holder.clear();
  }
  if (!record.holder.empty()) return;
  for (const Part& part : record.parts) {
    if (expects(part, Doing::hold)) record.holder = part.party.device.str();
  }
}

void Calls::Impl::decide_recording(CallRecord& record,
                                   const std::vector<const CallEntry*>& sides) const {
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

call::CallView Calls::Impl::view_of(const CallRecord& record, bool holder_unknown) const {
  call::CallView view;
  view.key = record.key;
  view.dialled = record.dialled;
  const ListEntry& first = entries.at(record.entries.front());
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

void Calls::Impl::end(CallRecord& record, Output& out) {
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

}  // namespace pbx::vodia
