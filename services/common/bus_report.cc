#include "common/bus_report.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "net/certificate.h"
#include "telemetry/log.h"
#include "telemetry/rate_limit.h"

namespace common {

using bus::ConnectionEvent;
using std::chrono::system_clock;

namespace {

constexpr telemetry::log::Logger kLog("nats");
constexpr unsigned kLinesMax = 5;
constexpr std::chrono::seconds kInterval{60};

// Outlives the report, as the connections do.
using Limit = std::shared_ptr<telemetry::RateLimit>;

void tell(const std::string& part, ConnectionEvent event, const std::string& why,
          telemetry::RateLimit& limit) {
  switch (event) {
    case ConnectionEvent::connected: kLog.info("connected", {{"part", part}, {"url", why}}); return;
    case ConnectionEvent::renewed:
      kLog.info("connected anew with new files", {{"part", part}, {"url", why}});
      return;
    case ConnectionEvent::disconnected:
      kLog.warning("disconnected", {{"part", part}, {"detail", why}});
      return;
    case ConnectionEvent::lame_duck:
      kLog.info("the server will shut down", {{"part", part}});
      return;
    case ConnectionEvent::closed: return;
    case ConnectionEvent::failed:
    case ConnectionEvent::not_permitted: break;
  }
  const bool forbidden = event == ConnectionEvent::not_permitted;
  const auto passed = limit.pass(part + why, std::chrono::steady_clock::now());
  if (!passed) return;
  if (forbidden) {
    kLog.error("not permitted", {{"part", part}, {"detail", why}, {"suppressed", *passed}});
  } else {
    kLog.warning("failed", {{"part", part}, {"detail", why}, {"suppressed", *passed}});
  }
}

}  // namespace

struct BusReport::Impl {
  struct Followed {
    std::weak_ptr<bus::Connection> connection;
    bus::ConnectionStatistics counted;
    std::string certificate;
    system_clock::time_point expires;
  };

  explicit Impl(telemetry::Metrics& registry)
      : disconnects(
            registry.counter("pbxgw_bus_disconnects_total", "Connections to NATS that were lost.")),
        refusals(registry.counter(
            "pbxgw_bus_auth_failures_total",
            "Logins that NATS refused, and connections it ended because of theirs.")),
        violations(registry.counter("pbxgw_bus_permission_violations_total",
                                    "What NATS did not let us publish or subscribe to.")),
        renewals(registry.counter("pbxgw_bus_renewals_total",
                                  "Connections replaced because their files had changed.")),
        renewal_failures(registry.counter(
            "pbxgw_bus_renewal_failures_total",
            "Attempts to use changed files that failed; the connections before went on.")) {}

  telemetry::Counter disconnects, refusals, violations, renewals, renewal_failures;
  Limit limit = std::make_shared<telemetry::RateLimit>(kLinesMax, kInterval);
  std::vector<Followed> followed;
};

BusReport::BusReport(telemetry::Metrics& registry) : impl_(std::make_unique<Impl>(registry)) {}

BusReport::~BusReport() = default;

void BusReport::follow(const std::shared_ptr<bus::Connection>& connection, std::string part) {
  connection->listen(
      [part = std::move(part), limit = impl_->limit](
          ConnectionEvent event, const std::string& why) { tell(part, event, why, *limit); });
  impl_->followed.push_back({connection, {}, {}, {}});
}

void BusReport::update() {
  for (auto& it : impl_->followed) {
    const auto connection = it.connection.lock();
    if (!connection) continue;
    const auto now = connection->statistics();
    const auto& last = it.counted;
    impl_->disconnects.add(static_cast<double>(now.disconnects - last.disconnects));
    impl_->refusals.add(static_cast<double>(now.refusals - last.refusals));
    impl_->violations.add(static_cast<double>(now.violations - last.violations));
    impl_->renewals.add(static_cast<double>(now.renewals - last.renewals));
    impl_->renewal_failures.add(static_cast<double>(now.renewal_failures - last.renewal_failures));
    it.counted = now;
    if (auto shown = connection->certificate(); shown != it.certificate) {
      const auto facts = net::read_certificate(shown);
      it.expires = facts ? facts->expires : system_clock::time_point();
      it.certificate = std::move(shown);
    }
  }
}

system_clock::time_point BusReport::certificate_expires() const {
  constexpr system_clock::time_point kNone;
  auto first = kNone;
  for (const auto& it : impl_->followed) {
    if (it.expires != kNone) first = first == kNone ? it.expires : std::min(first, it.expires);
  }
  return first;
}

}  // namespace common
