#pragma once

#include <string>

#include "base/ids.h"
#include "call/event.h"

// Every NATS subject, stream and bucket of ours, built here only. docs/nats.md lists them for
// consumers.
namespace wire {

// pbx.v1.events.<tenant>.call.<device>.<event>, ….device.<device>.<event>, ….link.<event>.
// The device of a call event is the one whose connection it is; for callCleared that of the first
// connection. An outside party's number never stands in a subject, nor that of a party of unknown
// kind: their token is "outside". A token of more than 100 characters is replaced by "_h" and a
// hash of the id, so that the subject stays below 256.
std::string event_subject(const base::TenantId& tenant, const call::Event& event);
// "call", "device" or "link"; a StreamGap is of the link.
const char* event_class(const call::Event& event) noexcept;
// The last token: "established", "backInService", "up", "streamGap".
const char* event_name(const call::Event& event) noexcept;

// pbx.v1.events.<tenant>.> ; "*" for every tenant.
std::string events_of(const base::TenantId& tenant);
std::string all_events();                                   // pbx.v1.events.>
std::string command_subject(const base::TenantId& tenant);  // pbx.v1.commands.<tenant>
// pbx.v1.audit.<tenant>; of the empty tenant, which is none, pbx.v1.audit._
std::string audit_subject(const base::TenantId& tenant);
std::string all_audit();  // pbx.v1.audit.*

inline constexpr char kEventStream[] = "PBX_EVENTS";
inline constexpr char kAuditStream[] = "PBX_AUDIT";
inline constexpr char kLeaseBucket[] = "pbxgw_leases";
inline constexpr char kTenantBucket[] = "pbxgw_tenants";
inline constexpr char kCheckpointBucket[] = "pbxgw_checkpoints";
inline constexpr char kRequestBucket[] = "pbxgw_requests";

}  // namespace wire
