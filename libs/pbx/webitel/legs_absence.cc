#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

#include "pbx/webitel/legs_impl.h"

// What it means that a list lacks a leg.
namespace pbx::webitel {
namespace {

using call::Cause;
using namespace std::chrono_literals;

// What a socket tells may be so much later than what lists show; and so much sooner than that
// another list is wanted, since reading one takes a moment.
constexpr std::chrono::milliseconds kPatience = 1s, kAhead = 250ms;

const call::VendorCause kNotListed{"not in the list of calls", {}, {}};

}  // namespace

bool Legs::Impl::is_over(Node& node, Coverage coverage, TimePoint asked) {
  const bool has_socket = is_watched(node.user);
  // A list may show permitted rows only.
  if (coverage == Coverage::cut || (!node.listed && has_socket)) return false;
  if (asked < node.event_at) return false;
  if (++node.missed < (coverage == Coverage::whole ? 1u : 2u)) return false;
  TimePoint sure = node.event_at == TimePoint::min() ? asked : node.event_at + kSettled;
  if (has_socket) {  // and is about to say why
    node.missing_since = std::min(node.missing_since, asked);
    sure = std::max(sure, node.missing_since + kPatience);
  }
  if (asked >= sure) return true;
  wants_list_at = std::min(wants_list_at, sure - kAhead);
  return false;
}

void Legs::Impl::spare_those_that_wait(std::vector<Node*>& candidates) const {
  const std::unordered_set<const Node*> over(candidates.begin(), candidates.end());
  std::erase_if(candidates, [&](const Node* candidate) {
    const auto& nodes_there = candidate->group->nodes;
    return std::any_of(nodes_there.begin(), nodes_there.end(), [&](const Node* it) {
      return it->missing_since != TimePoint::max() && !over.contains(it);
    });
  });
}

// One of ours would be listed; and whoever is called for somebody who was joined to a leg that is
// not listed, has taken its place.
void Legs::Impl::end_unlisted(const std::vector<LegRow>& rows, TimePoint now) {
  std::unordered_set<std::string_view> listed, parents;
  for (const LegRow& row : rows) {
    if (row.step == Step::hangup || row.hangup_at > 0) continue;
    listed.insert(row.id);
    if (!row.parent.empty()) parents.insert(row.parent);
  }
  const auto is_ours = [&](const End& end) {
    return party_of(end).kind == call::DeviceKind::extension;
  };
  for (const LegRow& row : rows) {
    if (!listed.contains(row.id)) continue;
    if (!row.parent.empty() && !listed.contains(row.parent) && is_ours(row.from)) {
      end_other_end(row.parent, now);
    }
    if (row.bridged.empty() || listed.contains(row.bridged)) continue;
    End dialled;
    dialled.number = row.destination;
    const End& other = row.way == Way::inbound ? row.from : row.to ? *row.to : dialled;
    if (is_ours(other) || parents.contains(row.id)) end_other_end(row.bridged, now);
  }
}

void Legs::Impl::end_other_end(const std::string& id, TimePoint now) {
  Node* node = node_of(id);
  if (node != nullptr && node->real) return;  // what lists lack is ended elsewhere
  if (node != nullptr) end(*node, node->parting, kNotListed, false, now);
  // The next list may have it all the same.
  remember(id, false, true, now - kRevival);
}

// A list does not say why. Who left a call that goes on with somebody else has transferred it.
void Legs::Impl::end_absent(std::vector<Node*> candidates, TimePoint now) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Node* a, const Node* b) { return a->id < b->id; });
  const std::unordered_set<const Node*> gone(candidates.begin(), candidates.end());
  // Both legs of a transfer of ours, which need not show whom it has joined.
  Node* joins = nullptr;
  for (Node* node : candidates) {
    if (node->parting != Cause::unspecified || expected(*node, now) != Doing::join) continue;
    if (joins == nullptr) {
      joins = node;
    } else if (joins->group != node->group && joins->user == node->user) {
      const bool older = joins->group->order < node->group->order;
      joins->parting = older ? Cause::transfer : Cause::normal_clearing;
      node->parting = older ? Cause::normal_clearing : Cause::transfer;
      merge(*joins->group, *node->group);
      break;
    }
  }
  std::vector<std::pair<Node*, Cause>> causes;
  for (Node* node : candidates) {
    Cause cause = node->parting;
    const auto doing = expected(*node, now);
    const bool answered = node->answered || node->joined;
    if (cause == Cause::unspecified && doing == Doing::deflect && !answered) {
      cause = Cause::redirected;
    } else if (cause == Cause::unspecified && doing == Doing::transfer && answered) {
      cause = Cause::single_step_transfer;
    } else if (cause == Cause::unspecified && answered && node->joined) {
      const Node* partner = node_of(node->bridged);
      const bool goes_on = partner != nullptr && partner->real && !gone.contains(partner);
      const bool elsewhere =
          goes_on &&
          ((!partner->bridged.empty() && partner->bridged != node->pbx_id) ||
           std::any_of(node->group->nodes.begin(), node->group->nodes.end(), [&](const Node* it) {
             return it != node && it->parent == partner->pbx_id && it->real && !gone.contains(it);
           }));
      if (elsewhere) cause = Cause::single_step_transfer;
    }
    causes.emplace_back(node, cause);
  }
  for (const auto& [node, cause] : causes) end(*node, cause, kNotListed, false, now);
}

}  // namespace pbx::webitel
