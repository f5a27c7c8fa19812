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
//
// Where it is the PBXs that dial, they decide: the connector that one of them has reached has to be
// the owner. It makes a wish, which all see, and for as long as that is fresh
//
//   held, and what is connected here is also what waits there  → let go, at once: it has moved
//   held, and another PBX is connected here                    → keep: the one there has to come
//   free, wished by this one                                   → take, whatever the ranking says
//   free, wished by another                                    → leave it
//
// A tenant whose PBX is connected here, or was a moment ago, is not let go for balance.
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
  // The last wish counts, and for `ttl`; this one's own as well, once the bucket has it.
  void wish_seen(const base::TenantId& tenant, const std::string& member,
                 std::set<std::string> pbxs, TimePoint now);
  void wish_gone(const base::TenantId& tenant);

  void set_tenants(std::set<base::TenantId> configured, TimePoint now);
  // This connector holds `tenant` from now on, or no longer.
  void held(const base::TenantId& tenant, bool held, TimePoint now);
  // Which PBXs of a tenant that is held are connected to this connector now.
  void linked(const base::TenantId& tenant, std::set<std::string> pbxs, TimePoint now);
  // Whether somebody else's wish for it is fresh.
  bool wished_elsewhere(const base::TenantId& tenant, TimePoint now) const;
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
  struct Wish {
    std::string member;
    std::set<std::string> pbxs;
    TimePoint seen;
  };
  struct Tenant {
    bool held = false;
    std::optional<std::string> owner{};  // by the last lease seen
    TimePoint seen{};                    // when it was seen, or gone
    std::optional<Wish> wish{};
    std::set<std::string> linked{};  // PBXs connected here
    TimePoint stays_until{};         // after the last of them has gone
  };
  const Wish* wish_of(const Tenant& tenant, TimePoint now) const;  // null if none is fresh
  bool has_moved(const Tenant& tenant, TimePoint now) const;
  bool is_pinned(const Tenant& tenant, TimePoint now) const;
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
