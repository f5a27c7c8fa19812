#pragma once

#include <string_view>
#include <vector>

#include "call/event.h"
#include "call/service.h"
#include "telemetry/metrics.h"

namespace connector {

// Every metric of this service, by name. Those of one vendor that are counted for each event are
// kept as handles in VendorMetrics, so that counting is an addition.
struct Metrics {
  explicit Metrics(telemetry::Metrics& all);

  telemetry::Family<telemetry::Gauge> link_state;           // vendor, state
  telemetry::Family<telemetry::Counter> link_attempts;      // vendor
  telemetry::Family<telemetry::Counter> link_reconnects;    // vendor, reason
  telemetry::Family<telemetry::Gauge> link_unverified;      // vendor
  telemetry::Family<telemetry::Gauge> link_success;         // vendor
  telemetry::Family<telemetry::Counter> frames;             // vendor, kind
  telemetry::Family<telemetry::Gauge> frame_last;           // vendor
  telemetry::Family<telemetry::Counter> frame_errors;       // vendor, reason
  telemetry::Family<telemetry::Counter> events;             // vendor, event
  telemetry::Family<telemetry::Counter> gaps;               // reason
  telemetry::Family<telemetry::Counter> events_lost;        // reason
  telemetry::Family<telemetry::Counter> commands;           // rpc, code
  telemetry::Family<telemetry::Histogram> command_seconds;  // rpc
  telemetry::Histogram frame_to_ack;
  telemetry::Gauge outbox_depth, outbox_bytes, outbox_bytes_max, outbox_oldest;
  telemetry::Counter publish_attempts, publish_retries, publish_duplicates;
  telemetry::Family<telemetry::Counter> publish_failures;  // reason
  telemetry::Gauge publish_success;
  telemetry::Gauge tenants, lease_held;
  telemetry::Counter lease_lost, lease_taken, lease_renew_failures;
  telemetry::Histogram lease_renew;
  telemetry::Gauge lease_success;
  telemetry::Counter checkpoints, checkpoint_failures;
  telemetry::Gauge checkpoint_success;
  telemetry::Gauge nats_connected;
  telemetry::Counter config_reloads, config_reload_failures;
  telemetry::Gauge config_success, config_ok;
  telemetry::Histogram loop_lag;
  telemetry::Gauge signal_streams;
  telemetry::Counter signal_opened;
  telemetry::Family<telemetry::Counter> signal_ended;         // reason
  telemetry::Family<telemetry::Counter> signal_messages;      // direction
  telemetry::Counter signal_from_clients, signal_to_clients;  // of the one before
  telemetry::Gauge recordings;
  telemetry::Counter recording_bytes;
  telemetry::Family<telemetry::Counter> recordings_ended;  // reason
  // PBXs that dial us.
  telemetry::Gauge inbound_connections, inbound_connections_max, inbound_pending, inbound_waiting;
  telemetry::Family<telemetry::Counter> inbound_outcomes;  // outcome
  telemetry::Counter inbound_wishes;
  telemetry::Family<telemetry::Counter> logins;  // outcome
  telemetry::Gauge orders;
  telemetry::Family<telemetry::Gauge> certificate_expiry;     // which
  telemetry::Family<telemetry::Counter> certificate_reloads;  // which, outcome
};

// The handles of one vendor.
class VendorMetrics {
 public:
  VendorMetrics(const Metrics& metrics, std::string_view vendor);

  void count(const call::Event& event) const;
  // A tenant's link went from one state to another.
  void link_moved(call::LinkState from, call::LinkState to) const;

  telemetry::Counter frames, attempts;
  telemetry::Gauge frame_last, unverified;

 private:
  telemetry::Gauge link_success_;
  std::vector<telemetry::Gauge> states_;
  std::vector<telemetry::Counter> call_events_, device_events_;
  telemetry::Counter link_events_, gap_events_;
};

}  // namespace connector
