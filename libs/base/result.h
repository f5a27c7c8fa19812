#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace base {

// Everything that can go wrong in a way a caller can act on. Each value means one thing for ever:
// wire/status.cc maps it to the gRPC code and ErrorInfo reason that users see, and
// docs/errors.md, generated from that table, tells what to do about it.
enum class Errc {
  // What a user asked for.
  invalid_argument = 1,   // a field of the request is malformed; the detail names it
  tenant_not_found,       // no connector's configuration has this tenant
  device_not_found,       // the PBX does not have this device, or does not show it to us
  call_not_found,         // no such call, or it has ended
  connection_not_found,   // the call lives, but has no such connection
  feature_not_supported,  // the PBX's protocol, or this server's generation of it, cannot do this
  incorrect_state,        // the connection's state does not allow this service
  credentials_missing,    // the device needs credentials of its own to act, and none are configured
  credentials_refused,    // the device's own credentials were refused by the PBX
  device_out_of_service,  // the device is not registered at the PBX
  request_id_reused,      // the request_id was used before, with another request
  page_token_invalid,     // not a token of ours, or of a list with other arguments
  marker_invalid,         // not a resume marker of ours, or of a watch with another filter
  marker_expired,         // the stream no longer holds what follows this resume marker
  watcher_too_slow,       // a watcher did not read its events in time; resume from the last marker
  permission_denied,      // the caller may not do this
  recording_not_found,    // the PBX does not have this recording, or no longer
  challenge_used,         // this challenge was signed before
  resource_not_found,     // the PBX has no such phone, user, token or agent
  already_exists,         // the PBX has one of this name, number or login already
  unauthenticated,        // the caller showed no credentials, and has to
  credentials_invalid,    // the caller's credentials are none that we accept
  credentials_expired,    // they were, and are not any more
  access_denied,          // the policy does not give the caller this right
  rate_limited,           // the caller asks more often than it may

  // Why it could not be done, or whether it was is not known.
  owner_moving,       // no connector owns the tenant right now; one will within the lease time
  pbx_disconnected,   // the owner has no link to the PBX right now
  shutting_down,      // this process is draining
  bus_unavailable,    // no connection to NATS
  too_many_requests,  // a limit on waiting commands was reached
  pbx_refused,        // the PBX answered the command with an error of its own
  effect_not_seen,    // the command was sent, and its effect was not seen within the limit
  outcome_unknown,    // the link or the owner was lost after the command may have been sent
  internal,           // a bug of ours

  // How a link to a PBX ends, or never comes to be.
  bad_frame,       // the PBX sent something its own protocol does not allow
  unsupported,     // allowed, but nothing this adapter knows
  resolve_failed,  // the host name has no address
  connect_failed,  // refused, unreachable or reset while connecting
  tls_failed,      // the TLS handshake failed for another reason than the certificate
  certificate_unknown_authority,  // signed by nobody we trust, self-signed, or not the pinned one
  certificate_expired,            // expired, or not yet valid
  certificate_wrong_name,         // valid, but for another host
  certificate_required,           // the PBX demands a client certificate
  upgrade_refused,                // the HTTP upgrade to WebSocket was answered otherwise
  login_rejected,                 // credentials or licence refused; trying again soon will not help
  timed_out,         // a stage's deadline passed (resolve, connect, TLS, upgrade, login, snapshot)
  link_lost,         // the connection ended without a close frame
  link_closed,       // the PBX closed the WebSocket properly
  ping_timed_out,    // nothing heard, not even a pong: the link was half-open
  message_too_big,   // a message over the configured limit
  overloaded,        // a queue of ours was full: the PBX stopped reading, or NATS stopped taking
  login_duplicated,  // the PBX hangs up on us right after each login: somebody else uses our
                     // account
  lease_lost,        // another connector owns the tenant now, or may soon
  link_not_needed,   // we closed it: idle, evicted, or removed from the configuration

  // NATS and its key-value buckets.
  key_exists,        // create: somebody else was first
  revision_differs,  // update: somebody else wrote since
  key_not_found,
  config_mismatch,  // a stream or bucket exists with another configuration than ours
};

using Error = boost::system::error_code;

template <class T>
using Result = boost::system::result<T>;

const boost::system::error_category& category() noexcept;

inline Error make_error_code(Errc e) noexcept { return {static_cast<int>(e), category()}; }

// The enumerator's own name ("link_lost"): for metric labels and logs, so it never changes either.
// "other" for codes of other categories (a bare system error).
const char* name_of(const Error& error) noexcept;

}  // namespace base

template <>
struct boost::system::is_error_code_enum<base::Errc> : std::true_type {};
