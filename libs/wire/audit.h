#pragma once

#include <string>
#include <string_view>

#include "pbxgw/v1/audit.pb.h"

// pbxgw.v1.AuditRecord → CloudEvent bytes.
namespace wire {

// "begun", "done", "failed" or "refused": the last part of the CloudEvent's type.
const char* outcome_of(const pbxgw::v1::AuditRecord& record) noexcept;

// A whole CloudEvent in structured mode, as JSON: auditors' tools read that without our protos, and
// there are not so many of them that its size would matter. Its content type is that of
// Format::json.
std::string encode_audit(const pbxgw::v1::AuditRecord& record, std::string_view id);

}  // namespace wire
