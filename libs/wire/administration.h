#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "call/administration.h"
#include "pbxgw/v1/command.pb.h"

// call::Order and call::OrderReply ↔ what control and connectors say of them. Control passes the
// public requests on as they are: only the owner of a tenant translates.
namespace wire {

// invalid_argument if it asks for nothing, a name is of another form or tenant, or a number is out
// of range: then it did not come through control.
base::Result<call::Order> from_proto(const base::TenantId& tenant, const pbxgw::v1::Order& order);

pbxgw::v1::OrderResult::Resource to_proto(const base::TenantId& tenant,
                                          const call::Resource& resource);
pbxgw::v1::AgentSession to_proto(const call::AgentSession& session);
// Of all replies but Refusal, for which it is empty.
pbxgw::v1::OrderResult result_of(const base::TenantId& tenant, const call::OrderReply& reply);

// "CreateDevice": the RPC that asked for it; empty if it asks for nothing.
std::string rpc_of(const pbxgw::v1::Order& order);
// The resource name that it is about: of what is read or deleted, or in which something is made or
// listed; empty for a device's session.
std::string resource_of(const pbxgw::v1::Order& order);
// As call::changes_something().
bool changes_something(const pbxgw::v1::Order& order);

}  // namespace wire
