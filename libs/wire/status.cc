#include "wire/status.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "google/rpc/error_details.pb.h"
#include "wire/link_reasons.h"
#include "wire/text.h"

namespace wire {
namespace {

using base::Errc;
using namespace std::chrono_literals;

// google.rpc.Code, as far as we use it.
enum Code {
  UNKNOWN = 2,
  INVALID_ARGUMENT = 3,
  DEADLINE_EXCEEDED = 4,
  NOT_FOUND = 5,
  ALREADY_EXISTS = 6,
  PERMISSION_DENIED = 7,
  RESOURCE_EXHAUSTED = 8,
  FAILED_PRECONDITION = 9,
  ABORTED = 10,
  OUT_OF_RANGE = 11,
  UNIMPLEMENTED = 12,
  INTERNAL = 13,
  UNAVAILABLE = 14,
  UNAUTHENTICATED = 16,
};

constexpr std::nullopt_t kNoRetry = std::nullopt;

constexpr auto kRows = std::to_array<ErrorRow>({
    {Errc::invalid_argument, INVALID_ARGUMENT, "INVALID_FIELD",
     "Correct the field that BadRequest names.", kNoRetry},
    {Errc::tenant_not_found, NOT_FOUND, "TENANT_NOT_FOUND",
     "Check the name against ListTenants; a new tenant appears when a connector has read its "
     "configuration.",
     kNoRetry},
    {Errc::device_not_found, NOT_FOUND, "DEVICE_NOT_FOUND",
     "Check the name against ListDevices; the PBX may hide the device from the gateway's account.",
     kNoRetry},
    {Errc::call_not_found, NOT_FOUND, "CALL_NOT_FOUND",
     "Take the call as ended; its last event says why.", kNoRetry},
    {Errc::connection_not_found, NOT_FOUND, "CONNECTION_NOT_FOUND",
     "Take the connection as ended, and look at the call for those that it has now.", kNoRetry},
    {Errc::feature_not_supported, UNIMPLEMENTED, "FEATURE_NOT_SUPPORTED",
     "Do without; GetCapabilities tells what this PBX can do, and why not more.", kNoRetry},
    {Errc::incorrect_state, FAILED_PRECONDITION, "INCORRECT_CONNECTION_STATE",
     "Look at the connection's allowed_actions, and try again after an event changes them.",
     kNoRetry},
    {Errc::credentials_missing, FAILED_PRECONDITION, "DEVICE_CREDENTIALS_MISSING",
     "Add the device's credentials to the tenant's configuration.", kNoRetry},
    {Errc::credentials_refused, FAILED_PRECONDITION, "DEVICE_CREDENTIALS_REFUSED",
     "Correct the device's credentials in the tenant's configuration.", kNoRetry},
    {Errc::device_out_of_service, FAILED_PRECONDITION, "DEVICE_OUT_OF_SERVICE",
     "Try again after the device's event backInService.", kNoRetry},
    {Errc::request_id_reused, INVALID_ARGUMENT, "REQUEST_ID_REUSED",
     "Make a new request_id for each request; repeat one only with the same request.", kNoRetry},
    {Errc::page_token_invalid, INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
     "Start again from the first page; keep all other fields the same from page to page.",
     kNoRetry},
    {Errc::marker_invalid, INVALID_ARGUMENT, "RESUME_MARKER_INVALID",
     "Use the marker of an earlier Watch with the same parent and filters, or none.", kNoRetry},
    {Errc::marker_expired, OUT_OF_RANGE, "RESUME_MARKER_EXPIRED",
     "Watch again without a marker, and start from the state that it sends first.", kNoRetry},
    {Errc::watcher_too_slow, RESOURCE_EXHAUSTED, "WATCHER_TOO_SLOW",
     "Watch again from the last marker, and read faster or filter more.", kNoRetry},
    {Errc::permission_denied, PERMISSION_DENIED, "PERMISSION_DENIED",
     "Ask the gateway's operator for the right that the detail names.", kNoRetry},
    {Errc::recording_not_found, NOT_FOUND, "RECORDING_NOT_FOUND",
     "Search the call again: the PBX may have deleted the recording, or not stored it yet.",
     kNoRetry},
    {Errc::challenge_used, FAILED_PRECONDITION, "CHALLENGE_USED",
     "Have the browser connect to the PBX anew, and sign the challenge that it then gets.",
     kNoRetry},

    {Errc::resource_not_found, NOT_FOUND, "RESOURCE_NOT_FOUND",
     "Check the name against the list of its kind; somebody may have deleted it.", kNoRetry},
    {Errc::already_exists, ALREADY_EXISTS, "RESOURCE_EXISTS",
     "Take the one that is there, or choose another name, number or login.", kNoRetry},
    {Errc::unauthenticated, UNAUTHENTICATED, "CREDENTIALS_REQUIRED",
     "Send `authorization: Bearer <token>` with each RPC, or connect with a client certificate.",
     kNoRetry},
    {Errc::credentials_invalid, UNAUTHENTICATED, "CREDENTIALS_INVALID",
     "Read what is wrong with them in the message; the operator's policy file says whom it knows.",
     kNoRetry},
    {Errc::credentials_expired, UNAUTHENTICATED, "CREDENTIALS_EXPIRED",
     "Get a new token or certificate, and check the clocks of both sides.", kNoRetry},
    {Errc::access_denied, PERMISSION_DENIED, "ACCESS_DENIED",
     "Ask the gateway's operator for the group of services and the tenant that the message names.",
     kNoRetry},
    {Errc::rate_limited, RESOURCE_EXHAUSTED, "RATE_LIMITED",
     "Wait as long as RetryInfo says: nothing was sent.", 1s},
    {Errc::owner_moving, UNAVAILABLE, "OWNER_MOVING",
     "Try again: nothing was sent, and another connector takes over within the lease time.", 1s},
    {Errc::pbx_disconnected, UNAVAILABLE, "PBX_DISCONNECTED",
     "Try again: nothing was sent. The tenant's link status says why and when the next attempt "
     "is.",
     5s},
    {Errc::shutting_down, UNAVAILABLE, "SHUTTING_DOWN",
     "Try again: nothing was sent, and another instance answers.", 100ms},
    {Errc::bus_unavailable, UNAVAILABLE, "BUS_UNAVAILABLE",
     "Try again: nothing was sent. If it lasts, the operator should look at NATS.", 2s},
    {Errc::too_many_requests, RESOURCE_EXHAUSTED, "PERFORMANCE_LIMIT_EXCEEDED",
     "Try again later, and with fewer requests at once: nothing was sent.", 1s},
    {Errc::pbx_refused, UNKNOWN, "VENDOR_ERROR",
     "Read the PBX's own words in the detail; it was not done.", kNoRetry},
    {Errc::effect_not_seen, DEADLINE_EXCEEDED, "EFFECT_NOT_SEEN",
     "Look at the call: it may still happen. Repeat only with the same request_id.", kNoRetry},
    {Errc::outcome_unknown, ABORTED, "OUTCOME_UNKNOWN",
     "Look at the call before asking again: it may have been done.", kNoRetry},
    {Errc::internal, INTERNAL, "INTERNAL_ERROR",
     "Report it, with the time and the request: it is a bug of the gateway.", kNoRetry},

    // Of the bus, where a question rather than a command failed. Of the others nothing should ever
    // reach a caller, and what does is INTERNAL.
    {Errc::timed_out, DEADLINE_EXCEEDED, "TIMED_OUT",
     "Try again, or with a longer deadline; for a command look at the call first.", kNoRetry},
    {Errc::message_too_big, RESOURCE_EXHAUSTED, "MESSAGE_TOO_BIG",
     "Ask for a smaller page, or attach less data.", kNoRetry},
    {Errc::overloaded, RESOURCE_EXHAUSTED, "OVERLOADED",
     "Try again later: a queue of the gateway is full.", 1s},
});

// ---- Limits: with these the details cannot reach kDetailsMax; status_test.cc tries the worst ----

constexpr std::size_t kMessageMax = 512;
constexpr std::size_t kValueMax = 160;
constexpr std::size_t kFieldMax = 128;
constexpr std::size_t kKeyMax = 64;
constexpr std::size_t kMetadataMax = 8;

std::string shortened(std::string_view text, std::size_t bytes_max) {
  std::string out;
  assign_text(out, text);
  out.resize(clip(out, bytes_max).size());
  return out;
}

bool is_key(std::string_view key) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_rest = [&](char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return key.size() >= 2 && key.size() <= kKeyMax && is_lower(key[0]) &&
         std::all_of(key.begin() + 1, key.end(), is_rest);
}

google::rpc::ErrorInfo error_info(const Failure& failure, const ErrorRow& row) {
  google::rpc::ErrorInfo out;
  out.set_reason(row.reason);
  out.set_domain(kErrorDomain);
  auto& metadata = *out.mutable_metadata();
  for (const auto& [key, value] : failure.metadata) {
    if (metadata.size() == kMetadataMax) break;
    if (is_key(key)) metadata[key] = shortened(value, kValueMax);
  }
  return out;
}

google::rpc::BadRequest bad_request(const Failure& failure, const std::string& message) {
  google::rpc::BadRequest out;
  auto& violation = *out.add_field_violations();
  violation.set_field(shortened(failure.field, kFieldMax));
  violation.set_description(message);
  return out;
}

google::rpc::RetryInfo retry_info(std::chrono::milliseconds after) {
  google::rpc::RetryInfo out;
  const auto whole = std::chrono::floor<std::chrono::seconds>(after);
  out.mutable_retry_delay()->set_seconds(whole.count());
  out.mutable_retry_delay()->set_nanos(
      static_cast<std::int32_t>(std::chrono::nanoseconds(after - whole).count()));
  return out;
}

google::rpc::PreconditionFailure precondition_failure(const ErrorRow& row,
                                                      const std::string& subject,
                                                      const std::string& message) {
  google::rpc::PreconditionFailure out;
  auto& violation = *out.add_violations();
  violation.set_type(row.reason);
  violation.set_subject(subject);
  violation.set_description(message);
  return out;
}

// "pbxgw.dev/Call" for tenants/acme/calls/c1-1: as the protos' resource annotations.
const char* resource_type(std::string_view name) {
  const auto within = [&](std::string_view collection) {
    return name.find(collection) != std::string_view::npos;
  };
  if (within("/connections/")) return "pbxgw.dev/Connection";
  if (within("/calls/")) return "pbxgw.dev/Call";
  if (within("/devices/")) return "pbxgw.dev/Device";
  if (within("/recordings/")) return "pbxgw.dev/Recording";
  return "pbxgw.dev/Tenant";
}

google::rpc::ResourceInfo resource_info(const std::string& name, const std::string& message) {
  google::rpc::ResourceInfo out;
  out.set_resource_type(resource_type(name));
  out.set_resource_name(name);
  out.set_description(message);
  return out;
}

std::string delay_text(const std::optional<std::chrono::milliseconds>& delay) {
  if (!delay) return "";
  if (*delay % 1s == 0s) return std::to_string(*delay / 1s) + " s";
  return std::to_string(delay->count()) + " ms";
}

}  // namespace

std::span<const ErrorRow> error_rows() { return kRows; }

const char* name_of_code(int code) noexcept {
  static constexpr std::array kNames = {"OK",
                                        "CANCELLED",
                                        "UNKNOWN",
                                        "INVALID_ARGUMENT",
                                        "DEADLINE_EXCEEDED",
                                        "NOT_FOUND",
                                        "ALREADY_EXISTS",
                                        "PERMISSION_DENIED",
                                        "RESOURCE_EXHAUSTED",
                                        "FAILED_PRECONDITION",
                                        "ABORTED",
                                        "OUT_OF_RANGE",
                                        "UNIMPLEMENTED",
                                        "INTERNAL",
                                        "UNAVAILABLE",
                                        "DATA_LOSS",
                                        "UNAUTHENTICATED"};
  const auto index = static_cast<std::size_t>(code);
  return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

const ErrorRow& row_of(const base::Error& error) {
  const auto find = [](const base::Error& code) {
    return std::find_if(kRows.begin(), kRows.end(),
                        [&](const ErrorRow& row) { return code == base::Error(row.code); });
  };
  const auto found = find(error);
  return found != kRows.end() ? *found : *find(Errc::internal);
}

google::rpc::Status to_status(const Failure& failure) {
  const ErrorRow& row = row_of(failure.why);
  google::rpc::Status out;
  out.set_code(row.grpc_code);
  const std::string& detail = failure.detail;
  out.set_message(shortened(detail.empty() ? failure.why.message() : detail, kMessageMax));
  out.add_details()->PackFrom(error_info(failure, row));
  if (!failure.field.empty()) out.add_details()->PackFrom(bad_request(failure, out.message()));
  const auto wait = failure.retry_after ? failure.retry_after : row.retry_after;
  if (wait) out.add_details()->PackFrom(retry_info(*wait));

  const auto found = failure.metadata.find("resource");
  const auto resource =
      found == failure.metadata.end() ? std::string() : shortened(found->second, kValueMax);
  if (row.grpc_code == FAILED_PRECONDITION) {
    out.add_details()->PackFrom(precondition_failure(row, resource, out.message()));
  }
  if (row.grpc_code == NOT_FOUND && !resource.empty()) {
    out.add_details()->PackFrom(resource_info(resource, out.message()));
  }
  return out;
}

std::string errors_markdown() {
  std::string out = R"(# Errors

This file is made from the tables in `libs/wire/status.cc` and `libs/wire/link_reasons.cc`; a test
compares them. To make it anew: `PBXGW_WRITE_DOCS=1 wire_test --gtest_filter='*Markdown*'`.

## What an RPC can fail with

Every error carries a `google.rpc.ErrorInfo` with the domain `)";
  out += kErrorDomain;
  out += R"(` and one of these reasons, which mean
the same for ever. Beside it there may be a `BadRequest` (the field that is wrong), a `RetryInfo` (how long
to wait: the column "Retry after"), a `PreconditionFailure` or a `ResourceInfo`. Only UNAVAILABLE may be
retried blindly: it says that nothing was sent to the PBX.

| Reason | gRPC code | What it means | What to do | Retry after |
| --- | --- | --- | --- | --- |
)";
  for (const auto& row : kRows) {
    out.append("| `").append(row.reason).append("` | ").append(name_of_code(row.grpc_code));
    out.append(" | ").append(base::Error(row.code).message());
    out.append(" | ").append(row.advice);
    out.append(" | ").append(delay_text(row.retry_after)).append(" |\n");
  }
  out += R"(
## Why a link is not up

`Tenant.link.reason`, and that of link events. The detail beside it says more.

| LinkReason | What it means | What to do |
| --- | --- | --- |
)";
  for (const auto& row : link_reason_rows()) {
    const auto& error = row.error;
    out.append("| `").append(pbxgw::v1::LinkReason_Name(row.reason));
    out.append("` | ").append(error ? error.message() : "something else");
    out.append(" | ").append(row.advice).append(" |\n");
  }
  return out;
}

}  // namespace wire
