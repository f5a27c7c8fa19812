#include "control/directory.h"

#include <algorithm>
#include <utility>

#include "wire/names.h"
#include "wire/token.h"

namespace control {
namespace {

using namespace pbxgw::v1;

constexpr std::string_view kTenantLease = "tenant.";
constexpr std::string_view kNamePrefix = "tenants/";

std::string token_of(const base::TenantId& tenant) { return wire::to_token(tenant.str()); }

}  // namespace

void Directory::put_tenant(std::string_view key, std::string_view bytes) {
  const auto id = wire::from_token(key);
  TenantRecord record;
  if (!id || !record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  // Whatever the record says: names are made from keys, so that find() and page() agree.
  record.mutable_tenant()->set_name(wire::tenant_name(base::TenantId(*id)));
  std::lock_guard lock(mutex_);
  records_.insert_or_assign(std::string(key), std::move(record));
}

void Directory::erase_tenant(std::string_view key) {
  std::lock_guard lock(mutex_);
  if (const auto it = records_.find(key); it != records_.end()) records_.erase(it);
}

void Directory::put_lease(std::string_view key, std::string_view holder, TimePoint now) {
  if (!key.starts_with(kTenantLease)) return;  // a member's
  // As bus::KvLeaseStore writes it: the owner's name, and what makes the holder unique.
  std::string owner(holder.substr(0, holder.rfind('/')));
  std::lock_guard lock(mutex_);
  leases_.insert_or_assign(std::string(key.substr(kTenantLease.size())),
                           Lease{std::move(owner), now});
}

void Directory::erase_lease(std::string_view key) {
  if (!key.starts_with(kTenantLease)) return;
  std::lock_guard lock(mutex_);
  if (const auto it = leases_.find(key.substr(kTenantLease.size())); it != leases_.end()) {
    leases_.erase(it);
  }
}

void Directory::retain_tenants(const std::set<std::string, std::less<>>& keys) {
  std::lock_guard lock(mutex_);
  std::erase_if(records_, [&](const auto& entry) { return !keys.contains(entry.first); });
}

void Directory::complete() {
  std::lock_guard lock(mutex_);
  complete_ = true;
}

void Directory::connected(bool is, TimePoint now) {
  std::lock_guard lock(mutex_);
  if (is && !connected_) connected_since_ = now;
  connected_ = is;
}

bool Directory::is_complete() const {
  std::lock_guard lock(mutex_);
  return complete_;
}

std::optional<TenantRecord> Directory::find(const base::TenantId& tenant, TimePoint now) const {
  const std::string token = token_of(tenant);
  std::lock_guard lock(mutex_);
  const auto it = records_.find(token);
  if (it == records_.end()) return std::nullopt;
  return described(token, it->second, now);
}

bool Directory::knows(const base::TenantId& tenant) const {
  const std::string token = token_of(tenant);
  std::lock_guard lock(mutex_);
  return records_.contains(token) || leases_.contains(token);
}

bool Directory::is_owned(const base::TenantId& tenant, TimePoint now) const {
  const std::string token = token_of(tenant);
  std::lock_guard lock(mutex_);
  return lease_of(token, now) != nullptr;
}

Directory::Page Directory::page(const std::string& after, std::size_t limit, TimePoint now,
                                const Wanted& wanted) const {
  std::string_view token = after;
  if (token.starts_with(kNamePrefix)) token.remove_prefix(kNamePrefix.size());
  Page page;
  std::lock_guard lock(mutex_);
  auto it = records_.upper_bound(token);
  for (; it != records_.end() && !page.more; ++it) {
    if (!wanted(base::TenantId(*wire::from_token(it->first)))) continue;
    page.more = page.records.size() == limit;
    if (!page.more) page.records.push_back(described(it->first, it->second, now));
  }
  return page;
}

std::vector<base::TenantId> Directory::tenants() const {
  std::vector<base::TenantId> ids;
  std::lock_guard lock(mutex_);
  ids.reserve(records_.size());
  for (const auto& [token, record] : records_) ids.emplace_back(*wire::from_token(token));
  return ids;
}

const Directory::Lease* Directory::lease_of(const std::string& token, TimePoint now) const {
  const auto it = leases_.find(token);
  if (it == leases_.end()) return nullptr;
  const TimePoint alive = std::max(it->second.heard, connected_since_);
  return connected_ && now - alive > lease_limit_ ? nullptr : &it->second;
}

TenantRecord Directory::described(const std::string& token, const TenantRecord& record,
                                  TimePoint now) const {
  TenantRecord result = record;
  Tenant& tenant = *result.mutable_tenant();
  const Lease* lease = lease_of(token, now);
  if (!lease) {
    tenant.clear_owner();
    tenant.clear_epoch();
    tenant.mutable_link()->set_state(LINK_STATE_UNOWNED);
    tenant.mutable_link()->clear_retry_time();
  } else if (tenant.owner() != lease->owner) {
    // Taken over just now: what the record says is the owner before's, and says nothing any more.
    tenant.set_owner(lease->owner);
    tenant.clear_epoch();
    LinkStatus& link = *tenant.mutable_link();
    link.set_state(LINK_STATE_CONNECTING);
    link.set_reason(LINK_REASON_UNSPECIFIED);
    link.set_detail("Taken over; the new owner has not reported yet.");
    link.clear_retry_time();
  }
  return result;
}

}  // namespace control
