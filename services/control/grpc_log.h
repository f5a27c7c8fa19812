#pragma once

#include <string>
#include <string_view>

#include "control/metrics.h"

namespace control {

// Why a TLS handshake with a client failed, as a metric's label, from what gRPC and OpenSSL say of
// it: "no_certificate", "old_protocol", "no_tls", "refused_by_client", "other". Empty if `text` is
// about something else.
std::string_view handshake_failure(std::string_view text);
// The same of OpenSSL's verdict on a client's certificate (X509_V_ERR_…): "expired",
// "not_yet_valid", "unknown_authority", "wrong_purpose", "revoked" or "other_certificate".
std::string_view certificate_failure(long verdict);

// While one of these lives, what gRPC says of itself goes to our log, and TLS handshakes that fail
// are counted, with a reason that an operator can act on: gRPC tells the client nothing but an
// alert, if that. At most one at a time.
class GrpcLog {
 public:
  explicit GrpcLog(const Metrics& metrics);
  ~GrpcLog();
  GrpcLog(const GrpcLog&) = delete;
  GrpcLog& operator=(const GrpcLog&) = delete;
};

}  // namespace control
