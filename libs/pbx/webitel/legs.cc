#include "pbx/webitel/legs.h"

#include <algorithm>
#include <utility>

#include "pbx/webitel/causes.h"
#include "pbx/webitel/legs_impl.h"

// The story of a leg. It begins with `ringing`, in both directions, or with a row of a list. An
// outbound one dials, and so counts as connected, unless it was made by request: then it is its own
// phone that rings first, and `active` says that it was picked up. `progress` and `bridge` of an
// outbound leg are about its other end. `active` after `hold` is a retrieve; who is joined to whom
// stays as `bridge` said. `hangup` ends it, and nothing brings it back; a leg that a list lacks may
// come back, if a later list has it.
namespace pbx::webitel {
namespace {

using call::Cause;
using namespace std::chrono_literals;

// The table's own time of a row says that it is older; but not for longer than this.
constexpr auto kStaleMax = 10s;

bool is_of_state(LegEvent::Kind kind) {
  using enum LegEvent::Kind;
  return kind == ringing || kind == progress || kind == active || kind == bridge || kind == hold ||
         kind == hangup;
}

template <class T>
void fill(T& known, const T& told) {
  if (known == T{}) known = told;
}

// Whether what the row says of the leg's state is older than what an event has told since.
bool is_stale(const Node& node, const LegRow& row, TimePoint asked) {
  if (node.event_at == TimePoint::min()) return false;
  if (row.told_at > 0 && node.told_at > 0 && row.told_at != node.told_at) {
    return row.told_at < node.told_at && asked < node.event_at + kStaleMax;
  }
  return asked < node.event_at + kSettled;
}

}  // namespace

Legs::Legs(const Directory& directory) : impl_(std::make_unique<Impl>(directory)) {}
Legs::~Legs() = default;

Node* Legs::Impl::node_of(std::string_view id) const {
  auto it = nodes.find(id);
  if (it == nodes.end()) {
    const auto alias = aliases.find(id);
    if (alias == aliases.end()) return nullptr;
    it = nodes.find(alias->second);
    if (it == nodes.end()) return nullptr;
  }
  return it->second.get();
}

Node& Legs::Impl::add(const std::string& id, TimePoint) {
  Node& node = *(nodes[id] = std::make_unique<Node>());
  node.id = id;
  return node;
}

bool Legs::Impl::give(Node& node, const std::string& user) {
  if (user.empty() || !node.user.empty()) return false;
  node.user = user;
  by_user[user].push_back(&node);
  return true;
}

// ---- Events. ----

Legs::Output Legs::on_event(const LegEvent& event, TimePoint now) {
  impl_->take(event, now);
  return impl_->settle(now);
}

void Legs::Impl::take(const LegEvent& event, TimePoint now) {
  using enum LegEvent::Kind;
  if (event.id.empty() || !is_of_state(event.kind) || has_ended(event.id, true)) return;
  Node* known = node_of(event.id);
  if (event.kind == hangup) {
    if (known == nullptr)
      return remember(event.id, true, true, now);  // it ended before we knew of it
    Node& node = *known;
    const call::VendorCause vendor{event.cause, {}, event.sip};
    const Cause cause = cause_of(event.cause);
    const auto doing = expected(node, now);
    const bool answered = node.answered || node.joined;
    if (cause == Cause::transfer || !event.transfer_from.empty() || !event.transfer_to.empty()) {
      const std::string& to = event.transfer_from.empty() ? event.transfer_to : event.transfer_from;
      if (Node* partner = node_of(to); partner != nullptr && partner->group != node.group) {
        wants_list = true;
        return transfer(node, *partner, vendor, now);
      }
      // Where it did, it has been given a part in the transfer already.
      return end(node, node.parting != Cause::unspecified ? node.parting : Cause::transfer, vendor,
                 true, now);
    }
    if (!answered && role_of(node) == call::Role::called &&
        (cause == Cause::single_step_transfer || cause == Cause::redirected ||
         doing == Doing::deflect)) {
      wants_list = true;
      return end(node, Cause::redirected, vendor, true, now);
    }
    if (cause == Cause::call_pickup && !node.queue.empty()) {
      return end(node, Cause::distributed, vendor, true, now);
    }
    if (cause == Cause::single_step_transfer || (answered && doing == Doing::transfer)) {
      wants_list = true;
      return end(node, Cause::single_step_transfer, vendor, true, now);
    }
    // Who was called and said no is no failure of his own: it is the caller's.
    if (!answered && role_of(node) == call::Role::called && call::is_failure(cause)) {
      return end(node, Cause::normal_clearing, vendor, true, now);
    }
    // Somebody is left in the call of whom only a list tells.
    wants_list = wants_list || node.group->nodes.size() > 1;
    return end(node, cause, vendor, true, now);
  }

  if (known == nullptr) {
    if (nodes.size() >= kLegsMax) {
      ++left_out;
      return;
    }
    known = &add(event.id, now);
  }
  ended.erase(event.id);
  Node& node = *known;
  node.pbx_id = event.id;
  node.real = true;
  node.missed = 0;
  node.missing_since = TimePoint::max();
  fill(node.app_id, event.app_id);
  const bool anew = give(node, event.user);
  if (event.kind == ringing) {
    node.way = event.way;
    node.vague = false;
    node.destination = event.destination;
    node.from = event.from;
    node.to = event.to;
    node.originate = node.originate || event.originate;
    fill(node.parent, event.parent);
    fill(node.queue, event.queue);
    // Whom it calls may have no socket of his own.
    wants_list = wants_list || (node.way == Way::outbound && !node.originate);
  } else if (node.group == nullptr) {
    // Its beginning was lost: the list knows what it said.
    node.vague = true;
    wants_list = true;
  }
  if (node.group == nullptr) {
    seat(node);
  } else if (node.group != nullptr && event.kind == ringing) {
    join(node, now);
  }
  node.group->anew = node.group->anew || anew;

  // Two sockets may tell the same, one of them later.
  const bool old = event.told_at > 0 && node.told_at > 0 && event.told_at < node.told_at;
  const bool again = event.told_at == node.told_at && event.kind == node.last &&
                     event.told_at > 0 && node.event_at != TimePoint::min();
  if (old || again) return soil(*node.group);
  node.event_at = now;
  node.told_at = std::max(node.told_at, event.told_at);
  node.last = event.kind;
  switch (event.kind) {
    case progress: node.progress = node.progress || !node.originate || node.answered; break;
    case active:
      node.answered = true;
      node.held = false;
      break;
    case hold:
      node.answered = true;
      node.held = true;
      break;
    case bridge:
      node.answered = node.joined = true;
      node.held = false;
      if (event.to) node.peer = *event.to;
      if (!event.bridged.empty() && node.bridged != event.bridged) {
        node.bridged = event.bridged;
        if (node_of(event.bridged) == nullptr) wants_list = true;
      }
      join(node, now);
      break;
    default: break;
  }
  soil(*node.group);
}

// ---- Lists. ----

bool Legs::Impl::take(const LegRow& row, TimePoint asked, TimePoint now) {
  if (has_ended(row.id, true)) return false;
  Node* known = node_of(row.id);
  const bool over = row.step == Step::hangup || row.hangup_at > 0;
  if (over) {
    if (known != nullptr && known->real && !is_stale(*known, row, asked)) {
      end(*known, Cause::unspecified, {"hangup", {}, {}}, true, now);
    }
    return false;
  }
  if (const auto it = ended.find(row.id); it != ended.end()) {
    if (asked < it->second.at + kRevival) return false;
    ended.erase(it);
  }
  if (known == nullptr) {
    if (nodes.size() >= kLegsMax) {
      ++left_out;
      return false;
    }
    // The end of somebody's leg that was given one of ours, as long as it had none.
    Node* parent = row.user.empty() && !row.parent.empty() ? node_of(row.parent) : nullptr;
    Node* other = parent == nullptr ? nullptr : node_of(parent->id + "/to");
    if (other != nullptr && other->pbx_id.empty()) {
      known = other;
      aliases[row.id] = other->id;
    } else {
      known = &add(row.id, now);
    }
  }
  Node& node = *known;
  const bool first = !node.real;
  node.real = true;
  node.pbx_id = row.id;
  node.missed = 0;
  node.missing_since = TimePoint::max();
  node.asked = std::max(node.asked, asked);
  fill(node.app_id, row.app_id);
  fill(node.parent, row.parent);
  fill(node.destination, row.destination);
  fill(node.from, row.from);
  fill(node.to, row.to);
  fill(node.queue, row.queue);
  const bool anew = give(node, row.user);
  if (node.way == Way::unknown) node.way = row.way;
  node.vague = false;
  if (first && node.way == Way::outbound && row.answered_at == 0) {
    const auto it = made.find(node.user);
    if (row.step == Step::idle || (it != made.end() && now < it->second)) node.originate = true;
    if (it != made.end()) made.erase(it);
  }
  if (node.group == nullptr) seat(node);
  if (!is_stale(node, row, asked)) {
    const bool bridged = row.step == Step::bridge || row.bridged_at > 0 || !row.bridged.empty();
    node.answered = node.answered || bridged || row.answered_at > 0 || row.step == Step::active ||
                    row.step == Step::hold || row.step == Step::amd;
    node.joined = node.joined || bridged;
    if (row.step == Step::hold) node.held = true;
    if (row.step == Step::active || row.step == Step::bridge) node.held = false;
    if (row.step == Step::progress) node.progress = true;
    if (!row.bridged.empty() && row.bridged != node.bridged) node.bridged = row.bridged;
  }
  join(node, now);
  node.group->anew = node.group->anew || anew;
  soil(*node.group);
  return true;
}

Legs::Output Legs::on_own_legs(std::string_view user, const std::vector<LegRow>& rows,
                               TimePoint asked, TimePoint now) {
  std::unordered_set<std::string_view> shown;
  for (LegRow row : rows) {
    if (row.user.empty()) row.user = user;
    impl_->take(row, asked, now);
  }
  for (const LegRow& row : rows) shown.insert(row.id);
  std::vector<Node*> absent;
  if (const auto it = impl_->by_user.find(user); it != impl_->by_user.end()) {
    for (Node* node : it->second) {
      if (!node->real || shown.contains(node->pbx_id) || node->asked >= asked) continue;
      if (node->event_at != TimePoint::min() && asked < node->event_at + kSettled) continue;
      absent.push_back(node);
    }
  }
  impl_->end_absent(std::move(absent), now);
  return impl_->settle(now);
}

Legs::Output Legs::on_all_legs(const std::vector<LegRow>& rows, Coverage coverage, TimePoint asked,
                               TimePoint now) {
  std::unordered_set<std::string_view> shown;
  for (const LegRow& row : rows) {
    shown.insert(row.id);
    impl_->take(row, asked, now);
    if (Node* node = impl_->node_of(row.id)) node->listed = true;
  }
  std::vector<Node*> absent;
  for (auto& [id, each] : impl_->nodes) {
    Node& node = *each;
    if (!node.real || shown.contains(node.pbx_id) || node.asked >= asked) continue;
    if (impl_->is_over(node, coverage, asked)) absent.push_back(&node);
  }
  impl_->spare_those_that_wait(absent);
  impl_->end_absent(std::move(absent), now);
  if (coverage == Coverage::whole) impl_->end_unlisted(rows, now);
  return impl_->settle(now);
}

Legs::Output Legs::on_directory(TimePoint now) {
  for (auto& [key, group] : impl_->groups) impl_->soil(*group);
  return impl_->settle(now);
}

Legs::Output Legs::on_tick(TimePoint now) {
  if (impl_->wants_list_at <= now) {
    impl_->wants_list_at = TimePoint::max();
    impl_->wants_list = true;
  }
  impl_->expire(now);
  return impl_->settle(now);
}

void Legs::Impl::expire(TimePoint now) {
  while (!dues.empty() && dues.begin()->first <= now) {
    const std::string id = dues.begin()->second;
    dues.erase(dues.begin());
    if (Node* node = node_of(id); node != nullptr && node->group != nullptr) soil(*node->group);
  }
  std::erase_if(expectations, [&](const auto& it) { return it.second.until <= now; });
  std::erase_if(made, [&](const auto& it) { return it.second <= now; });
}

TimePoint Legs::deadline() const {
  const TimePoint due = impl_->dues.empty() ? TimePoint::max() : impl_->dues.begin()->first;
  return std::min(due, impl_->wants_list_at);
}

}  // namespace pbx::webitel
