#include "control/metrics.h"

namespace control {

Metrics::Metrics(telemetry::Metrics& registry)
    : commands(registry.counters("pbxgw_commands_total",
                                 "RPCs that were answered, by the code of the answer.",
                                 {{"rpc", 64}, {"code", 20}})),
      command_time(registry.histograms("pbxgw_command_seconds",
                                       "From the arrival of a unary RPC to its answer.",
                                       {{"rpc", 64}}, telemetry::latency_buckets())),
      command_success(registry.gauge("pbxgw_command_last_success_timestamp_seconds",
                                     "When an RPC was last answered with OK; 0: not yet.")),
      in_flight(registry.gauge("pbxgw_commands_in_flight", "Unary RPCs that await their answer.")),
      in_flight_max(registry.gauge("pbxgw_commands_in_flight_limit",
                                   "How many unary RPCs may await their answer.")),
      watchers(registry.gauge("pbxgw_watchers", "Watches that are open.")),
      watchers_max(registry.gauge("pbxgw_watchers_limit", "How many watches may be open.")),
      watchers_opened(registry.counter("pbxgw_watchers_opened_total", "Watches opened.")),
      watchers_too_slow(registry.counter("pbxgw_watchers_too_slow_total",
                                         "Watches ended since their callers took nothing.")),
      watch_events(registry.counter("pbxgw_watch_events_total", "Events passed on to watchers.")),
      watch_pauses(registry.counter(
          "pbxgw_watch_pauses_total",
          "How often reading the stream for a watcher stopped until it had caught up.")),
      unreadable_events(registry.counter(
          "pbxgw_watch_unreadable_events_total",
          "Messages in the stream of events that are none, left out for watchers.")),
      nats_connected(registry.gauge("pbxgw_nats_connected", "1 while connected to NATS, else 0.")),
      loop_lag(registry.histogram("pbxgw_loop_lag_seconds",
                                  "How late the event loop was for a timer: what it is behind.",
                                  telemetry::latency_buckets())),
      signals(registry.gauge("pbxgw_signal_streams", "Media clients (WebRtc.Signal) at work.")),
      signals_max(
          registry.gauge("pbxgw_signal_streams_limit", "How many media clients may be at work.")),
      signals_opened(
          registry.counter("pbxgw_signal_streams_opened_total", "Media clients' streams opened.")),
      signals_too_slow(
          registry.counter("pbxgw_signal_streams_too_slow_total",
                           "Media clients' streams ended since their clients took nothing.")),
      signal_messages(registry.counters(
          "pbxgw_signal_messages_total",
          "Messages of media clients passed on: from_client or to_client.", {{"direction", 2}})),
      recordings(registry.gauge("pbxgw_recordings", "Downloads of recordings that are under way.")),
      recordings_max(registry.gauge("pbxgw_recordings_limit",
                                    "How many downloads of recordings may be under way.")),
      recordings_opened(
          registry.counter("pbxgw_recordings_opened_total", "Downloads of recordings begun.")),
      recording_bytes(
          registry.counter("pbxgw_recording_bytes_total", "Bytes of recordings for callers.")),
      recordings_too_slow(registry.counter("pbxgw_recordings_too_slow_total",
                                           "Downloads ended since their callers took nothing.")),
      refusals(registry.counters("pbxgw_refusals_total",
                                 "RPCs refused at the door, by why and by what was shown.",
                                 {{"reason", 8}, {"credential", 4}})),
      streams_revoked(registry.counters("pbxgw_streams_revoked_total",
                                        "Streams ended since their callers lost the right to them.",
                                        {{"reason", 8}})),
      policy_reloads(registry.counters("pbxgw_policy_reloads_total",
                                       "How often the policy was read: ok, or failed.",
                                       {{"result", 2}})),
      policy_loaded(registry.gauge("pbxgw_policy_loaded_timestamp_seconds",
                                   "When the policy that counts was read; 0: there is none.")),
      policy_stale(registry.gauge(
          "pbxgw_policy_stale",
          "1 while the policy file, or a key set that it names, is gone or cannot be used, and the "
          "one before goes on to count.")),
      audit_records(
          registry.counters("pbxgw_audit_records_total",
                            "Audit records, by what became of the RPC: begun, done, "
                            "failed or refused. What is left out of a flood is not in it.",
                            {{"outcome", 4}})),
      audit_lost(registry.counter("pbxgw_audit_lost_total",
                                  "Audit records that are in the log only: NATS was away for too "
                                  "long, or did not take them.")),
      rate_limited(registry.counters("pbxgw_rate_limited_total",
                                     "RPCs refused since their caller asks for too much: rate, "
                                     "failed_logins, watches, signals "
                                     "or recordings.",
                                     {{"limit", 5}})),
      certificate_expiry(registry.gauges("pbxgw_certificate_expiry_timestamp_seconds",
                                         "When a certificate that we show expires, grpc to callers "
                                         "or nats to NATS, since 1970; 0: we show none.",
                                         {{"which", 4}})),
      certificate_reloads(registry.counters(
          "pbxgw_certificate_reloads_total",
          "Changes of certificate files: taken, or refused and the one before goes on.",
          {{"which", 4}, {"outcome", 2}})),
      tls_refusals(registry.counters("pbxgw_tls_refusals_total",
                                     "Connections whose TLS handshake failed, by reason.",
                                     {{"reason", 12}})) {}

}  // namespace control
