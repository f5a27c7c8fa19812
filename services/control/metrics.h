#pragma once

#include "telemetry/metrics.h"

namespace control {

// Every metric of this service, by name. Lives as long as the registry.
struct Metrics {
  explicit Metrics(telemetry::Metrics& registry);

  telemetry::Family<telemetry::Counter> commands;        // rpc, code
  telemetry::Family<telemetry::Histogram> command_time;  // rpc
  telemetry::Gauge in_flight;
  telemetry::Gauge watchers;
  telemetry::Counter watchers_too_slow;
  telemetry::Counter watch_events;
  telemetry::Counter watch_pauses;
  telemetry::Counter unreadable_events;
  telemetry::Gauge bus_connected;
  telemetry::Gauge signals;
  telemetry::Counter signals_too_slow;
  telemetry::Family<telemetry::Counter> signal_messages;  // direction
  telemetry::Gauge recordings;
  telemetry::Counter recording_bytes;
  telemetry::Counter recordings_too_slow;
  telemetry::Family<telemetry::Counter> refusals;         // reason, credential
  telemetry::Family<telemetry::Counter> streams_revoked;  // reason
  telemetry::Family<telemetry::Counter> policy_reloads;   // result
  telemetry::Gauge policy_loaded;
  telemetry::Gauge policy_stale;
};

}  // namespace control
