#include "pbx/innovaphone/legs.h"

#include <algorithm>
#include <utility>

#include "pbx/innovaphone/legs_impl.h"

namespace pbx::innovaphone {
namespace {

using call::ConnectionState;
using call::Role;

// Of a call that goes round.
constexpr std::size_t kRangMax = 256;
constexpr std::size_t kBuriedMax = 10'000;

const Connector* party_in(const std::vector<Connector>& no, std::string_view type) {
  const auto found =
      std::find_if(no.begin(), no.end(), [&](const Connector& it) { return it.type == type; });
  return found == no.end() ? nullptr : &*found;
}

bool over(const CallInfo& info) {
  const auto low = low_of(info.state);
  return info.del || low == Low::disc_sent || low == Low::disc_received;
}

Role role_of(const CallInfo& info) {
  return (info.state & kIncoming) != 0 ? Role::called : Role::calling;
}

}  // namespace

// ---- Which call.

Record& Legs::Impl::open(const std::string& conf, const Handle& handle, TimePoint now) {
  std::string key = conf;
  if (key.empty()) {
    key = "p" + std::to_string(handle.link) + "-" + std::to_string(handle.user) + "-" +
          std::to_string(handle.call);
  }
  Record& record = records[key];
  record.key = key;
  if (conf.empty()) {
    record.hidden_until = now + options.patience;
    waiting.insert(key);
  } else {
    record.confs.push_back(conf);
    confs[conf] = key;
  }
  return record;
}

// A provisional call gets its name; its legs too, if nobody knows them yet.
Record& Legs::Impl::rename(Record& record, const std::string& conf) {
  const std::string before = record.key;
  auto node = records.extract(before);
  node.key() = conf;
  Record& renamed = records.insert(std::move(node)).position->second;
  renamed.key = conf;
  renamed.hidden_until.reset();
  renamed.confs.push_back(conf);
  confs[conf] = conf;
  for (Part& part : renamed.parts) {
    legs.erase(part.id);
    if (renamed.told.legs.empty()) part.id = conf + "/" + part.guid;
    legs[part.id] = conf;
    std::replace(at_user[part.guid].begin(), at_user[part.guid].end(), before, conf);
    for (const Handle& handle : part.handles) handles[handle].key = conf;
  }
  waiting.erase(before);
  dirty.erase(before);
  return renamed;
}

Record& Legs::Impl::record_of(const Handle& handle, const Guid&, const CallInfo& info,
                              TimePoint now) {
  const auto named = confs.find(info.conf);
  Record* named_record =
      info.conf.empty() || named == confs.end() ? nullptr : &records.at(named->second);
  const auto place = handles.find(handle);
  if (place == handles.end() || place->second.key.empty()) {
    return named_record != nullptr ? *named_record : open(info.conf, handle, now);
  }
  Record& record = records.at(place->second.key);
  if (info.conf.empty() || named_record == &record) return record;
  if (named_record != nullptr) return join(*named_record, record, {});
  if (record.hidden_until) return rename(record, info.conf);
  // The same call under another name, as after a transfer.
  record.confs.push_back(info.conf);
  confs[info.conf] = record.key;
  return record;
}

// ---- Whose part in it.

Part* Legs::Impl::find_part(Record& record, const Guid& guid, bool live) const {
  for (Part& part : record.parts) {
    if (part.guid == guid && (live ? part.live() : !part.gone())) return &part;
  }
  return nullptr;
}

Part& Legs::Impl::part_of(Record& record, const Handle& handle, const Guid& guid,
                          const CallInfo& info) {
  const bool parked = low_of(info.state) == Low::parked;
  for (Part& part : record.parts) {
    if (part.guid != guid || part.gone()) continue;
    // It ends at the user, and waits where it is parked.
    if (parked && part.end) continue;
    const bool holds =
        std::find(part.handles.begin(), part.handles.end(), handle) != part.handles.end();
    if (!holds && part.role != role_of(info) && !part.end && !parked) continue;
    if (!holds) {
      // Another device of the user's rings, or it has come back.
      if (!over(info)) part.end.reset();
      part.handles.push_back(handle);
      handles[handle] = {record.key, guid};
    }
    part.stale = false;
    return part;
  }

  Part& part = record.parts.emplace_back();
  ++parts;
  part.guid = guid;
  part.role = role_of(info);
  const User* user = users.find(guid);
  // It may have been shown as somebody who is not watched.
  const auto other = std::find_if(record.others.begin(), record.others.end(), [&](const Other& it) {
    return user != nullptr && !user->id.empty() && it.party.device == user->id &&
           it.party.kind != call::DeviceKind::outside;
  });
  if (other != record.others.end()) {
    part.id = other->id;
    record.others.erase(other);
  } else {
    part.id = record.key + "/" + guid;
  }
  for (unsigned i = 2; legs.contains(part.id); ++i) {
    part.id = record.key + "/" + guid + "-" + std::to_string(i);
  }
  part.prompted = made.contains(handle) && part.role == Role::called;
  if (part.prompted) part.role = Role::calling;
  if (const Connector* from = party_in(info.no, "leg2")) part.diverted = *from;
  if (party_in(info.no, "picking") != nullptr) {
    part.picking = true;
    part.role = Role::called;
  }
  part.handles.push_back(handle);
  handles[handle] = {record.key, guid};
  legs[part.id] = record.key;
  auto& keys = at_user[guid];
  if (std::find(keys.begin(), keys.end(), record.key) == keys.end()) keys.push_back(record.key);
  return part;
}

void Legs::Impl::drop(const Handle& handle, Part& part) {
  std::erase(part.handles, handle);
  made.erase(handle);
  handles.erase(handle);
}

void Legs::Impl::bury(const Handle& handle, const std::string& conf) {
  if (!buried.insert_or_assign(handle, conf).second) return;
  buried_first.push_back(handle);
  if (buried_first.size() <= kBuriedMax) return;
  buried.erase(buried_first.front());
  buried_first.pop_front();
}

// Takes a part out that has ended and was told. Its handles may still say something.
void Legs::Impl::erase(Record& record, std::size_t index) {
  Part part = std::move(record.parts[index]);
  record.parts.erase(record.parts.begin() + static_cast<std::ptrdiff_t>(index));
  --parts;
  for (const Handle& handle : part.handles) handles[handle].key.clear();
  legs.erase(part.id);
  const bool again = std::any_of(record.parts.begin(), record.parts.end(),
                                 [&](const Part& it) { return it.guid == part.guid; });
  const auto keys = at_user.find(part.guid);
  if (again || keys == at_user.end()) return;
  std::erase(keys->second, record.key);
  if (keys->second.empty()) at_user.erase(keys);
}

// ---- What it says.

// Whether the part has another end now.
bool Legs::Impl::take(Part& part, const Handle& handle, const CallInfo& info, TimePoint now) {
  // Of several devices that ring, the last one's end is the leg's, and the first one's answer.
  const bool others_left = part.handles.size() > 1;
  if (over(info) && others_left) {
    if (info.del) {
      drop(handle, part);
    } else {
      std::erase(part.handles, handle);
      handles[handle].key.clear();
    }
    return false;
  }
  const auto low = low_of(info.state);
  if (others_left && part.answered && low < Low::connected) return false;

  if (info.cause) {
    part.cause = info.cause;
    part.cause_text = info.cause_text;
  }
  bool moved = false;
  const Connector* ct = party_in(info.no, "ct");
  if (ct != nullptr || info.msg.ends_with("-ct")) {
    moved = true;
    if (ct != nullptr) part.by = *ct;
  }
  if (!is_empty(info.peer)) {
    Connector peer = info.peer;
    peer.type.clear();
    if (peer != part.peer) {
      if (moved) part.other.clear();
      part.peer = std::move(peer);
      moved = true;
    }
  }
  if (party_in(info.no, "picking") != nullptr) part.picking = true;
  // Whom it leaves behind is told too where that is: only an end is one by parking.
  if (party_in(info.no, "parked-to") != nullptr && over(info) && part.doing == Doing::nothing) {
    part.doing = Doing::park;
  }
  const bool sent_on = party_in(info.no, "xfer") != nullptr;
  if (sent_on && part.doing == Doing::nothing) part.doing = Doing::single_step;

  const Past past{part.role, part.answered, !is_empty(part.peer), part.cause && *part.cause != 16,
                  part.prompted};
  const Standing next = standing_of(info.state, past);
  if (low == Low::connected && !info.del) part.answered = true;
  part.peer_holds = (info.state & kHeldByPeer) != 0 || info.msg == "r-held";
  part.peer_rings = low == Low::alert && (part.role == Role::calling || part.answered);

  if (info.del || is_over(next) || (sent_on && low != Low::parked)) {
    // What the last message repeats of the state is no news.
    finish(part, next, info.del && !is_over(next) && !part.end, now);
  } else if (next != Standing::unchanged &&
             !(next == Standing::hidden && part.standing == Standing::alerting)) {
    part.standing = next;
    part.rang = part.rang || next == Standing::alerting;
  }
  if (info.del) drop(handle, part);
  return moved;
}

void Legs::Impl::finish(Part& part, Standing next, bool bare, TimePoint now) {
  if (part.end) return;
  part.end = {now + options.patience, bare, false, call::Cause::unspecified};
  const bool rang = part.role == Role::called && !part.answered;
  const bool doubtful =
      part.doing != Doing::clear &&
      (bare || part.doing != Doing::nothing || (rang && part.standing == Standing::alerting));
  // Refused at the phone: nothing failed there, and the caller is told.
  const bool refused = rang && next == Standing::ended_by_user && part.cause &&
                       call::is_failure(call::cause_of_q850(*part.cause));
  if (refused) part.end->cause = call::Cause::normal_clearing;
  part.end->known = refused || !doubtful || part.standing == Standing::failed ||
                    part.standing == Standing::hidden;
}

// ---- The session's.

Legs::Legs(Options options, const Users& users) : impl_(std::make_unique<Impl>(options, users)) {}
Legs::~Legs() = default;

Legs::Views Legs::on_call(const Handle& handle, const Guid& guid, const CallInfo& info,
                          TimePoint now) {
  if (const auto buried = impl_->buried.find(handle); buried != impl_->buried.end()) {
    const bool begins = low_of(info.state) == Low::setup;
    if (info.conf.empty() ? !begins : info.conf == buried->second) return {};
  }
  if (info.del) impl_->bury(handle, info.conf);
  const auto place = impl_->handles.find(handle);
  const bool known = place != impl_->handles.end() && !place->second.key.empty();
  if (!known) {
    // The last words of what has ended; and what we never knew.
    if (over(info)) {
      if (info.del && place != impl_->handles.end()) impl_->handles.erase(place);
      return {};
    }
    if (impl_->parts >= kLegsMax || impl_->handles.size() >= 2 * kLegsMax) return {};
  }
  Record* record = &impl_->record_of(handle, guid, info, now);
  Part& part = impl_->part_of(*record, handle, guid, info);
  const bool moved = impl_->take(part, handle, info, now) || !known;
  if (const Connector* where = party_in(info.no, "parked-to")) record->parked = *where;
  if (part.rang && record->rang.size() < kRangMax) record->rang.insert(guid);
  if (record->dialled.empty() && part.role == Role::calling) {
    record->dialled = !part.peer.e164.empty() ? part.peer.e164 : part.peer.h323;
  }
  impl_->soil(*record);
  if (moved) impl_->join_if_transferred(*record, guid);
  return impl_->flush(now);
}

Legs::Views Legs::on_tick(TimePoint now) {
  for (const std::string& key : impl_->waiting) impl_->dirty.insert(key);
  return impl_->flush(now);
}

TimePoint Legs::deadline() const {
  TimePoint first = TimePoint::max();
  for (const std::string& key : impl_->waiting) {
    const Record& record = impl_->records.at(key);
    if (record.hidden_until) first = std::min(first, *record.hidden_until);
    for (const Part& part : record.parts) {
      if (part.end && !part.end->known) first = std::min(first, part.end->due);
    }
  }
  return first;
}

Legs::Views Legs::on_user_gone(const Guid& guid, TimePoint now) {
  const auto keys = impl_->at_user.find(guid);
  if (keys == impl_->at_user.end()) return {};
  for (const std::string& key : keys->second) {
    Record& record = impl_->records.at(key);
    for (Part& part : record.parts) {
      if (part.guid == guid) part.end = {now, false, true, call::Cause::unspecified};
    }
    impl_->soil(record);
  }
  return impl_->flush(now);
}

Legs::Views Legs::on_users() {
  for (const auto& [key, record] : impl_->records) impl_->dirty.insert(key);
  return impl_->flush(TimePoint::min());
}

void Legs::on_link_lost(LinkId link) {
  for (auto it = impl_->handles.begin(); it != impl_->handles.end();) {
    if (it->first.link != link) {
      ++it;
      continue;
    }
    if (!it->second.key.empty()) {
      for (Part& part : impl_->records.at(it->second.key).parts) {
        if (std::erase(part.handles, it->first) > 0 && part.handles.empty()) part.stale = true;
      }
    }
    impl_->made.erase(it->first);
    it = impl_->handles.erase(it);
  }
}

Legs::Views Legs::confirm(LinkId link, TimePoint now) {
  for (auto& [key, record] : impl_->records) {
    for (Part& part : record.parts) {
      const User* user = impl_->users.find(part.guid);
      if (!part.stale || (user != nullptr && user->link && *user->link != link)) continue;
      if (user != nullptr && !user->link) continue;  // its own PBX is still away
      part.end = {now, false, true, call::Cause::unspecified};
      impl_->soil(record);
    }
  }
  return impl_->flush(now);
}

std::size_t Legs::legs_of(const Guid& guid) const {
  const auto keys = impl_->at_user.find(guid);
  if (keys == impl_->at_user.end()) return 0;
  std::size_t count = 0;
  for (const std::string& key : keys->second) {
    for (const Part& part : impl_->records.at(key).parts) {
      count += part.guid == guid && !part.stale && part.live();
    }
  }
  return count;
}

Legs::Views Legs::begin() {
  impl_->telling = true;
  for (const auto& [key, record] : impl_->records) impl_->dirty.insert(key);
  return impl_->flush(TimePoint::min());
}

void Legs::expect_made(const Handle& handle) {
  if (impl_->made.size() < kLegsMax) impl_->made.insert(handle);
}

void Legs::expect(const std::string& leg, Doing doing) {
  const auto key = impl_->legs.find(leg);
  if (key == impl_->legs.end()) return;
  for (Part& part : impl_->records.at(key->second).parts) {
    if (part.id == leg) part.doing = doing;
  }
}

void Legs::forget(const std::string& leg) { expect(leg, Doing::nothing); }

std::optional<Legs::Known> Legs::find(std::string_view leg) const {
  const auto key = impl_->legs.find(std::string(leg));
  if (key == impl_->legs.end()) return std::nullopt;
  const Record& record = impl_->records.at(key->second);
  const auto part = std::find_if(record.parts.begin(), record.parts.end(),
                                 [&](const Part& it) { return it.id == leg; });
  if (part == record.parts.end() || part->gone()) return std::nullopt;
  const auto told = std::find_if(record.told.legs.begin(), record.told.legs.end(),
                                 [&](const call::Leg& it) { return it.id == leg; });
  Known known{part->handles.empty() ? Handle{} : part->handles.front(), part->guid, record.key,
              part->role, told == record.told.legs.end() ? ConnectionState::null : told->state};
  return known;
}

std::string Legs::leg_of(const Handle& handle) const {
  const auto place = impl_->handles.find(handle);
  if (place == impl_->handles.end() || place->second.key.empty()) return {};
  for (const Part& part : impl_->records.at(place->second.key).parts) {
    if (std::find(part.handles.begin(), part.handles.end(), handle) != part.handles.end()) {
      return part.id;
    }
  }
  return {};
}

void Legs::count(const Guid& guid, unsigned& talking, unsigned& holding) const {
  talking = holding = 0;
  const auto keys = impl_->at_user.find(guid);
  if (keys == impl_->at_user.end()) return;
  for (const std::string& key : keys->second) {
    for (const Part& part : impl_->records.at(key).parts) {
      if (part.guid != guid || part.gone()) continue;
      talking += part.standing == Standing::connected || part.standing == Standing::initiated ||
                 part.standing == Standing::failed;
      holding += part.standing == Standing::held;
    }
  }
}

std::size_t Legs::size() const { return impl_->records.size(); }

}  // namespace pbx::innovaphone
