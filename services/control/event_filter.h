#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/ids.h"
#include "pbxgw/v1/events_service.pb.h"
#include "wire/status.h"

namespace control {

// What a watcher wants to see. Immutable once made.
class EventFilter {
 public:
  // Checks the request's parent and filters: the failure names the field.
  static std::optional<wire::Failure> check(const pbxgw::v1::WatchRequest& request);
  // Of a request that check() has nothing against.
  explicit EventFilter(const pbxgw::v1::WatchRequest& request);

  // nullopt: all tenants.
  const std::optional<base::TenantId>& tenant() const { return tenant_; }

  // A gap passes every filter: what was lost could have been of any kind.
  bool passes(const pbxgw::v1::Event& event) const;
  // The same for a snapshot. What wants_…() denies need not even be asked for.
  bool passes(const pbxgw::v1::Call& call) const;
  bool passes(const pbxgw::v1::Device& device) const;
  bool wants_calls() const { return wants(pbxgw::v1::EVENT_CLASS_CALL); }
  bool wants_devices() const { return wants(pbxgw::v1::EVENT_CLASS_DEVICE); }
  // With a single device, a snapshot can be asked for that one alone; empty: it cannot.
  std::string only_device() const;

  // Equal for equal filters, whatever the order and number of times things were given.
  const std::string& canonical() const { return canonical_; }

 private:
  bool wants(pbxgw::v1::EventClass one) const { return classes_.empty() || classes_.contains(one); }

  std::optional<base::TenantId> tenant_;
  std::set<std::string> devices_;
  std::set<int> classes_;
  std::set<int> call_types_;
  std::string canonical_;
};

}  // namespace control
