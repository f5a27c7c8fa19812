#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "pbxgw/v1/command.pb.h"

namespace control {

// The tenants as their owners last described them, and who owns them: a live copy of two KV
// buckets, so that tenants can be listed while PBXs and connectors are down. DirectoryWatch feeds
// it. Any thread may ask; it lives as long as the process.
class Directory {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // A bucket forgets a lease that is not renewed without telling anybody: after `lease_limit`
  // without news it is over.
  explicit Directory(std::chrono::milliseconds lease_limit) : lease_limit_(lease_limit) {}

  // ---- For DirectoryWatch. ----

  void put_tenant(std::string_view key, std::string_view record);
  void erase_tenant(std::string_view key);
  void put_lease(std::string_view key, std::string_view holder, TimePoint now);
  void erase_lease(std::string_view key);
  // Forgets all other tenants.
  void retain_tenants(const std::set<std::string, std::less<>>& keys);
  // Everything that was there at the start has been put. It stays complete: what is missed while
  // NATS is away comes again.
  void complete();
  // While NATS is away no renewal can be heard, so leases do not run out then.
  void connected(bool is, TimePoint now);

  // ---- For everybody. ----

  bool is_complete() const;
  // The tenant with its present owner; nullopt if there is no record of it.
  std::optional<pbxgw::v1::TenantRecord> find(const base::TenantId& tenant, TimePoint now) const;
  // Whether any connector ever described or holds the tenant.
  bool knows(const base::TenantId& tenant) const;
  bool is_owned(const base::TenantId& tenant, TimePoint now) const;

  struct Page {
    std::vector<pbxgw::v1::TenantRecord> records;
    bool more = false;
  };
  // At most `limit` of the records that are `wanted`, in order of their names, from the first name
  // after `after`, or from the very first one if that is empty.
  using Wanted = std::function<bool(const base::TenantId&)>;
  Page page(const std::string& after, std::size_t limit, TimePoint now, const Wanted& wanted) const;
  // Of all tenants with a record, in order of their names.
  std::vector<base::TenantId> tenants() const;

 private:
  struct Lease {
    std::string owner;
    TimePoint heard;
  };
  const Lease* lease_of(const std::string& token, TimePoint now) const;
  pbxgw::v1::TenantRecord described(const std::string& token, const pbxgw::v1::TenantRecord& record,
                                    TimePoint now) const;

  const std::chrono::milliseconds lease_limit_;
  mutable std::mutex mutex_;
  bool complete_ = false;
  bool connected_ = false;
  TimePoint connected_since_{};
  // By token, which is also the order of names.
  std::map<std::string, pbxgw::v1::TenantRecord, std::less<>> records_;
  std::map<std::string, Lease, std::less<>> leases_;
};

}  // namespace control
