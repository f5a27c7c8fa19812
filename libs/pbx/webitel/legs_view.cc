#include <algorithm>
#include <utility>

#include "pbx/webitel/legs_impl.h"

// Who takes part, and in which state; and what others are told of it.
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

// ---- What others ask. ----

void Legs::set_watched(std::string_view user, bool is_watched) {
  if (is_watched) {
    impl_->watched.emplace(user);
  } else {
    impl_->watched.erase(std::string(user));
  }
}

void Legs::expect(std::string_view leg, Doing doing, TimePoint until) {
  const Node* node = impl_->node_of(leg);
  if (node != nullptr) impl_->expectations[node->id] = {doing, until};
}
void Legs::expect_none(std::string_view leg) {
  const Node* node = impl_->node_of(leg);
  if (node != nullptr) impl_->expectations.erase(node->id);
}
void Legs::expect_made(std::string_view user, TimePoint until) {
  impl_->made[std::string(user)] = until;
}

std::optional<Legs::Known> Legs::find(std::string_view leg) const {
  const Node* node = impl_->node_of(leg);
  if (node == nullptr || node->pbx_id.empty() || node->group == nullptr) return std::nullopt;
  Known known{};
  known.id = node->pbx_id;
  known.app_id = node->app_id;
  known.user = node->user;
  if (const Person* person = impl_->directory.by_user(node->user)) {
    known.extension = person->extension.str();
  }
  known.key = node->group->key;
  known.bridged = node->bridged;
  known.role = impl_->role_of(*node);
  known.state = impl_->state_of(*node);
  known.originate = node->originate;
  known.answered = node->answered || node->joined;
  return known;
}

std::vector<std::string> Legs::of_user(std::string_view user) const {
  std::vector<std::string> ids;
  const auto it = impl_->by_user.find(user);
  if (it == impl_->by_user.end()) return ids;
  for (const Node* node : it->second) ids.push_back(node->pbx_id);
  return ids;
}

std::vector<call::ConnectionState> Legs::states_of(std::string_view user) const {
  std::vector<call::ConnectionState> states;
  const auto it = impl_->by_user.find(user);
  if (it == impl_->by_user.end()) return states;
  for (const Node* node : it->second) {
    if (!node->vague) states.push_back(impl_->state_of(*node));
  }
  return states;
}

std::vector<call::CallView> Legs::all() const {
  std::vector<const Group*> groups;
  for (const auto& [key, group] : impl_->groups) {
    if (!group->told.legs.empty()) groups.push_back(group.get());
  }
  std::sort(groups.begin(), groups.end(),
            [](const Group* a, const Group* b) { return a->order < b->order; });
  std::vector<call::CallView> views;
  for (const Group* group : groups) views.push_back(group->told);
  return views;
}

bool Legs::wants_list() { return std::exchange(impl_->wants_list, false); }
std::size_t Legs::size() const { return impl_->nodes.size(); }
std::size_t Legs::left_out() const { return impl_->left_out; }

}  // namespace pbx::webitel
