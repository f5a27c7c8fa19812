#include "wire/link_reasons.h"

#include <algorithm>
#include <array>

namespace wire {
namespace {

using base::Errc;
namespace v1 = pbxgw::v1;

// Not constexpr, since Errors are not.
std::span<const LinkReasonRow> rows() {
  static const auto kRows = std::to_array<LinkReasonRow>({
      {v1::LINK_REASON_RESOLVE_FAILED, Errc::resolve_failed,
       "Check the host name in the tenant's configuration, and the connector's DNS."},
      {v1::LINK_REASON_CONNECT_FAILED, Errc::connect_failed,
       "Check that the PBX is running, and that the network lets the connector reach its port."},
      {v1::LINK_REASON_TLS_FAILED, Errc::tls_failed,
       "Check that the port speaks TLS, with a version and ciphers that both sides know."},
      {v1::LINK_REASON_CERTIFICATE_UNKNOWN_AUTHORITY, Errc::certificate_unknown_authority,
       "Add the PBX's authority to the trust store, or pin the certificate; first ask whoever runs "
       "the PBX whether it is theirs."},
      {v1::LINK_REASON_CERTIFICATE_EXPIRED, Errc::certificate_expired,
       "Have the PBX's certificate renewed, and check the clocks of both sides."},
      {v1::LINK_REASON_CERTIFICATE_WRONG_NAME, Errc::certificate_wrong_name,
       "Configure the host name that the certificate is for, or have it issued for this one."},
      {v1::LINK_REASON_CERTIFICATE_REQUIRED, Errc::certificate_required,
       "Configure a client certificate that the PBX accepts."},
      {v1::LINK_REASON_UPGRADE_REFUSED, Errc::upgrade_refused,
       "Check the port and path in the configuration, and that the PBX has the interface switched "
       "on; the detail has the HTTP status."},
      {v1::LINK_REASON_LOGIN_REJECTED, Errc::login_rejected,
       "Check the account's name, password, rights and licence at the PBX."},
      {v1::LINK_REASON_TIMED_OUT, Errc::timed_out,
       "The PBX or the network is slow or silent; the detail names the stage. It is tried again."},
      {v1::LINK_REASON_LINK_LOST, Errc::link_lost,
       "It is tried again. If it keeps happening, look at the network between the connector and "
       "the PBX."},
      {v1::LINK_REASON_LINK_CLOSED, Errc::link_closed,
       "It is tried again. A PBX closes links when it restarts or is reconfigured."},
      {v1::LINK_REASON_PING_TIMED_OUT, Errc::ping_timed_out,
       "It is tried again. A firewall that forgets idle connections, or an overloaded PBX, makes "
       "this happen often."},
      {v1::LINK_REASON_MESSAGE_TOO_BIG, Errc::message_too_big,
       "Raise the tenant's limit on message sizes if the PBX is as large as that."},
      {v1::LINK_REASON_BAD_FRAME, Errc::bad_frame,
       "Check that the configured vendor and version are the PBX's; if so, report it as a bug with "
       "the recorded dialogue."},
      {v1::LINK_REASON_OVERLOADED, Errc::overloaded,
       "The PBX stopped reading, or NATS stopped taking events; look at the outbox metrics and at "
       "NATS."},
      {v1::LINK_REASON_LOGIN_DUPLICATED, Errc::login_duplicated,
       "Give the gateway an account of its own at the PBX: another program uses this one."},
      {v1::LINK_REASON_LEASE_LOST, Errc::lease_lost,
       "Nothing: another connector takes over within the lease time."},
      {v1::LINK_REASON_SHUTTING_DOWN, Errc::shutting_down,
       "Nothing: another connector takes over at once, if there is one."},
      {v1::LINK_REASON_RECONFIGURED, Errc::link_not_needed,
       "Nothing: the link comes back with the new configuration, if the tenant is still in it."},
      {v1::LINK_REASON_OTHER, {}, "Read the detail, and the connector's log at that time."},
  });
  return kRows;
}

}  // namespace

std::span<const LinkReasonRow> link_reason_rows() { return rows(); }

v1::LinkReason to_link_reason(std::string_view error_name) {
  if (error_name.empty()) return v1::LINK_REASON_UNSPECIFIED;
  const auto found = std::find_if(rows().begin(), rows().end(), [&](const LinkReasonRow& row) {
    return base::name_of(row.error) == error_name;
  });
  return found == rows().end() ? v1::LINK_REASON_OTHER : found->reason;
}

const char* error_name_of(v1::LinkReason reason) {
  if (reason == v1::LINK_REASON_UNSPECIFIED) return "";
  const auto found = std::find_if(rows().begin(), rows().end(),
                                  [&](const LinkReasonRow& row) { return row.reason == reason; });
  return base::name_of(found == rows().end() ? base::Error{} : found->error);
}

}  // namespace wire
