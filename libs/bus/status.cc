#include "bus/status.h"

namespace bus {

using base::Errc;

base::Error to_error(natsStatus status) {
  switch (status) {
    case NATS_OK: return {};
    case NATS_TIMEOUT: return Errc::timed_out;
    case NATS_NOT_FOUND: return Errc::key_not_found;
    case NATS_NOT_PERMITTED:
    case NATS_CONNECTION_AUTH_FAILED: return Errc::permission_denied;
    case NATS_MAX_PAYLOAD: return Errc::message_too_big;
    case NATS_INVALID_SUBJECT:
    case NATS_INVALID_ARG:
    case NATS_INVALID_QUEUE_NAME: return Errc::invalid_argument;
    case NATS_DRAINING: return Errc::shutting_down;
    case NATS_INSUFFICIENT_BUFFER:
    case NATS_SLOW_CONSUMER: return Errc::overloaded;
    case NATS_IO_ERROR:
    case NATS_CONNECTION_CLOSED:
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_NO_SERVER:
    case NATS_STALE_CONNECTION:
    case NATS_NO_RESPONDERS:  // of the JetStream API: disabled, or its cluster has no leader
    case NATS_NOT_YET_CONNECTED:
    case NATS_SSL_ERROR:
    case NATS_SECURE_CONNECTION_WANTED:
    case NATS_SECURE_CONNECTION_REQUIRED:
    case NATS_ERR: return Errc::bus_unavailable;
    default: return Errc::internal;
  }
}

std::string detail_of(natsStatus status, jsErrCode code) {
  std::string text = natsStatus_GetText(status);
  natsStatus last = NATS_OK;
  if (const char* more = nats_GetLastError(&last); more && *more && last == status) {
    text.append(": ").append(more);
  }
  if (code != 0) text.append(" (JetStream error ").append(std::to_string(code)).append(")");
  return text;
}

}  // namespace bus
