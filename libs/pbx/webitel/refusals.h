#pragma once

#include <string>
#include <string_view>

#include "call/command.h"
#include "pbx/webitel/rest.h"

// What the PBX's errors mean to whoever asked. The same on the socket and over REST (webitel.md
// 2.4): a reply on the socket is made a RestError. No detail of the PBX's is told as it is: some
// repeat a token, others the number of somebody outside.
namespace pbx::webitel {

// Of an error by its id if we know it, by its code otherwise.
call::Refusal refusal_of(const RestError& error);
// Of a request that had no reply: why, and whether it was sent. `changes`: whether the PBX may be
// another one now.
call::Refusal refusal_of(const base::Error& error, bool changes);
// It came from a proxy that lost the PBX while that was at work: it may have been carried out.
bool may_have_happened(const RestError& error);

// "calls read": the permission that a 403 says is missing; empty if it does not name one.
std::string permission_of(std::string_view detail);
// "USER_BUSY": the switch's cause in the detail of external.new_call.app_error; empty if there is
// none.
std::string switch_cause_of(std::string_view detail);
// Whether a sentence of the PBX's can be told: short, printable, and without what looks like a
// token or an address.
bool is_tellable(std::string_view sentence);

}  // namespace pbx::webitel
