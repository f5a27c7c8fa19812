#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/innovaphone/legs_impl.h"

// Calls that become one. A user with two calls connects their other ends and leaves: each of those
// is told that its peer is somebody else now, by whom (`ct`), and which of the two `conf` survives
// is not documented, nor whether one does.
namespace pbx::innovaphone {
namespace {

using call::Role;

bool has_caller(const Record& record, const Legs::Guid& without) {
  return std::any_of(record.parts.begin(), record.parts.end(),
                     [&](const Part& it) {
                       return it.live() && it.role == Role::calling && it.guid != without;
                     }) ||
         std::any_of(record.others.begin(), record.others.end(),
                     [](const Other& it) { return it.role == Role::calling; });
}

bool is_there(const Record& record, const call::Party& party) {
  return std::any_of(record.others.begin(), record.others.end(), [&](const Other& it) {
    return it.party.device == party.device && it.party.kind == party.kind;
  });
}

}  // namespace

bool Legs::Impl::names(const Connector& party, const Guid& guid) const {
  if (is_empty(party)) return false;
  const User* user = users.resolve(party);
  return user != nullptr && user->info.guid == guid;
}

// What does not come along ends where it was: the legs of whoever has joined them, and legs that
// only rang, which ring in the other call now, as new ones.
void Legs::Impl::bid_farewell(Record& from, const Guid& by, const std::string& into) {
  call::CallView last;
  last.key = from.key;
  last.dialled = from.dialled;
  const auto leave = [&](const std::string& id) {
    for (auto it = from.told.legs.begin(); it != from.told.legs.end(); ++it) {
      if (it->id != id) continue;
      call::Leg leg = std::move(*it);
      from.told.legs.erase(it);
      leg.state = call::ConnectionState::null;
      leg.cause = call::Cause::unspecified;
      leg.vendor_cause = {};
      last.legs.push_back(std::move(leg));
      return;
    }
  };
  for (std::size_t i = from.parts.size(); i > 0; --i) {
    Part& part = from.parts[i - 1];
    if (part.guid == by) {
      leave(part.id);
      erase(from, i - 1);
    } else if (part.live() && part.standing == Standing::alerting) {
      leave(part.id);
      legs.erase(part.id);
      part.id = into + "/" + part.guid;
      for (unsigned n = 2; legs.contains(part.id); ++n) {
        part.id = into + "/" + part.guid + "-" + std::to_string(n);
      }
    }
  }
  if (telling && !last.legs.empty()) farewells.push_back(std::move(last));
}

// Returns the one that goes on, which is the one that consumers will know the call by: where
// somebody is who called. `by`: who has joined them; empty: whoever is in both.
Record& Legs::Impl::join(Record& one, Record& other, const Guid& by) {
  Guid left = by;
  if (left.empty()) {
    for (const Part& part : one.parts) {
      if (find_part(other, part.guid, false) != nullptr) left = part.guid;
    }
  }
  const bool first = has_caller(one, left) || !has_caller(other, left);
  Record& into = first ? one : other;
  Record& from = first ? other : one;
  if (!left.empty()) {
    for (Part& part : into.parts) {
      if (part.guid != left || part.gone()) continue;
      part.end = {TimePoint::min(), true, true, call::Cause::transfer};
    }
    bid_farewell(from, left, into.key);
  }
  for (Part& part : from.parts) {
    legs[part.id] = into.key;
    auto& keys = at_user[part.guid];
    std::erase(keys, from.key);
    if (std::find(keys.begin(), keys.end(), into.key) == keys.end()) keys.push_back(into.key);
    for (const Handle& handle : part.handles) handles[handle].key = into.key;
  }
  std::move(from.parts.begin(), from.parts.end(), std::back_inserter(into.parts));
  std::move(from.others.begin(), from.others.end(), std::back_inserter(into.others));
  // What was told of its legs is told of them here from now on.
  std::move(from.told.legs.begin(), from.told.legs.end(), std::back_inserter(into.told.legs));
  into.others_made += from.others_made;
  into.rang.insert(from.rang.begin(), from.rang.end());
  for (const std::string& conf : from.confs) {
    into.confs.push_back(conf);
    confs[conf] = into.key;
  }
  if (into.hidden_until && !from.hidden_until) into.hidden_until.reset();
  waiting.erase(from.key);
  dirty.erase(from.key);
  records.erase(std::string(from.key));
  soil(into);
  return into;
}

// The call in which the part's new peer is, if that is another one; and who has brought them
// together.
Record* Legs::Impl::transferred_to(Record& record, const Part& part, Guid& by) {
  const User* peer = users.resolve(part.peer);
  if (peer != nullptr && find_part(record, peer->info.guid, true) != nullptr) return nullptr;
  const User* transferring = is_empty(part.by) ? nullptr : users.resolve(part.by);

  // Whose legs here have ended, or who says that they have.
  std::vector<Guid> suspects;
  if (transferring != nullptr && find_part(record, transferring->info.guid, false) != nullptr) {
    suspects.push_back(transferring->info.guid);
  }
  for (const Part& it : record.parts) {
    if (it.end && !it.end->known && it.guid != part.guid) suspects.push_back(it.guid);
  }
  const call::Party party = party_of(part.peer);
  for (const Guid& suspect : suspects) {
    const auto keys = at_user.find(suspect);
    if (keys == at_user.end()) continue;
    for (const std::string& key : keys->second) {
      if (key == record.key) continue;
      Record& candidate = records.at(key);
      const Part* its = find_part(candidate, suspect, false);
      const bool named = transferring != nullptr && transferring->info.guid == suspect;
      if (its == nullptr || (!its->end && !named)) continue;
      const bool fits = peer != nullptr ? find_part(candidate, peer->info.guid, true) != nullptr ||
                                              is_there(candidate, party)
                                        : is_there(candidate, party);
      if (!fits) continue;
      by = suspect;
      return &candidate;
    }
  }
  if (peer == nullptr) return nullptr;

  // Two who name each other, and nobody else in their calls is the one named.
  const auto keys = at_user.find(peer->info.guid);
  if (keys == at_user.end()) return nullptr;
  for (const std::string& key : keys->second) {
    if (key == record.key) continue;
    Record& candidate = records.at(key);
    const Part* its = find_part(candidate, peer->info.guid, true);
    if (its == nullptr || !names(its->peer, part.guid)) continue;
    if (find_part(candidate, part.guid, true) != nullptr) continue;
    if (is_empty(part.by) && is_empty(its->by) && !part.picking && !its->picking) continue;
    by.clear();
    return &candidate;
  }
  return nullptr;
}

Record& Legs::Impl::join_if_transferred(Record& record, const Guid& guid) {
  const Part* part = find_part(record, guid, true);
  if (part == nullptr || is_empty(part->peer)) return record;
  Guid by;
  Record* other = transferred_to(record, *part, by);
  return other == nullptr ? record : join(record, *other, by);
}

}  // namespace pbx::innovaphone
