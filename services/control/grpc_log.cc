#include "control/grpc_log.h"

#include <array>
#include <chrono>
#include <mutex>
#include <utility>

#include <grpc/support/log.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "telemetry/log.h"
#include "telemetry/rate_limit.h"

namespace control {

using std::chrono::steady_clock;

namespace {

constexpr telemetry::log::Logger kLog("grpc");
constexpr telemetry::log::Logger kTlsLog("tls");
constexpr std::string_view kVerifyFailed = "certificate verify failed";

// gRPC and OpenSSL call functions and never let go of them, so what these need is never destroyed.
struct Shared {
  std::mutex mutex;
  const Metrics* metrics = nullptr;
  // Whoever finds the port can cause these lines.
  telemetry::RateLimit lines{10, std::chrono::minutes(1), 100};
};
Shared& shared() {
  static Shared& it = *new Shared;
  return it;
}

void refused(std::string_view reason, std::string_view detail) {
  Shared& it = shared();
  {
    const std::lock_guard lock(it.mutex);
    if (!it.metrics) return;
    it.metrics->tls_refusals.at({reason}).add();
  }
  if (const auto suppressed = it.lines.pass(reason, steady_clock::now())) {
    kTlsLog.warning("a TLS handshake failed",
                    {{"reason", reason}, {"detail", detail}, {"suppressed", *suppressed}});
  }
}

void on_line(gpr_log_func_args* line) {
  const std::string_view text(line->message);
  if (const auto reason = handshake_failure(text); !reason.empty()) return refused(reason, text);
  // on_freed() knows more of this one.
  if (text.find(kVerifyFailed) != std::string_view::npos) return;
  const auto suppressed = shared().lines.pass("line", steady_clock::now());
  if (!suppressed) return;
  const telemetry::log::Fields fields{{"detail", text}, {"suppressed", *suppressed}};
  switch (line->severity) {
    case GPR_LOG_SEVERITY_ERROR: return kLog.warning("gRPC reports", fields);
    case GPR_LOG_SEVERITY_INFO: return kLog.info("gRPC reports", fields);
    default: return kLog.debug("gRPC reports", fields);
  }
}

// The end of every TLS session of this process. gRPC keeps OpenSSL's verdict to itself, and this is
// the one place where it can be asked for.
void on_freed(void* parent, void*, CRYPTO_EX_DATA*, int, long, void*) {
  const auto* session = static_cast<const SSL*>(parent);
  if (!session || !SSL_is_server(session)) return;
  const long verdict = SSL_get_verify_result(session);
  if (verdict == X509_V_OK) return;
  refused(certificate_failure(verdict), X509_verify_cert_error_string(verdict));
}

}  // namespace

std::string_view handshake_failure(std::string_view text) {
  if (text.find("Handshake failed") == std::string_view::npos) return {};
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kTable{{
      {"did not return a certificate", "no_certificate"},
      {"unsupported protocol", "old_protocol"},
      {"no protocols available", "old_protocol"},
      {"version too low", "old_protocol"},
      {"http request", "no_tls"},
      {"wrong version number", "no_tls"},
      {"packet length too long", "no_tls"},
      {"alert", "refused_by_client"},
      {kVerifyFailed, ""},
  }};
  for (const auto& [words, reason] : kTable) {
    if (text.find(words) != std::string_view::npos) return reason;
  }
  return "other";
}

std::string_view certificate_failure(long verdict) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "not_yet_valid";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return "unknown_authority";
    case X509_V_ERR_INVALID_PURPOSE: return "wrong_purpose";
    case X509_V_ERR_CERT_REVOKED: return "revoked";
    default: return "other_certificate";
  }
}

GrpcLog::GrpcLog(const Metrics& metrics) {
  // Once: neither can be taken back.
  static const bool installed = [] {
    gpr_set_log_function(on_line);
    return SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, on_freed) >= 0;
  }();
  if (!installed) kTlsLog.warning("refused certificates will not be told of");
  const std::lock_guard lock(shared().mutex);
  shared().metrics = &metrics;
}

GrpcLog::~GrpcLog() {
  const std::lock_guard lock(shared().mutex);
  shared().metrics = nullptr;
}

}  // namespace control
