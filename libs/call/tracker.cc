#include "call/tracker.h"

#include <algorithm>

#include <boost/container/small_vector.hpp>

#include "base/overloaded.h"
#include "call/telling.h"

namespace call {
namespace {

bool is_live(const Leg& leg) { return leg.state != ConnectionState::null; }

bool same(const Connection& connection, const Leg& leg) {
  const Aspects told = aspects_of(connection);
  return connection.leg == leg.id && connection.role == leg.role && told == aspects_of(leg, told) &&
         connection.party == leg.party;
}

// The usual case, and the one that has to be cheap: the PBX tells again what is known, in the same
// order.
bool same(const Call& call, const CallView& view) {
  return call.key == view.key && (view.dialled.empty() || call.dialled == view.dialled) &&
         std::equal(
             call.connections.begin(), call.connections.end(), view.legs.begin(), view.legs.end(),
             [](const Connection& connection, const Leg& leg) { return same(connection, leg); }) &&
         call.data == view.data;
}

// How much a leg tells about whose view it is in.
int weight_of(const Leg& leg) { return (is_live(leg) ? 2 : 0) + (leg.role == Role::calling) + 1; }

std::string call_id(std::uint64_t epoch, std::uint64_t number) {
  return "c" + std::to_string(epoch) + "-" + std::to_string(number);
}

// A leg of which there is nothing any more.
const Leg kGone;

}  // namespace

Tracker::Tracker(std::span<const Capability> capabilities, std::uint64_t epoch)
    : permissions_(capabilities) {
  book_.epoch = epoch;
}

void Tracker::restore(Book book) {
  if (book.epoch != book_.epoch) {
    book.epoch = book_.epoch;
    book.sequence = 0;
    book.calls_made = 0;
  }
  book_ = std::move(book);
  index_ = {};
  for (const auto& [id, device] : book_.devices) index_.seat(device);
  for (auto& [id, call] : book_.calls) {
    for (const Connection& connection : call.connections) {
      call.connections_made = std::max(call.connections_made, connection.number);
    }
    index_.open(call);
  }
  for (auto& [id, call] : book_.calls) {
    for (Connection& connection : call.connections) connection.allowed = allowed(id, connection);
  }
}

std::vector<Event> Tracker::apply(const Observation& seen, const Context& context) {
  Scribe scribe(book_, context, resync_ != 0 ? Origin::resync : Origin::live);
  std::visit(base::overloaded{
                 [&](const CallSeen& it) { see(it.call, scribe); },
                 [&](const CallsSeen& it) {
                   const auto round = ++round_;
                   for (const CallView& view : it.calls) see(view, scribe);
                   end_unseen_calls(round, scribe);
                 },
                 [&](const DeviceSeen& it) { see(it.device, scribe); },
                 [&](const DevicesSeen& it) {
                   const auto round = ++round_;
                   directory_seen_ = true;
                   for (const Device& device : it.devices) see(device, scribe);
                   end_unseen_devices(round, scribe);
                 },
             },
             seen);
  return scribe.take();
}

std::vector<Event> Tracker::link(LinkEvent link, const Context& context) {
  Scribe scribe(book_, context, Origin::live);
  scribe.link(std::move(link));
  return scribe.take();
}

void Tracker::begin_resync() {
  resync_ = ++round_;
  directory_seen_ = false;
}

std::vector<Event> Tracker::end_resync(const Context& context) {
  if (resync_ == 0) return {};
  Scribe scribe(book_, context, Origin::resync);
  end_unseen_calls(resync_, scribe);
  if (directory_seen_) end_unseen_devices(resync_, scribe);
  resync_ = 0;
  return scribe.take();
}

const Call* Tracker::find(const CallId& call) const {
  const auto found = book_.calls.find(call);
  return found == book_.calls.end() ? nullptr : &found->second;
}

const Device* Tracker::find(const DeviceId& device) const {
  const Desk* desk = index_.desk(device);
  return desk == nullptr ? nullptr : desk->device;
}

std::pair<const Call*, const Connection*> Tracker::find_leg(const std::string& leg) const {
  const Place place = index_.by_leg(leg);
  if (place.entry == nullptr) return {nullptr, nullptr};
  return {place.entry->call, find_connection(*place.entry->call, place.number)};
}

// nullptr if it is nobody's yet.
Entry* Tracker::owner_of(const CallView& view) const {
  Entry* owner = nullptr;
  int weight = 0;
  for (const Leg& leg : view.legs) {
    if (weight_of(leg) <= weight) continue;
    const Place place = index_.by_leg(leg.id);
    if (place.entry == nullptr) continue;
    owner = place.entry;
    weight = weight_of(leg);
    if (weight == 4) break;
  }
  return owner != nullptr || view.key.empty() ? owner : index_.by_key(view.key);
}

Entry& Tracker::open(const CallView& view, Time now) {
  const CallId id(call_id(book_.epoch, ++book_.calls_made));
  Call& call = book_.calls[id];
  call.id = id;
  call.key = view.key;
  call.direction = direction_of(Direction::internal, view.legs);
  call.dialled = view.dialled;
  call.data = view.data;
  call.created = now;
  return index_.open(call);
}

void Tracker::see(const CallView& view, Scribe& scribe) {
  Entry* entry = owner_of(view);
  if (entry == nullptr) {
    // What ended before we knew of it is not worth an event.
    if (std::none_of(view.legs.begin(), view.legs.end(),
                     [](const Leg& leg) { return is_live(leg) && !leg.id.empty(); })) {
      return;
    }
    entry = &open(view, scribe.now());
  }
  entry->seen = round_;
  if (!same(*entry->call, view)) see_changed(*entry, view, scribe);
}

void Tracker::see_changed(Entry& entry, const CallView& view, Scribe& scribe) {
  Call& call = *entry.call;

  // Who is who: `seen` goes with the connections, one leg for each, or nullptr if it is missing.
  boost::container::small_vector<const Leg*, 8> seen(call.connections.size(), nullptr);
  std::vector<const Leg*> fresh, moved, over;
  for (const Leg& leg : view.legs) {
    if (leg.id.empty()) continue;
    const Place place = index_.by_leg(leg.id);
    if (place.entry == &entry) {
      const auto at = find_connection(call, place.number) - call.connections.data();
      if (seen[at] == nullptr) seen[at] = &leg;
    } else if (place.entry != nullptr) {
      (is_live(leg) ? moved : over).push_back(&leg);
    } else if (is_live(leg)) {
      fresh.push_back(&leg);
    }
  }
  if (resync_ != 0 && !fresh.empty()) {
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (seen[i] != nullptr) continue;
      const Connection& connection = call.connections[i];
      const auto again = std::find_if(fresh.begin(), fresh.end(), [&](const Leg* leg) {
        return leg->role == connection.role && leg->party.device == connection.party.device &&
               leg->party.kind == connection.party.kind;
      });
      if (again == fresh.end()) continue;
      seen[i] = *again;
      fresh.erase(again);
    }
    const bool stranger =
        !seen.empty() && moved.empty() && !fresh.empty() &&
        std::all_of(seen.begin(), seen.end(), [](const Leg* leg) { return leg == nullptr; });
    if (stranger) {
      Telling(*this, entry, scribe).end_all();
      return see(view, scribe);
    }
  }

  // In the other calls first: they end before their legs come up here.
  for (const Leg* leg : over) {
    const Place place = index_.by_leg(leg->id);
    if (place.entry == nullptr) continue;  // named twice
    Telling telling(*this, *place.entry, scribe);
    telling.end(place.number, *leg, std::nullopt);
    telling.close_if_empty();
  }
  const auto talking = std::count_if(view.legs.begin(), view.legs.end(), [](const Leg& leg) {
    return leg.state == ConnectionState::connected || leg.state == ConnectionState::hold;
  });
  const CallEventType joined =
      talking >= 3 ? CallEventType::conferenced : CallEventType::transferred;
  std::erase_if(moved, [&](const Leg* leg) {
    const Place place = index_.by_leg(leg->id);
    if (place.entry == nullptr) return true;
    Telling telling(*this, *place.entry, scribe);
    telling.clear(place.number, {default_cause(joined), nullptr});
    telling.close_if_empty();
    return false;
  });
  if (view.key != call.key && !view.key.empty()) {
    Entry* absorbed = index_.by_key(view.key);
    if (absorbed != nullptr && absorbed != &entry) {
      Telling(*this, *absorbed, scribe).end_all({default_cause(joined), nullptr});
    }
  }

  Telling telling(*this, entry, scribe);
  telling.note(view);
  boost::container::small_vector<std::pair<unsigned, const Leg*>, 8> ended, changed;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    Connection& connection = call.connections[i];
    if (seen[i] != nullptr && is_live(*seen[i])) {
      telling.note(connection, *seen[i]);
      changed.emplace_back(connection.number, seen[i]);
    } else {
      ended.emplace_back(connection.number, seen[i] != nullptr ? seen[i] : &kGone);
    }
  }

  std::optional<Party> other;
  if (moved.size() + fresh.size() == 1) other = (moved.empty() ? fresh : moved).front()->party;
  for (const auto& [number, leg] : ended) {
    const Reason reason = reason_of(*leg);
    if (!moved.empty() && joined == CallEventType::transferred && is_transfer(reason.cause)) {
      telling.join(moved, joined, number, other);
      moved.clear();
      telling.clear(number, reason);
    } else {
      telling.end(number, *leg, other);
    }
  }
  if (!moved.empty()) telling.join(moved, joined, 0, std::nullopt);
  for (const auto& [number, leg] : changed) telling.change(number, *leg);
  std::stable_partition(fresh.begin(), fresh.end(),
                        [](const Leg* leg) { return leg->role == Role::calling; });
  for (const Leg* leg : fresh) {
    if (index_.by_leg(leg->id).entry == nullptr) telling.enter(*leg);
  }
  if (!telling.close_if_empty()) telling.tell_information();
}

void Tracker::end_unseen_calls(std::uint64_t since, Scribe& scribe) {
  std::vector<CallId> unseen;
  for (const auto& [id, call] : book_.calls) {
    if (index_.by_id(id)->seen < since) unseen.push_back(id);
  }
  for (const CallId& id : unseen) Telling(*this, *index_.by_id(id), scribe).end_all();
}

ServiceSet Tracker::allowed(const CallId& call, const Connection& connection) const {
  return allowed(call, connection, index_.desk(connection));
}

ServiceSet Tracker::allowed(const CallId& call, const Connection& connection,
                            const Desk* desk) const {
  const bool controllable =
      desk != nullptr && desk->device != nullptr && desk->device->controllable;
  bool paired = false;
  if (controllable && desk->places.size() > 1) {
    const auto wanted = connection.state == ConnectionState::hold ? ConnectionState::connected
                                                                  : ConnectionState::hold;
    paired = std::any_of(desk->places.begin(), desk->places.end(), [&](const Place& place) {
      return place.entry->call->id != call &&
             find_connection(*place.entry->call, place.number)->state == wanted;
    });
  }
  return permissions_.on(connection, controllable, paired);
}

void Tracker::allow_at(const Desk* desk) {
  if (desk == nullptr) return;
  for (const Place& place : desk->places) {
    Connection& connection = *find_connection(*place.entry->call, place.number);
    connection.allowed = allowed(place.entry->call->id, connection, desk);
  }
}

}  // namespace call
