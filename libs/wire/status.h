#pragma once

#include <chrono>
#include <cstddef>
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

// "NOT_FOUND": of a google.rpc.Code, or grpc::StatusCode.
const char* name_of_code(int code) noexcept;

// The details of a Status stay below this, so that with the message they fit the headers of gRPC
// (8 KiB, in base64): texts that are too long are cut, and metadata beyond the first few left out.
inline constexpr std::size_t kDetailsMax = 4096;

// A failure on its way to a caller. The message is for developers; every variable part of it stands
// in the metadata too (AIP-193). `field` makes it a BadRequest violation.
struct Failure {
  base::Error why;
  std::string detail{};  // a sentence; empty: the error's own message
  std::string field{};   // the request's field that is wrong, if one is
  // Keys [a-z][a-zA-Z0-9-_]+, at most 64 characters; others are left out. "resource", a resource
  // name, also makes the ResourceInfo of a NOT_FOUND.
  std::map<std::string, std::string> metadata{};
  // Instead of the row's; of a limit that knows better.
  std::optional<std::chrono::milliseconds> retry_after{};
};
// Always with ErrorInfo; with BadRequest if there is a `field`, RetryInfo if the row has a delay,
// PreconditionFailure for FAILED_PRECONDITION, and ResourceInfo as said above.
google::rpc::Status to_status(const Failure& failure);

// docs/errors.md: the table, and that of link_reasons.h, as Markdown. A test compares.
std::string errors_markdown();

}  // namespace wire
