#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "google/rpc/status.pb.h"

// The one table of errors: base::Errc → gRPC code, ErrorInfo reason, and what to do about it.
namespace wire {

// ErrorInfo.domain: a (reason, domain) pair means one thing for ever.
inline constexpr char kErrorDomain[] = "pbxgw.dev";

struct ErrorRow {
  base::Errc code;
  int grpc_code;       // google.rpc.Code, the same numbers as grpc::StatusCode
  const char* reason;  // UPPER_SNAKE
  const char* advice;  // what a caller can do: a sentence, for docs/errors.md
  std::optional<std::chrono::milliseconds> retry_after;  // RetryInfo, for UNAVAILABLE and the like
};
// Every error that can reach a caller.
std::span<const ErrorRow> error_rows();
// The row for `error`; that of `internal` for one not in the table: an unknown error raises an
// alarm.
const ErrorRow& row_of(const base::Error& error);

// A failure on its way to a caller. The message is for developers; every variable part of it stands
// in the metadata too (AIP-193). `field` makes it a BadRequest violation.
struct Failure {
  base::Error why;
  std::string detail;                           // a sentence; empty: the error's own message
  std::string field;                            // the request's field that is wrong, if one is
  std::map<std::string, std::string> metadata;  // keys [a-z][a-zA-Z0-9-_]+
};
google::rpc::Status to_status(const Failure& failure);

// docs/errors.md: the table as Markdown. A test compares.
std::string errors_markdown();

}  // namespace wire
