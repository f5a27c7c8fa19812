#pragma once

#include "telemetry/metrics.h"

namespace control {

// Every metric of this service, by name. Lives as long as the registry.
struct Metrics {
  explicit Metrics(telemetry::Metrics& registry);

  telemetry::Family<telemetry::Counter> commands;        // rpc, code
  telemetry::Family<telemetry::Histogram> command_time;  // rpc
  telemetry::Gauge command_success;
  telemetry::Gauge in_flight, in_flight_max;
  telemetry::Gauge watchers, watchers_max;
  telemetry::Counter watchers_opened;
  telemetry::Counter watchers_too_slow;
  telemetry::Counter watch_events;
  telemetry::Counter watch_pauses;
  telemetry::Counter unreadable_events;
  telemetry::Gauge nats_connected;
  telemetry::Histogram loop_lag;
  telemetry::Gauge signals, signals_max;
  telemetry::Counter signals_opened;
  telemetry::Counter signals_too_slow;
  telemetry::Family<telemetry::Counter> signal_messages;  // direction
  telemetry::Gauge recordings, recordings_max;
  telemetry::Counter recordings_opened;
  telemetry::Counter recording_bytes;
  telemetry::Counter recordings_too_slow;
  telemetry::Family<telemetry::Counter> refusals;         // reason, credential
  telemetry::Family<telemetry::Counter> streams_revoked;  // reason
  telemetry::Family<telemetry::Counter> policy_reloads;   // result
  telemetry::Gauge policy_loaded;
  telemetry::Gauge policy_stale;
  telemetry::Family<telemetry::Counter> audit_records;  // outcome
  telemetry::Counter audit_lost;
  telemetry::Family<telemetry::Counter> rate_limited;         // limit
  telemetry::Family<telemetry::Gauge> certificate_expiry;     // which
  telemetry::Family<telemetry::Counter> certificate_reloads;  // which, outcome
  telemetry::Family<telemetry::Counter> tls_refusals;         // reason
};

}  // namespace control
