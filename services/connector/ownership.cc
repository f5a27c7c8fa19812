#include "connector/ownership.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

namespace connector {
namespace {

// FNV-1a with a final mix: the same on every machine and in every release, which std::hash is not.
std::uint64_t hash_of(std::string_view member, std::string_view tenant) {
  std::uint64_t hash = 14695981039346656037ull;
  auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    hash = (hash ^ 0xff) * 1099511628211ull;
  };
  add(member);
  add(tenant);
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdull;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53ull;
  return hash ^ (hash >> 33);
}

// Weighted rendezvous (Wang et al.): a member of twice the weight comes first twice as often.
double score_of(std::string_view member, std::uint32_t weight, std::string_view tenant) {
  const double unit =
      (static_cast<double>(hash_of(member, tenant) >> 11) + 0.5) / 9007199254740992.0;
  return -static_cast<double>(weight) / std::log(unit);
}

}  // namespace

Ownership::Ownership(std::string self, std::uint32_t weight, Limits limits)
    : self_(std::move(self)), limits_(limits) {
  members_[self_] = {weight, false, TimePoint::max()};
}

bool Ownership::lives(const Member& member, TimePoint now) const {
  return member.seen == TimePoint::max() || now - member.seen < limits_.ttl;
}

bool Ownership::is_free(const Tenant& tenant, TimePoint now) const {
  return !tenant.owner || now - tenant.seen >= limits_.ttl;
}

void Ownership::member_seen(const std::string& member, std::uint32_t weight, bool draining,
                            TimePoint now) {
  if (member != self_) members_[member] = {weight, draining, now};
}

void Ownership::member_gone(const std::string& member, TimePoint) {
  if (member != self_) members_.erase(member);
}

void Ownership::lease_seen(const base::TenantId& tenant, const std::string& owner, TimePoint now) {
  auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return;
  found->second.owner = owner;
  found->second.seen = now;
}

void Ownership::lease_gone(const base::TenantId& tenant, TimePoint now) {
  auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return;
  found->second.owner.reset();
  found->second.seen = now;
}

void Ownership::wish_seen(const base::TenantId& tenant, const std::string& member,
                          std::set<std::string> pbxs, TimePoint now) {
  auto found = tenants_.find(tenant);
  if (found != tenants_.end()) found->second.wish = Wish{member, std::move(pbxs), now};
}

void Ownership::wish_gone(const base::TenantId& tenant) {
  auto found = tenants_.find(tenant);
  if (found != tenants_.end()) found->second.wish.reset();
}

void Ownership::linked(const base::TenantId& tenant, std::set<std::string> pbxs, TimePoint now) {
  auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return;
  // A PBX that was lost will be back soon, and most likely here.
  if (pbxs.empty() && !found->second.linked.empty()) {
    found->second.stays_until = now + limits_.settle;
  }
  found->second.linked = std::move(pbxs);
}

bool Ownership::wished_elsewhere(const base::TenantId& tenant, TimePoint now) const {
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return false;
  const Wish* wish = wish_of(found->second, now);
  return wish && wish->member != self_;
}

const Ownership::Wish* Ownership::wish_of(const Tenant& tenant, TimePoint now) const {
  return tenant.wish && now - tenant.wish->seen < limits_.ttl ? &*tenant.wish : nullptr;
}

// Whether all that is connected here waits at another connector by now: what is left here is only
// half open, or about to be replaced.
bool Ownership::has_moved(const Tenant& tenant, TimePoint now) const {
  const Wish* wish = wish_of(tenant, now);
  return wish && wish->member != self_ &&
         std::includes(wish->pbxs.begin(), wish->pbxs.end(), tenant.linked.begin(),
                       tenant.linked.end());
}

bool Ownership::is_pinned(const Tenant& tenant, TimePoint now) const {
  const Wish* wish = wish_of(tenant, now);
  return !tenant.linked.empty() || now < tenant.stays_until || (wish && wish->member == self_);
}

void Ownership::set_tenants(std::set<base::TenantId> configured, TimePoint now) {
  std::erase_if(tenants_, [&](const auto& entry) { return !configured.contains(entry.first); });
  for (const auto& tenant : configured) {
    tenants_.try_emplace(tenant, Tenant{.seen = now});
  }
}

void Ownership::held(const base::TenantId& tenant, bool held, TimePoint now) {
  auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return;
  found->second.held = held;
  found->second.owner = held ? std::optional(self_) : std::nullopt;
  found->second.seen = now;
  found->second.linked.clear();
  found->second.stays_until = {};
}

std::vector<std::string> Ownership::ranking(const base::TenantId& tenant, TimePoint now) const {
  std::vector<std::pair<double, std::string>> scores;
  for (const auto& [name, member] : members_) {
    if (lives(member, now) && !member.draining) {
      scores.emplace_back(score_of(name, member.weight, tenant.str()), name);
    }
  }
  std::sort(scores.begin(), scores.end(), std::greater<>());
  std::vector<std::string> names;
  for (auto& [score, name] : scores) names.push_back(std::move(name));
  return names;
}

Ownership::Plan Ownership::plan(TimePoint now) {
  std::vector<std::string> present;
  for (const auto& [name, member] : members_) {
    if (lives(member, now) && !member.draining) present.push_back(name);
  }
  if (present != last_members_) {
    last_members_ = std::move(present);
    members_since_ = now;
  }
  Plan plan;
  if (draining_) return plan;
  const bool settled = now - members_since_ >= limits_.settle;
  for (const auto& [id, tenant] : tenants_) {
    const auto order = ranking(id, now);
    const auto rank = std::find(order.begin(), order.end(), self_) - order.begin();
    if (tenant.held) {
      const bool for_balance = rank != 0 && settled && !is_pinned(tenant, now);
      if (for_balance || has_moved(tenant, now)) plan.let_go.push_back(id);
    } else if (const Wish* wish = wish_of(tenant, now)) {
      if (wish->member == self_ && is_free(tenant, now)) plan.take.push_back(id);
    } else if (is_free(tenant, now)) {
      // The one who should has had the time of `rank` leases to take it.
      if (rank == 0 || now - tenant.seen >= limits_.ttl * (1 + rank)) plan.take.push_back(id);
    }
  }
  return plan;
}

}  // namespace connector
