#include "pbxctl/failure.h"

#include <algorithm>
#include <array>
#include <optional>

#include <google/protobuf/struct.pb.h>

#include "google/rpc/error_details.pb.h"
#include "pbxctl/json.h"
#include "pbxctl/words.h"
#include "wire/status.h"

namespace pbxctl {
namespace {

struct CodeRow {
  grpc::StatusCode grpc_code;
  const char* name;
  ExitCode exit;
};
constexpr auto kCodes = std::to_array<CodeRow>({
    {grpc::CANCELLED, "CANCELLED", ExitCode::unknown_outcome},
    {grpc::UNKNOWN, "UNKNOWN", ExitCode::other},
    {grpc::INVALID_ARGUMENT, "INVALID_ARGUMENT", ExitCode::usage},
    {grpc::DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", ExitCode::unknown_outcome},
    {grpc::NOT_FOUND, "NOT_FOUND", ExitCode::not_found},
    {grpc::ALREADY_EXISTS, "ALREADY_EXISTS", ExitCode::not_possible},
    {grpc::PERMISSION_DENIED, "PERMISSION_DENIED", ExitCode::refused},
    {grpc::RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED", ExitCode::exhausted},
    {grpc::FAILED_PRECONDITION, "FAILED_PRECONDITION", ExitCode::not_possible},
    {grpc::ABORTED, "ABORTED", ExitCode::unknown_outcome},
    {grpc::OUT_OF_RANGE, "OUT_OF_RANGE", ExitCode::not_possible},
    {grpc::UNIMPLEMENTED, "UNIMPLEMENTED", ExitCode::not_possible},
    {grpc::INTERNAL, "INTERNAL", ExitCode::other},
    {grpc::UNAVAILABLE, "UNAVAILABLE", ExitCode::unavailable},
    {grpc::DATA_LOSS, "DATA_LOSS", ExitCode::other},
    {grpc::UNAUTHENTICATED, "UNAUTHENTICATED", ExitCode::refused},
});

// Where a reason says more than its code.
struct ReasonRow {
  std::string_view reason;
  ExitCode exit;
};
constexpr auto kReasons = std::to_array<ReasonRow>({{"VENDOR_ERROR", ExitCode::refused}});

CodeRow row_of(grpc::StatusCode code) {
  const auto found = std::find_if(kCodes.begin(), kCodes.end(),
                                  [&](const CodeRow& row) { return row.grpc_code == code; });
  return found != kCodes.end() ? *found : CodeRow{code, "UNKNOWN", ExitCode::other};
}

ExitCode exit_of(grpc::StatusCode code, std::string_view reason) {
  const auto found = std::find_if(kReasons.begin(), kReasons.end(),
                                  [&](const ReasonRow& row) { return row.reason == reason; });
  return found != kReasons.end() ? found->exit : row_of(code).exit;
}

template <class Detail>
std::optional<Detail> detail_of(const google::rpc::Status& status) {
  for (const auto& any : status.details()) {
    Detail out;
    if (any.Is<Detail>() && any.UnpackTo(&out)) return out;
  }
  return std::nullopt;
}

google::rpc::Status details_of(const grpc::Status& status) {
  google::rpc::Status out;
  // What is no google.rpc.Status comes from something between us and the service.
  if (!out.ParseFromString(status.error_details())) out.Clear();
  out.set_code(status.error_code());
  out.set_message(status.error_message());
  return out;
}

const char* advice_on(std::string_view reason) {
  for (const auto& row : wire::error_rows()) {
    if (reason == row.reason) return row.advice;
  }
  return nullptr;
}

// gRPC puts what matters last: "failed to connect to all addresses; last error: UNKNOWN:
// ipv4:127.0.0.1:7443: Failed to connect to remote host: Connection refused".
std::string cause_of(std::string_view message) {
  for (std::string_view before : {"last error: ", "remote host: "}) {
    const auto at = message.find(before);
    if (at != std::string_view::npos) message.remove_prefix(at + before.size());
  }
  return message.empty() ? "no reason given" : printable(message);
}

// What a caller of pbxctl does about his credentials.
struct HintRow {
  std::string_view reason;
  const char* hint;
};
constexpr auto kCredentialHints = std::to_array<HintRow>({
    {"CREDENTIALS_REQUIRED",
     "Here: --token-file FILE, PBXGW_TOKEN_FILE or PBXGW_TOKEN; or --cert FILE and --key FILE."},
    {"CREDENTIALS_INVALID",
     "Here they are what --token-file, PBXGW_TOKEN_FILE or PBXGW_TOKEN has, or else --cert."},
    {"CREDENTIALS_EXPIRED",
     "Here they are what --token-file, PBXGW_TOKEN_FILE or PBXGW_TOKEN has, or else --cert."},
});

// Where TLS failed, and what to do: gRPC says that it did, and OpenSSL's words for it.
struct TlsRow {
  std::string_view cause;
  const char* hint;
};
constexpr auto kTlsHints = std::to_array<TlsRow>({
    {"ertificate verify failed",
     "TLS: its certificate is not to be trusted: is --ca-file the one that signed it, and has it "
     "not expired?"},
    {"CERTIFICATE_VERIFY_FAILED",
     "TLS: its certificate is not to be trusted: is --ca-file the one that signed it, and has it "
     "not expired?"},
    {"ostname Verification Check failed",
     "TLS: its certificate is for another name: say that one with --server."},
    {"is not in peer certificate",
     "TLS: its certificate is for another name: say that one with --server."},
    {"rong version number", "It does not speak TLS there: leave out --tls and --ca-file."},
    {"WRONG_VERSION_NUMBER", "It does not speak TLS there: leave out --tls and --ca-file."},
    {"ertificate required", "TLS: it wants a certificate of ours: --cert FILE and --key FILE."},
});

Failure unreachable(const grpc::Status& status, const std::string& server) {
  Failure failure{
      ExitCode::unavailable,
      "cannot reach the control service at " + server + ": " + cause_of(status.error_message()),
      {},
      details_of(status)};
  for (const auto& row : kTlsHints) {
    if (status.error_message().find(row.cause) == std::string::npos) continue;
    failure.hints.push_back(row.hint);
    return failure;
  }
  failure.hints.push_back(
      "Is it running there? Say where with --server HOST:PORT or PBXGW_SERVER; if it speaks TLS, "
      "add --tls.");
  return failure;
}

std::string seconds_of(const google::protobuf::Duration& delay) {
  const auto millis = delay.seconds() * 1000 + delay.nanos() / 1'000'000;
  return millis % 1000 == 0 ? std::to_string(millis / 1000) + " s" : std::to_string(millis) + " ms";
}

}  // namespace

std::string exit_codes_text() {
  return R"(Exit status:
  0  done
  1  any other failure; for watch --expect: fewer events came than that
  2  usage: the command line, or a field of the request, is wrong
  3  no such tenant, device, call or connection
  4  not possible: not in this state, or not with this PBX
  5  refused, by the gateway (permission) or by the PBX
  6  unavailable: no control service or no link to the PBX; nothing was done
  7  outcome unknown: no answer in time; it may have been done
  8  a limit was reached)";
}

std::string reason_of(const grpc::Status& status) {
  const auto info = detail_of<google::rpc::ErrorInfo>(details_of(status));
  return info ? info->reason() : std::string();
}

Failure to_failure(const grpc::Status& status, const std::string& server,
                   const std::string& patience) {
  const auto code = status.error_code();
  const std::string reason = reason_of(status);
  if (reason.empty() && code == grpc::UNAVAILABLE) return unreachable(status, server);

  Failure failure{exit_of(code, reason), printable(status.error_message()), {}, details_of(status)};
  if (reason.empty() && code == grpc::DEADLINE_EXCEEDED) {
    failure.message = "no answer from " + server + " within " + patience;
    failure.hints.push_back("Give it longer with --timeout.");
    return failure;
  }
  if (failure.message.empty()) failure.message = "the service gave no message";

  const std::string name = row_of(code).name;
  failure.hints.push_back("reason: " + (reason.empty() ? name : reason + " (" + name + ")"));
  if (const auto bad = detail_of<google::rpc::BadRequest>(failure.status)) {
    for (const auto& it : bad->field_violations()) {
      failure.hints.push_back("field " + printable(it.field()) + ": " +
                              printable(it.description()));
    }
  }
  if (const auto info = detail_of<google::rpc::ResourceInfo>(failure.status)) {
    failure.hints.push_back("resource: " + printable(info->resource_name()));
  }
  if (const auto retry = detail_of<google::rpc::RetryInfo>(failure.status)) {
    failure.hints.push_back("retry: in " + seconds_of(retry->retry_delay()));
  }
  if (const char* advice = advice_on(reason)) failure.hints.push_back(advice);
  for (const auto& row : kCredentialHints) {
    if (reason == row.reason) failure.hints.push_back(row.hint);
  }
  return failure;
}

void print(const Failure& failure, bool json, std::ostream& err) {
  if (!json) {
    err << "pbxctl: " << failure.message << '\n';
    for (const auto& hint : failure.hints) err << "  " << hint << '\n';
    return;
  }
  google::rpc::Status status = failure.status;
  if (status.message().empty()) status.set_message(failure.message);
  google::protobuf::Struct rest;
  auto& fields = *rest.mutable_fields();
  fields["exitCode"].set_number_value(static_cast<int>(failure.code));
  auto& hints = *fields["hints"].mutable_list_value();
  for (const auto& hint : failure.hints) hints.add_values()->set_string_value(hint);
  err << with_member("error", json_line(status), json_line(rest)) << '\n';
}

}  // namespace pbxctl
