#include <algorithm>
#include <utility>

#include "pbx/webitel/legs_impl.h"

// Who takes part, and in which state.
namespace pbx::webitel {

using call::ConnectionState;
using call::DeviceKind;
using call::Role;

call::Role Legs::Impl::role_of(const Node& node) const {
  if (!node.real) return node.role;
  if (node.user.empty()) {
    // A trunk's: what the switch dialled, or what came in.
    return !node.parent.empty() || node.way == Way::outbound ? Role::called : Role::calling;
  }
  if (node.way == Way::unknown) return node.parent.empty() ? Role::calling : Role::called;
  return node.way == Way::outbound ? Role::calling : Role::called;
}

call::Party Legs::Impl::party_of(const End& end) const {
  const Person* person = nullptr;
  if (end.type == "user" && !end.id.empty()) person = directory.by_user(end.id);
  if (person == nullptr || person->extension.empty()) person = directory.by_extension(end.number);
  if (person != nullptr) {
    return {person->extension, DeviceKind::extension, person->extension.str(), person->name};
  }
  return {call::DeviceId(end.number), DeviceKind::outside, end.number, end.name};
}

call::Party Legs::Impl::party_of(const Node& node) const {
  const Person* person = node.user.empty() ? nullptr : directory.by_user(node.user);
  if (person != nullptr && !person->extension.empty()) {
    return {person->extension, DeviceKind::extension, person->extension.str(), person->name};
  }
  End end;
  if (!node.real) {
    end = node.peer;
  } else if (role_of(node) == Role::calling) {
    end = node.from;
  } else if (node.to && !node.to->number.empty()) {
    end = *node.to;
  } else {
    end.number = node.destination;
  }
  call::Party party = party_of(end);
  // One of ours, of whom the directory does not tell an extension.
  if (!node.user.empty()) party.kind = DeviceKind::extension;
  return party;
}

call::ConnectionState Legs::Impl::state_of(const Node& node) const {
  if (!node.real) return node.state;
  if (node.held) return ConnectionState::hold;
  const bool up = node.answered || node.joined;
  if (role_of(node) == Role::called) {
    return up ? ConnectionState::connected : ConnectionState::alerting;
  }
  return node.originate && !up ? ConnectionState::initiated : ConnectionState::connected;
}

call::Leg Legs::Impl::leg_of(const Node& node) const {
  call::Leg leg;
  leg.id = node.id;
  leg.party = party_of(node);
  leg.role = role_of(node);
  leg.state = state_of(node);
  leg.recording = std::nullopt;  // the PBX says so afterwards only
  return leg;
}

call::CallView Legs::Impl::view_of(const Group& group) const {
  call::CallView view;
  view.key = group.key;
  view.dialled = group.dialled;
  if (!group.queue.empty()) view.data["queue"] = group.queue;
  for (const Node* node : group.nodes) {
    if (!node->vague) view.legs.push_back(leg_of(*node));
  }
  std::stable_partition(view.legs.begin(), view.legs.end(),
                        [](const call::Leg& leg) { return leg.role == Role::calling; });
  return view;
}

}  // namespace pbx::webitel
