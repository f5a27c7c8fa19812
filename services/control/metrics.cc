#include "control/metrics.h"

namespace control {

Metrics::Metrics(telemetry::Metrics& registry)
    : commands(registry.counters("pbxgw_commands_total",
                                 "RPCs that were answered, by the code of the answer.",
                                 {{"rpc", 64}, {"code", 20}})),
      command_time(registry.histograms("pbxgw_command_seconds",
                                       "From the arrival of a unary RPC to its answer.",
                                       {{"rpc", 64}}, telemetry::latency_buckets())),
      in_flight(registry.gauge("pbxgw_commands_in_flight", "Unary RPCs that await their answer.")),
      watchers(registry.gauge("pbxgw_watchers", "Watches that are open.")),
      watchers_too_slow(registry.counter("pbxgw_watchers_too_slow_total",
                                         "Watches ended since their callers took nothing.")),
      watch_events(registry.counter("pbxgw_watch_events_total", "Events passed on to watchers.")),
      watch_pauses(registry.counter(
          "pbxgw_watch_pauses_total",
          "How often reading the stream for a watcher stopped until it had caught up.")),
      unreadable_events(registry.counter(
          "pbxgw_watch_unreadable_events_total",
          "Messages in the stream of events that are none, left out for watchers.")),
      bus_connected(registry.gauge("pbxgw_bus_connected", "1 while connected to NATS, else 0.")),
      signals(registry.gauge("pbxgw_signal_streams", "Media clients (WebRtc.Signal) at work.")),
      signals_too_slow(
          registry.counter("pbxgw_signal_streams_too_slow_total",
                           "Media clients' streams ended since their clients took nothing.")),
      signal_messages(registry.counters("pbxgw_signal_messages_total",
                                        "Messages passed on: from_client or to_client.",
                                        {{"direction", 2}})),
      recordings(registry.gauge("pbxgw_recordings", "Downloads of recordings that are under way.")),
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
          "1 while the policy file cannot be used and the one before it goes on to count.")) {}

}  // namespace control
