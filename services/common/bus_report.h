#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "bus/connection.h"
#include "telemetry/metrics.h"

namespace common {

// What a service tells of its connections to NATS: a line in the log for each event, fewer if the
// same goes wrong again and again, and the metrics pbxgw_bus_…_total, of all of them together.
// follow() each before its executor runs; update() the metrics now and then, from one thread.
class BusReport {
 public:
  explicit BusReport(telemetry::Metrics& registry);
  ~BusReport();
  BusReport(const BusReport&) = delete;
  BusReport& operator=(const BusReport&) = delete;

  // `part` is what the log calls it, such as "home".
  void follow(const std::shared_ptr<bus::Connection>& connection, std::string part);
  void update();
  // When the first of the certificates expires that the connections show to NATS; the epoch: they
  // show none. As of the last update().
  std::chrono::system_clock::time_point certificate_expires() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace common
