#include "control/slow_watcher.h"

#include <string>

#include "control/audit.h"
#include "telemetry/log.h"
#include "telemetry/rate_limit.h"
#include "wire/names.h"

namespace control {

using std::chrono::steady_clock;

namespace {

constexpr telemetry::log::Logger kLog("watch");
constexpr unsigned kLinesMax = 5;
constexpr std::chrono::seconds kInterval{10};

}  // namespace

void log_slow_watcher(const Caller& caller, const EventFilter& filter,
                      steady_clock::duration idle) {
  static telemetry::RateLimit lines(kLinesMax, kInterval);
  const rights::Identity& identity = caller.right->identity;
  const std::string& principal = identity.principal->name();
  const auto suppressed = lines.pass(principal, steady_clock::now());
  if (!suppressed) return;
  kLog.warning("a watcher took nothing for too long: it is sent away with a marker",
               {{"principal", principal},
                {"subject", printable(identity.subject)},
                {"tenant", filter.tenant() ? wire::tenant_name(*filter.tenant()) : "tenants/-"},
                {"address", caller.address},
                {"seconds", idle},
                {"suppressed", *suppressed}});
}

}  // namespace control
