#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "pbx/webitel/legs_impl.h"

// What is one call, who is at its other end, and how legs leave it.
namespace pbx::webitel {
namespace {

using call::Cause;
using call::ConnectionState;
using call::Role;
using namespace std::chrono_literals;

constexpr std::size_t kEndedMax = 20'000;
// Somebody outside who was transferred: his next partner is seen within this.
constexpr auto kOrphanPatience = 5s;

bool is_up(const Node& node) { return node.answered || node.joined; }

// Whether `node` points to the party as to its other end.
bool points_to(const Node& node, const Node& other) {
  if (other.owner == node.id) return true;
  if (other.pbx_id.empty()) return false;
  if (!node.bridged.empty()) return node.bridged == other.pbx_id;
  return node.parent == other.pbx_id;
}

}  // namespace

bool Legs::Impl::has_ended(std::string_view id, bool surely) const {
  const auto it = ended.find(id);
  return it != ended.end() && (it->second.sure || !surely);
}

std::optional<Legs::Doing> Legs::Impl::expected(const Node& node, TimePoint now) const {
  const auto it = expectations.find(node.id);
  if (it == expectations.end() || it->second.until <= now) return std::nullopt;
  return it->second.doing;
}

// Who has left is not at the other end of anybody, though a leg may say so for a while. Of one that
// was ours nobody has said that it left.
bool Legs::Impl::can_be_placed(std::string_view id) const {
  if (node_of(id) != nullptr) return false;
  const auto it = ended.find(id);
  return it == ended.end() || !it->second.real;
}

void Legs::Impl::remember(const std::string& id, bool sure, bool real, TimePoint now) {
  const auto [it, is_new] = ended.try_emplace(id, Ended{now, sure, real});
  if (!is_new) {
    it->second = {now, sure || it->second.sure, real || it->second.real};
    return;
  }
  ended_order.push_back(id);
  if (ended_order.size() > kEndedMax) {
    ended.erase(ended_order.front());
    ended_order.pop_front();
  }
}

void Legs::Impl::seat(Node& node) {
  Group* group = nullptr;
  for (const std::string* id : {&node.parent, &node.bridged}) {
    const Node* other = id->empty() ? nullptr : node_of(*id);
    if (other != nullptr && other != &node && other->group != nullptr) {
      group = other->group;
      break;
    }
  }
  // Its parent may have left the call that it is still named after.
  std::string key = node.parent.empty() ? node.id : node.parent;
  if (group == nullptr) {
    if (const auto it = groups.find(key); it != groups.end()) group = it->second.get();
  }
  if (group == nullptr) {
    group = (groups[key] = std::make_unique<Group>()).get();
    group->key = std::move(key);
    group->order = ++orders;
  }
  node.group = group;
  group->nodes.push_back(&node);
  if (group->dialled.empty()) group->dialled = node.destination;
  if (group->queue.empty()) group->queue = node.queue;
  soil(*group);
}

// Where it points to another call, the two are one.
void Legs::Impl::join(Node& node, TimePoint now) {
  // A trunk's own row may be older than what is joined to it.
  if (Node* other = node.joined ? node_of(node.bridged) : nullptr;
      other != nullptr && other->real && other->user.empty()) {
    other->answered = other->joined = true;
  }
  if (node.group->dialled.empty()) node.group->dialled = node.destination;
  if (node.group->queue.empty()) node.group->queue = node.queue;
  for (const std::string* id : {&node.parent, &node.bridged}) {
    Node* other = id->empty() ? nullptr : node_of(*id);
    if (other == nullptr || other == &node || other->group == nullptr ||
        other->group == node.group) {
      continue;
    }
    if (id == &node.bridged && other->real && node.real) {
      // Both were joined to somebody before: to one and the same, if this is an attended transfer.
      Node *first = nullptr, *second = nullptr;
      for (Node* one : node.group->nodes) {
        if (one == &node || one->user.empty() || !is_up(*one)) continue;
        for (Node* two : other->group->nodes) {
          if (two == other || two->user != one->user || !is_up(*two)) continue;
          first = one;
          second = two;
        }
      }
      // They have left, each out of its own call, although the PBX is still to say so.
      if (first != nullptr) {
        const bool older = node.group->order < other->group->order;
        const call::VendorCause vendor{"ATTENDED_TRANSFER", {}, {}};
        end(older ? *first : *second, Cause::transfer, vendor, true, now);
        end(older ? *second : *first, Cause::normal_clearing, vendor, true, now);
      }
    }
    merge(*node.group, *other->group);
  }
}

Group& Legs::Impl::merge(Group& one, Group& other) {
  Group& into = one.order < other.order ? one : other;
  Group& from = &into == &one ? other : one;
  for (Node* node : from.nodes) {
    node->group = &into;
    into.nodes.push_back(node);
  }
  std::move(from.ended.begin(), from.ended.end(), std::back_inserter(into.ended));
  if (into.dialled.empty()) into.dialled = from.dialled;
  if (into.queue.empty()) into.queue = from.queue;
  into.anew = into.anew || from.anew;
  soil(into);
  groups.erase(std::string(from.key));
  return into;
}

// `own` leaves, and its partner is joined to `partner`, whose own partner is another leg of the
// same user: that one leaves as well, each out of its own call.
void Legs::Impl::transfer(Node& own, Node& partner, const call::VendorCause& vendor,
                          TimePoint now) {
  Group &mine = *own.group, &theirs = *partner.group;
  const bool older = mine.order < theirs.order;
  Node* other = nullptr;
  for (Node* node : theirs.nodes) {
    if (node != &partner && !node->user.empty() && node->user == own.user) other = node;
  }
  const bool first = older || other == nullptr;
  end(own, first ? Cause::transfer : Cause::normal_clearing, vendor, true, now);
  if (other != nullptr) {
    end(*other, first ? Cause::normal_clearing : Cause::transfer, vendor, true, now);
  }
  merge(mine, theirs);
}

void Legs::Impl::end(Node& node, Cause cause, const call::VendorCause& vendor, bool sure,
                     TimePoint now) {
  Group& group = *node.group;
  call::Leg leg = leg_of(node);
  leg.cause = cause;
  leg.vendor_cause = vendor;
  // The caller hears that nobody answers: a failure, though its name is none of a failure.
  if (cause == Cause::call_not_answered && leg.role == Role::calling && !node.joined &&
      !node.vague && node.real) {
    call::CallView view = view_of(group);
    for (call::Leg& each : view.legs) {
      if (each.id != node.id) continue;
      each.state = ConnectionState::fail;
      each.cause = cause;
      each.vendor_cause = vendor;
    }
    std::move(group.ended.begin(), group.ended.end(), std::back_inserter(view.legs));
    group.ended.clear();
    before.push_back({std::move(view)});
  }
  leg.state = ConnectionState::null;
  group.ended.push_back(std::move(leg));
  for (Node* other : group.nodes) {
    if (other != &node && !other->real && points_to(node, *other)) other->parting = cause;
  }
  if (!node.pbx_id.empty()) remember(node.pbx_id, sure, sure || node.real, now);
  if (node.id != node.pbx_id) remember(node.id, sure, sure || node.real, now);
  remove(node);
}

void Legs::Impl::remove(Node& node) {
  Group& group = *node.group;
  std::erase(group.nodes, &node);
  soil(group);
  if (const auto it = by_user.find(node.user); it != by_user.end()) {
    std::erase(it->second, &node);
    if (it->second.empty()) by_user.erase(it);
  }
  if (node.due != TimePoint::max()) dues.erase({node.due, node.id});
  if (!node.pbx_id.empty() && node.pbx_id != node.id) aliases.erase(node.pbx_id);
  expectations.erase(node.id);
  nodes.erase(std::string(node.id));
}

// Brings all calls that were touched to what their legs now say.
Legs::Output Legs::Impl::settle(TimePoint now) {
  // A transferring leg whose own end is still to be told has left all the same: the parties that
  // it joined talk to each other.
  for (std::size_t i = 0; i < dirty.size(); ++i) {
    const auto it = groups.find(dirty[i]);
    if (it == groups.end()) continue;
    Group& group = *it->second;
    std::vector<Node*> leaving;
    for (Node* node : group.nodes) {
      if (node->real && node->parting != Cause::unspecified) leaving.push_back(node);
    }
    for (Node* node : leaving) {
      end(*node, node->parting, {"ATTENDED_TRANSFER", {}, {}}, false, now);
    }
    place_other_ends(group);
    end_unneeded(group, now);
  }

  Output out = std::exchange(before, {});
  for (const std::string& key : std::exchange(dirty, {})) {
    const auto it = groups.find(key);
    if (it == groups.end()) continue;
    Group& group = *it->second;
    group.dirty = false;
    call::CallView view = view_of(group);
    const bool anew = std::exchange(group.anew, false);
    const bool changed = anew || !(view == group.told) || !group.ended.empty();
    const bool empty = view.legs.empty() && group.told.legs.empty();
    group.told = view;
    if (changed && !(empty && group.ended.empty())) {
      std::move(group.ended.begin(), group.ended.end(), std::back_inserter(view.legs));
      group.ended.clear();
      out.push_back({std::move(view)});
    }
    group.ended.clear();
    if (group.nodes.empty()) groups.erase(it);
  }
  return out;
}

// Gives each user's leg the other end that the PBX shows no leg for.
void Legs::Impl::place_other_ends(Group& group) {
  const std::vector<Node*> present = group.nodes;
  for (Node* node : present) {
    if (!node->real || node->user.empty() || node->vague) continue;
    if (role_of(*node) == Role::calling) {
      place_called(*node);
    } else {
      place_caller(*node);
    }
  }
}

void Legs::Impl::place_caller(Node& node) {
  const auto place = [&](const std::string& id, const std::string& pbx_id, Role role,
                         const End& who) {
    Node& other = *(nodes[id] = std::make_unique<Node>());
    other.id = id;
    other.pbx_id = pbx_id;
    other.peer = who;
    other.role = role;
    if (pbx_id.empty()) other.owner = node.id;
    other.state = role == Role::calling ? ConnectionState::connected : ConnectionState::alerting;
    other.group = node.group;
    node.group->nodes.push_back(&other);
  };
  const std::string from_id = node.id + "/from";
  Node* given = node_of(from_id);
  if (!node.bridged.empty() && can_be_placed(node.bridged)) {
    if (given != nullptr && given->pbx_id.empty()) {
      given->pbx_id = node.bridged;
      aliases[node.bridged] = given->id;
      return;
    }
    const bool is_caller = node.parent.empty() || node.bridged == node.parent;
    const bool named = !node.peer.number.empty() && !is_caller;
    place(node.bridged, node.bridged, is_caller ? Role::calling : Role::called,
          named || node.from.number.empty() ? node.peer : node.from);
    return;
  }
  if (!node.bridged.empty() && node.bridged != node.parent) return;
  if (!node.parent.empty()) {
    if (can_be_placed(node.parent)) {
      place(node.parent, node.parent, Role::calling, node.from);
    }
    return;
  }
  if (given == nullptr && node.bridged.empty() && node.group->nodes.size() == 1) {
    place(from_id, {}, Role::calling, node.from);
  }
}

void Legs::Impl::place_called(Node& node) {
  // Somebody's child: what it calls, the parent's call shows.
  if (!node.parent.empty() && node_of(node.parent) != nullptr) return;
  const std::string to_id = node.id + "/to";
  Node* given = node_of(to_id);
  const auto is_child = [&](const Node* it) {
    return it != &node && it != given && it->real && it->parent == node.pbx_id;
  };
  const bool has_child = std::any_of(node.group->nodes.begin(), node.group->nodes.end(), is_child);
  const auto place = [&](const std::string& id) -> Node& {
    Node& other = *(nodes[id] = std::make_unique<Node>());
    other.id = id;
    other.owner = node.id;
    other.role = Role::called;
    other.peer = node.to && !node.to->number.empty() ? *node.to : End{};
    if (other.peer.number.empty()) other.peer.number = node.destination;
    other.group = node.group;
    node.group->nodes.push_back(&other);
    return other;
  };
  if (!node.bridged.empty() && can_be_placed(node.bridged)) {
    if (given != nullptr && given->pbx_id.empty()) {
      given->pbx_id = node.bridged;
      aliases[node.bridged] = given->id;
    } else {
      given = &place(node.bridged);
      given->pbx_id = node.bridged;
      given->owner.clear();
    }
    if (!node.peer.number.empty()) given->peer = node.peer;
  } else if (given == nullptr && !has_child && node.bridged.empty() && !has_ended(to_id, false)) {
    const bool heard = node.progress || node.joined || (node.answered && !node.originate);
    const bool outside = !node.destination.empty() && !directory.by_extension(node.destination);
    if (heard && outside) given = &place(to_id);
  }
  // What was dialled was a group's number, and somebody of ours rings for it.
  if (given != nullptr && !given->real && has_child && given->owner == node.id) {
    given->parting = Cause::redirected;
    given->owner.clear();
  }
  if (given == nullptr || given->real) return;
  const bool talks = node.joined || (node.answered && !node.originate);
  if (given->state != ConnectionState::connected) {
    given->state = talks ? ConnectionState::connected : ConnectionState::alerting;
  }
}

void Legs::Impl::end_unneeded(Group& group, TimePoint now) {
  const std::vector<Node*> present = group.nodes;
  for (Node* node : present) {
    if (node->real) continue;
    const bool needed = std::any_of(group.nodes.begin(), group.nodes.end(), [&](const Node* it) {
      return it->real && points_to(*it, *node);
    });
    if (node->due != TimePoint::max()) dues.erase({node->due, node->id});
    const TimePoint due = std::exchange(node->due, TimePoint::max());
    if (needed) {
      node->parting = Cause::unspecified;
      continue;
    }
    const bool waits = call::is_transfer(node->parting) ||
                       (node->role == Role::calling && call::is_diversion(node->parting));
    if (waits && now < due) {
      node->due = due != TimePoint::max() ? due : now + kOrphanPatience;
      dues.emplace(node->due, node->id);
      continue;
    }
    Cause cause = node->parting;
    // Why somebody's leg has failed is no reason of the other end's.
    if (call::is_failure(cause) || waits) cause = Cause::unspecified;
    end(*node, cause, {}, false, now);
  }
}

}  // namespace pbx::webitel
