#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "pbxgw/v1/tenant.pb.h"

// Why a link is not up: base::Errc, by its name in call::LinkEvent, → LinkReason, and what an
// operator can do about it.
namespace wire {

struct LinkReasonRow {
  pbxgw::v1::LinkReason reason;
  base::Error error;
  const char* advice;  // a sentence, for docs/errors.md
};
// One for each LinkReason but UNSPECIFIED, in the order of the enumeration.
std::span<const LinkReasonRow> link_reason_rows();

// UNSPECIFIED for the empty name, OTHER for one that is not in the table.
pbxgw::v1::LinkReason to_link_reason(std::string_view error_name);
// The name that to_link_reason() takes: "" for UNSPECIFIED, "other" for OTHER and for numbers that
// are none.
const char* error_name_of(pbxgw::v1::LinkReason reason);

}  // namespace wire
