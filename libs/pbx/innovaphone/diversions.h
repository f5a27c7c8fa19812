#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "call/command.h"
#include "call/model.h"
#include "pbx/innovaphone/codec.h"

// What users have set for themselves at the PBX, and how it is set for them (PbxApi): forwardings,
// which the PBX calls diversions, and presence. Each text is one request, answered by a Result with
// its `src`; refusal_of() reads that. An API that is not granted does not answer.
namespace pbx::innovaphone {

// ---- Forwardings. ----

// Those that hold for every caller; one of each type, the first.
std::vector<call::Forwarding> forwardings_of(const std::vector<Diversion>& diversions);

// "cfu", "cfb", "cfnr"; nothing: the PBX has no such type.
std::optional<std::string_view> diversion_type(call::ForwardingType type);

// To be sent in this order, on the socket of the user's own PBX; the verdict is the last one's, and
// only that has `src` itself. Whether AddDiversion replaces one of the same type is not documented,
// so what is there now (`diversions`) goes first. From 14r1 on. Precondition: the type has a name.
std::vector<std::string> set_forwarding(const std::string& guid, const call::Forwarding& forwarding,
                                        const std::vector<Diversion>& diversions,
                                        std::string_view src);
// Answered with `number` or `sip`; both empty if there is none. Those that an administrator has set
// are not told.
std::string get_forwarding(const std::string& guid, call::ForwardingType type,
                           std::string_view src);
// What `diversions` are once set_forwarding() was accepted: where no table tells.
void apply(const call::Forwarding& forwarding, std::vector<Diversion>& diversions);

// ---- Presence. ----

// "available", which the PBX has no word for, or the PBX's own; refused is what cannot be set.
base::Result<std::string> activity_of(std::string_view presence);
std::string set_presence(const std::string& guid, std::string_view activity, std::string_view note,
                         std::string_view src);
// DND is an activity: whether calls are refused is for the PBX's configuration to say. "Off" makes
// the user available, so it is for those only who have it on.
inline constexpr std::string_view kDoNotDisturb = "dnd";

// ---- How they are answered. ----

// Nothing: it was done. What else there is to say of it, is a sentence for the caller.
std::optional<call::Refusal> refusal_of(const Result& result);

}  // namespace pbx::innovaphone
