#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"

namespace connector {

// Decides which tenants this connector should hold. Pure: what it sees of the others goes in, with
// the time; what to do comes out. Whether a lease is really had, only the CAS on the KV bucket
// decides; this only says when to try.
//
// Tenants are shared out by weighted rendezvous hashing: each connector ranks all live ones for
// each tenant in the same way, without talking, and a connector that comes or goes moves only its
// share.
//
//   wanted, free                 → take
//   wanted, held by another      → wait: it sees the same ranking and will let go
//   held, no longer wanted       → let go, once the set of connectors has been the same for
//   `settle` free for long, not wanted    → take all the same: whoever wants it does not seem able
//   to
class Ownership {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::milliseconds;

  struct Limits {
    Duration ttl{10'000};  // of leases and memberships
    Duration settle{10'000};
  };
  Ownership(std::string self, std::uint32_t weight, Limits limits);

  // What the bucket of leases says. A member or lease that is not renewed for `ttl` counts as gone.
  void member_seen(const std::string& member, std::uint32_t weight, bool draining, TimePoint now);
  void member_gone(const std::string& member, TimePoint now);
  void lease_seen(const base::TenantId& tenant, const std::string& owner, TimePoint now);
  void lease_gone(const base::TenantId& tenant, TimePoint now);

  void set_tenants(std::set<base::TenantId> configured, TimePoint now);
  // This connector holds `tenant` from now on, or no longer.
  void held(const base::TenantId& tenant, bool held, TimePoint now);
  // Takes nothing any more; the owner lets go of everything itself.
  void drain() { draining_ = true; }

  struct Plan {
    std::vector<base::TenantId> take;
    std::vector<base::TenantId> let_go;
  };
  Plan plan(TimePoint now);

  // The live members in the order in which they should hold `tenant`: the first should.
  std::vector<std::string> ranking(const base::TenantId& tenant, TimePoint now) const;

 private:
  struct Member {
    std::uint32_t weight;
    bool draining;
    TimePoint seen;
  };
  struct Tenant {
    bool held = false;
    std::optional<std::string> owner;  // by the last lease seen
    TimePoint seen{};                  // when it was seen, or gone
  };
  bool lives(const Member& member, TimePoint now) const;
  bool is_free(const Tenant& tenant, TimePoint now) const;

  std::string self_;
  Limits limits_;
  bool draining_ = false;
  std::map<std::string, Member> members_;
  std::map<base::TenantId, Tenant> tenants_;
  std::vector<std::string> last_members_;  // as at the last plan
  TimePoint members_since_{};
};

}  // namespace connector
