#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "call/model.h"
#include "pbx/innovaphone/codec.h"

// What users set for themselves at the PBX, and how PbxApi has it: forwardings, which the PBX calls
// diversions, and presence.
namespace pbx::innovaphone {

// Those that hold for every caller; one of each type, the first.
std::vector<call::Forwarding> forwardings_of(const std::vector<Diversion>& diversions);

// "cfu", "cfb", "cfnr"; nothing: the PBX has no such type. AddDiversion of a type replaces the one
// that is there: DelDiversion and GetDiversion know one of each, too (inferred).
std::optional<std::string_view> diversion_type(call::ForwardingType type);

// What SetPresence takes: "" for "available", which the PBX has no word for, else the PBX's own
// word. invalid_argument for what the PBX makes by itself.
base::Result<std::string> activity_of(std::string_view presence);

// Do-not-disturb is an activity: whether calls are refused is for the PBX's configuration to say.
// Switching it off makes the user available, so it is for those only who have it on.
inline constexpr std::string_view kDoNotDisturb = "dnd";

// Whether a request of PbxApi was carried out. AddDiversion and DelDiversion say ok; all others say
// so by naming no error.
bool is_refused(const Result& result);

}  // namespace pbx::innovaphone
