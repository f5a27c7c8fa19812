#pragma once

#include <string>

#include "base/ids.h"
#include "call/event.h"

// Every NATS subject, stream and bucket of ours, built here only. docs/nats.md lists them for
// consumers.
namespace wire {

// pbx.v1.events.<tenant>.call.<device>.<event>, ….device.<device>.<event>, ….link.<event>.
// The device of a call event is the one whose connection it is; for callCleared that of the first
// connection. An outside party's number never stands in a subject: its token is "outside".
std::string event_subject(const base::TenantId& tenant, const call::Event& event);
// pbx.v1.events.<tenant>.> ; "*" for every tenant.
std::string events_of(const base::TenantId& tenant);
std::string all_events();                                   // pbx.v1.events.>
std::string command_subject(const base::TenantId& tenant);  // pbx.v1.commands.<tenant>

inline constexpr char kEventStream[] = "PBX_EVENTS";
inline constexpr char kLeaseBucket[] = "pbxgw_leases";
inline constexpr char kTenantBucket[] = "pbxgw_tenants";
inline constexpr char kCheckpointBucket[] = "pbxgw_checkpoints";
inline constexpr char kRequestBucket[] = "pbxgw_requests";

}  // namespace wire
