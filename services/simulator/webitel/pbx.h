#pragma once

#include <utility>

#include "simulator/engine/dialect.h"
#include "simulator/engine/tenant.h"
#include "simulator/webitel/accounts.h"
#include "simulator/webitel/agents.h"
#include "simulator/webitel/channels.h"
#include "simulator/webitel/outlet.h"
#include "simulator/webitel/phones.h"
#include "simulator/webitel/presence.h"
#include "simulator/webitel/settings.h"

namespace simulator::webitel {

// What one tenant's PBX consists of, for its socket side (dialect.h) and its REST (rest.h). Stays
// where it is made.
struct Pbx {
  Pbx(Settings its_settings, engine::Tenant& its_tenant, Outlet& its_outlet)
      : settings(std::move(its_settings)),
        tenant(its_tenant),
        outlet(its_outlet),
        accounts(settings, tenant),
        channels(settings, tenant, accounts),
        presence(settings, tenant, accounts, outlet),
        agents(settings, accounts, presence, outlet),
        phones(settings, tenant, accounts, channels, outlet, counters) {}
  Pbx(const Pbx&) = delete;
  Pbx& operator=(const Pbx&) = delete;

  std::int64_t millis(engine::TimePoint at) const { return settings.clock.unix_millis(at); }

  const Settings settings;
  engine::Tenant& tenant;
  Outlet& outlet;
  engine::Faults faults;
  engine::Counters counters;
  Accounts accounts;
  Channels channels;
  Presence presence;
  Agents agents;
  Phones phones;
};

// Counts down, unless it stands for "always". True if it was this one's turn.
inline bool take_one(std::uint32_t& count) {
  if (count == 0) return false;
  if (count != engine::Faults::kAlways) --count;
  return true;
}

}  // namespace simulator::webitel
