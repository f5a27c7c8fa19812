#include "base/result.h"

#include <array>
#include <string>

namespace base {
namespace {

struct Row {
  Errc code;
  const char* name;
  const char* message;
};

// In the order of the enumeration: a code is its own index, as the assertion below holds.
constexpr std::array kRows = std::to_array<Row>({
    {Errc::invalid_argument, "invalid_argument", "a field of the request is malformed"},
    {Errc::tenant_not_found, "tenant_not_found", "no such tenant"},
    {Errc::device_not_found, "device_not_found", "no such device"},
    {Errc::call_not_found, "call_not_found", "no such call, or it has ended"},
    {Errc::connection_not_found, "connection_not_found", "the call has no such connection"},
    {Errc::feature_not_supported, "feature_not_supported", "the PBX's protocol cannot do this"},
    {Errc::incorrect_state, "incorrect_state", "the connection's state does not allow this"},
    {Errc::credentials_missing, "credentials_missing",
     "no credentials are configured for this device"},
    {Errc::credentials_refused, "credentials_refused", "the PBX refused the device's credentials"},
    {Errc::device_out_of_service, "device_out_of_service", "the device is out of service"},
    {Errc::request_id_reused, "request_id_reused",
     "the request_id was used before with another request"},
    {Errc::page_token_invalid, "page_token_invalid", "the page token is not of this list"},
    {Errc::marker_invalid, "marker_invalid", "the resume marker is not of this watch"},
    {Errc::marker_expired, "marker_expired", "what follows the resume marker is no longer stored"},
    {Errc::watcher_too_slow, "watcher_too_slow", "events were not read in time"},
    {Errc::permission_denied, "permission_denied", "not permitted"},
    {Errc::recording_not_found, "recording_not_found", "no such recording"},
    {Errc::challenge_used, "challenge_used", "this challenge was signed before"},
    {Errc::resource_not_found, "resource_not_found", "no such resource at the PBX"},
    {Errc::already_exists, "already_exists", "the PBX has one already"},
    {Errc::unauthenticated, "unauthenticated", "no credentials were shown"},
    {Errc::credentials_invalid, "credentials_invalid", "the credentials are not accepted"},
    {Errc::credentials_expired, "credentials_expired", "the credentials have expired"},
    {Errc::access_denied, "access_denied", "the policy does not allow this"},
    {Errc::rate_limited, "rate_limited", "too many requests in a short time"},
    {Errc::owner_moving, "owner_moving", "no connector owns the tenant right now"},
    {Errc::pbx_disconnected, "pbx_disconnected", "no link to the PBX right now"},
    {Errc::shutting_down, "shutting_down", "shutting down"},
    {Errc::bus_unavailable, "bus_unavailable", "no connection to NATS"},
    {Errc::too_many_requests, "too_many_requests", "too many commands are waiting"},
    {Errc::pbx_refused, "pbx_refused", "the PBX refused the command"},
    {Errc::effect_not_seen, "effect_not_seen",
     "the command was sent, but its effect was not seen in time"},
    {Errc::outcome_unknown, "outcome_unknown", "the command may or may not have been carried out"},
    {Errc::internal, "internal", "internal error"},
    {Errc::bad_frame, "bad_frame", "malformed message from the PBX"},
    {Errc::unsupported, "unsupported", "unknown message from the PBX"},
    {Errc::resolve_failed, "resolve_failed", "the host name has no address"},
    {Errc::connect_failed, "connect_failed", "could not connect"},
    {Errc::tls_failed, "tls_failed", "the TLS handshake failed"},
    {Errc::certificate_unknown_authority, "certificate_unknown_authority",
     "the certificate is not signed by a trusted authority, nor pinned"},
    {Errc::certificate_expired, "certificate_expired",
     "the certificate has expired or is not yet valid"},
    {Errc::certificate_wrong_name, "certificate_wrong_name",
     "the certificate is for another host name"},
    {Errc::certificate_required, "certificate_required", "the PBX demands a client certificate"},
    {Errc::upgrade_refused, "upgrade_refused", "the upgrade to WebSocket was refused"},
    {Errc::login_rejected, "login_rejected", "login rejected by the PBX"},
    {Errc::timed_out, "timed_out", "timed out"},
    {Errc::link_lost, "link_lost", "link to the PBX lost"},
    {Errc::link_closed, "link_closed", "closed by the PBX"},
    {Errc::ping_timed_out, "ping_timed_out", "nothing heard, not even a pong"},
    {Errc::message_too_big, "message_too_big", "a message exceeds the size limit"},
    {Errc::overloaded, "overloaded", "a queue is full"},
    {Errc::login_duplicated, "login_duplicated",
     "the PBX hangs up after each login: is the account used elsewhere?"},
    {Errc::lease_lost, "lease_lost", "the lease was lost"},
    {Errc::link_not_needed, "link_not_needed", "not needed any more"},
    {Errc::key_exists, "key_exists", "the key exists"},
    {Errc::revision_differs, "revision_differs", "the key was changed by somebody else"},
    {Errc::key_not_found, "key_not_found", "no such key"},
    {Errc::config_mismatch, "config_mismatch", "exists with another configuration"},
});

const Row* row_of(int code) {
  const auto index = static_cast<std::size_t>(code - 1);
  return code > 0 && index < kRows.size() ? &kRows[index] : nullptr;
}

class Category final : public boost::system::error_category {
  const char* name() const noexcept override { return "pbxgw"; }

  std::string message(int code) const override {
    const Row* row = row_of(code);
    return row ? row->message : "unknown error";
  }
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].code) != i + 1) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

const boost::system::error_category& category() noexcept {
  static const Category instance;
  return instance;
}

const char* name_of(const Error& error) noexcept {
  const Row* row = error.category() == category() ? row_of(error.value()) : nullptr;
  return row ? row->name : "other";
}

}  // namespace base
