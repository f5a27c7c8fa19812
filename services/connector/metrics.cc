#include "connector/metrics.h"

#include <chrono>

#include "base/overloaded.h"
#include "base/result.h"

namespace connector {
namespace {

// Frame to acknowledgement: from a tenth of a millisecond to when somebody notices.
std::vector<double> ack_buckets() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30};
}

}  // namespace

Metrics::Metrics(telemetry::Metrics& all)
    : link_state(all.gauges("pbxgw_link_state", "Tenants by the state of their link.",
                            {"vendor", "state"})),
      link_attempts(
          all.counters("pbxgw_link_attempts_total", "Attempts to open a link.", {"vendor"})),
      link_reconnects(all.counters("pbxgw_link_reconnects_total",
                                   "Links that ended or never opened, and are tried again.",
                                   {"vendor", "reason"})),
      link_unverified(all.gauges("pbxgw_link_unverified",
                                 "Tenants whose PBX's certificate is not verified, as configured.",
                                 {"vendor"})),
      link_success(all.gauges("pbxgw_link_last_success_timestamp_seconds",
                              "When a link last came up; 0: not yet.", {"vendor"})),
      frames(all.counters("pbxgw_frames_total", "Messages to and from PBXs.", {"vendor", "kind"})),
      frame_last(all.gauges("pbxgw_frame_last_timestamp_seconds",
                            "When a PBX last said something; 0: not yet.", {"vendor"})),
      frame_errors(all.counters("pbxgw_frame_errors_total",
                                "Messages from PBXs that were skipped, whole or in part.",
                                {"vendor", "reason"})),
      events(all.counters("pbxgw_events_total", "Events made.", {"vendor", "event"})),
      gaps(all.counters("pbxgw_gaps_total",
                        "StreamGaps published: each tells of events that never were.", {"reason"})),
      events_lost(all.counters("pbxgw_events_lost_total",
                               "Events that were never published, by what kept them from it.",
                               {"reason"})),
      commands(all.counters("pbxgw_commands_total", "Commands answered.", {"rpc", "code"})),
      command_seconds(all.histograms("pbxgw_command_seconds",
                                     "From a command's arrival to its answer.", {"rpc"},
                                     telemetry::latency_buckets())),
      frame_to_ack(all.histogram(
          "pbxgw_frame_to_ack_seconds",
          "From a PBX's message to JetStream's acknowledgement of its event.", ack_buckets())),
      outbox_depth(all.gauge("pbxgw_outbox_depth", "Events that wait for NATS.")),
      outbox_bytes(all.gauge("pbxgw_outbox_bytes", "Size of the events that wait for NATS.")),
      outbox_bytes_max(
          all.gauge("pbxgw_outbox_limit_bytes", "How large the events that wait may be together.")),
      outbox_oldest(all.gauge("pbxgw_outbox_oldest_timestamp_seconds",
                              "When the oldest event that waits was made; 0: none does.")),
      publish_attempts(all.counter("pbxgw_publish_attempts_total",
                                   "Events sent to JetStream, repeats included.")),
      publish_retries(
          all.counter("pbxgw_publish_retries_total", "Events sent to JetStream once more.")),
      publish_duplicates(
          all.counter("pbxgw_publish_duplicates_total", "Repeats that JetStream recognised.")),
      publish_failures(all.counters("pbxgw_publish_failures_total",
                                    "Attempts that were not acknowledged.", {"reason"})),
      publish_success(all.gauge("pbxgw_publish_last_success_timestamp_seconds",
                                "When JetStream last acknowledged an event; 0: not yet.")),
      tenants(all.gauge("pbxgw_tenants_configured",
                        "Tenants of the configuration, whoever holds them.")),
      lease_held(all.gauge("pbxgw_lease_held", "Tenants held by this connector.")),
      lease_lost(
          all.counter("pbxgw_lease_lost_total", "Leases lost otherwise than by letting go.")),
      lease_taken(all.counter("pbxgw_lease_taken_total", "Leases taken.")),
      lease_renew_failures(
          all.counter("pbxgw_lease_renew_failures_total", "Renewals of leases that failed.")),
      lease_renew(all.histogram("pbxgw_lease_renew_seconds", "How long renewing a lease took.",
                                telemetry::latency_buckets())),
      lease_success(all.gauge("pbxgw_lease_last_success_timestamp_seconds",
                              "When a lease was last taken or renewed; 0: not yet.")),
      checkpoints(all.counter("pbxgw_checkpoints_total", "Checkpoints written or tried.")),
      checkpoint_failures(
          all.counter("pbxgw_checkpoint_failures_total", "Checkpoints that could not be written.")),
      checkpoint_success(all.gauge("pbxgw_checkpoint_last_success_timestamp_seconds",
                                   "When a checkpoint was last written; 0: not yet.")),
      nats_connected(all.gauge("pbxgw_nats_connected", "1 while all connections to NATS are up.")),
      config_reloads(
          all.counter("pbxgw_config_reloads_total",
                      "Configurations read again, by signal or because the file changed.")),
      config_reload_failures(all.counter(
          "pbxgw_config_reload_failures_total",
          "Configurations, or a tenant's new certificates, read again and refused. What to alert "
          "on: "
          "pbxgw_config_ok and pbxgw_certificate_reloads_total, which say which, and until when.")),
      config_success(all.gauge("pbxgw_config_last_success_timestamp_seconds",
                               "When the configuration in force was read.")),
      config_ok(all.gauge("pbxgw_config_ok",
                          "1 while the configuration in force is what was read last.")),
      loop_lag(all.histogram("pbxgw_loop_lag_seconds",
                             "How late event loops were for a timer: what they are behind.",
                             telemetry::latency_buckets())),
      signal_streams(all.gauge("pbxgw_signal_streams",
                               "Media clients' streams (WebRtc.Signal) that are open.")),
      signal_opened(
          all.counter("pbxgw_signal_streams_opened_total", "Media clients' streams opened.")),
      signal_ended(all.counters("pbxgw_signal_streams_ended_total",
                                "Media clients' streams ended; closed is by their clients.",
                                {"reason"})),
      signal_messages(all.counters("pbxgw_signal_messages_total",
                                   "Messages of media clients' streams: from_client or to_client.",
                                   {"direction"})),
      signal_from_clients(signal_messages.at({"from_client"})),
      signal_to_clients(signal_messages.at({"to_client"})),
      recordings(all.gauge("pbxgw_recordings", "Recordings that are being fetched from PBXs.")),
      recording_bytes(
          all.counter("pbxgw_recording_bytes_total", "Bytes of recordings fetched from PBXs.")),
      recordings_ended(all.counters("pbxgw_recordings_ended_total",
                                    "Recordings that were being fetched, by what ended it.",
                                    {"reason"})),
      inbound_connections(all.gauge("pbxgw_inbound_connections",
                                    "Connections open that PBXs, or others, have made to us.")),
      inbound_connections_max(all.gauge("pbxgw_inbound_connections_limit",
                                        "How many connections PBXs may make to us; 0: none.")),
      inbound_pending(all.gauge("pbxgw_inbound_pending",
                                "Connections that PBXs made to us, not logged in yet.")),
      inbound_waiting(
          all.gauge("pbxgw_inbound_waiting",
                    "Connections that PBXs made to us, waiting for their tenant's owner.")),
      inbound_outcomes(all.counters("pbxgw_inbound_outcomes_total",
                                    "Connections made to us, by what became of them: once each.",
                                    {"outcome"})),
      inbound_wishes(all.counter("pbxgw_inbound_wishes_total",
                                 "Leases asked for because a tenant's PBX has connected here.")),
      logins(all.counters("pbxgw_logins_total",
                          "Logins asked for with AppLogin.SignChallenge, by what became of them.",
                          {"outcome"})),
      orders(all.gauge("pbxgw_orders", "Orders (Provisioning) that are being carried out.")),
      certificate_expiry(all.gauges(
          "pbxgw_certificate_expiry_timestamp_seconds",
          "When a certificate that we show expires, inbound to PBXs that dial us, nats to NATS, "
          "pbx to those we dial (the first of all tenants'), since 1970; 0: we show none.",
          {{"which", 4}})),
      certificate_reloads(all.counters("pbxgw_certificate_reloads_total",
                                       "Changes of the files of inbound's or a tenant's (pbx) "
                                       "certificate: taken, or refused and "
                                       "the one before goes on.",
                                       {{"which", 4}, {"outcome", 2}})) {
  // What is rare is there from the start, as 0: else its first time would not look like a change.
  for (const auto* reason : {"outbox_full", "outbox_age", "event_too_big"}) {
    gaps.at({reason});
    events_lost.at({reason});
  }
  for (const auto* reason :
       {"timed_out", "no_responders", "disconnected", "rejected", "not_sent"}) {
    publish_failures.at({reason});
  }
  for (const auto* which : {"inbound", "nats", "pbx"}) certificate_expiry.at({which});
  for (const auto* which : {"inbound", "pbx"}) certificate_reloads.at({which, "refused"});
}

VendorMetrics::VendorMetrics(const Metrics& metrics, std::string_view vendor)
    : frames(metrics.frames.at({vendor, "received"})),
      attempts(metrics.link_attempts.at({vendor})),
      frame_last(metrics.frame_last.at({vendor})),
      unverified(metrics.link_unverified.at({vendor})),
      link_success_(metrics.link_success.at({vendor})),
      link_events_(metrics.events.at({vendor, "link"})),
      gap_events_(metrics.events.at({vendor, "streamGap"})) {
  for (const auto why : {base::Errc::login_rejected, base::Errc::login_duplicated}) {
    metrics.link_reconnects.at({vendor, base::name_of(why)});
  }
  for (int i = 0; i <= static_cast<int>(call::LinkState::awaiting_pbx); ++i) {
    states_.push_back(metrics.link_state.at({vendor, name_of(static_cast<call::LinkState>(i))}));
  }
  for (int i = 0; i <= static_cast<int>(call::CallEventType::recording_stopped); ++i) {
    call_events_.push_back(
        metrics.events.at({vendor, name_of(static_cast<call::CallEventType>(i))}));
  }
  for (int i = 0; i <= static_cast<int>(call::DeviceEventType::information); ++i) {
    device_events_.push_back(
        metrics.events.at({vendor, name_of(static_cast<call::DeviceEventType>(i))}));
  }
}

void VendorMetrics::count(const call::Event& event) const {
  std::visit(
      base::overloaded{
          [&](const call::CallEvent& it) { call_events_[static_cast<std::size_t>(it.type)].add(); },
          [&](const call::DeviceEvent& it) {
            device_events_[static_cast<std::size_t>(it.type)].add();
          },
          [&](const call::LinkEvent&) { link_events_.add(); },
          [&](const call::StreamGap&) { gap_events_.add(); },
      },
      event.body);
}

void VendorMetrics::link_moved(call::LinkState from, call::LinkState to) const {
  if (from == to) return;
  if (from != call::LinkState::unowned) states_[static_cast<std::size_t>(from)].add(-1);
  if (to != call::LinkState::unowned) states_[static_cast<std::size_t>(to)].add(1);
  if (to == call::LinkState::up) link_success_.set(std::chrono::system_clock::now());
}

}  // namespace connector
