#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "call/history.h"
#include "pbxgw/v1/command.pb.h"

// call::SearchCalls and call::PastCalls ↔ what control and connectors say of them.
namespace wire {

pbxgw::v1::HistoryRequest::Search to_proto(const call::SearchCalls& search);
// `now` stays as it is by default: it is of the clock of whoever asks the PBX. invalid_argument if
// a time is none, or the limit is not positive.
base::Result<call::SearchCalls> from_proto(const pbxgw::v1::HistoryRequest::Search& search);

pbxgw::v1::PastCall to_proto(const base::TenantId& tenant, const call::PastCall& call);
pbxgw::v1::HistoryResult::Page to_proto(const base::TenantId& tenant, const call::PastCalls& page);
// bad_frame if a field is missing or out of range: then it was not made by us. What comes back is
// what was given to to_proto(), but for bytes that are not UTF-8.
base::Result<call::PastCalls> from_proto(const pbxgw::v1::HistoryResult::Page& page);

}  // namespace wire
