#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "call/model.h"

// What commands say to the PBX, and what it answers (webitel.md 3.5, 5.2, 5.3).
namespace pbx::webitel {

inline constexpr std::size_t kNumberMax = 64;

// What is dialled of a number as people write it: digits, '*', '#', and '+' in front. Nothing if
// there is anything else in it, or nothing to dial.
std::optional<std::string> dialled_number(std::string_view number);
// Whether the PBX may mean the one by the other: with or without the country's prefix.
bool is_same_number(std::string_view one, std::string_view other);

// REST's variables become the switch's own variables, too, so a name must not be able to say more
// than a name.
bool is_variable(std::string_view name);
// One that is not, for a sentence about it.
std::string shown_name(std::string_view name);

std::string make_call_body(std::string_view extension, std::string_view number,
                           const std::map<std::string, std::string>& variables);
// The leg's id; nothing if the reply does not have it.
std::optional<std::string> made_leg(std::string_view body);

// `data` of messages on the socket.
std::string leg_data(std::string_view id, std::string_view app_id);
std::string hangup_data(std::string_view id, std::string_view app_id, std::string_view cause);
std::string digit_data(std::string_view id, std::string_view app_id, char digit);
std::string transfer_data(std::string_view id, std::string_view number);
std::string bridge_data(std::string_view from, std::string_view to);

std::string presence_body(bool do_not_disturb);
// The PBX's word for it; nothing if it cannot be set.
std::optional<std::string_view> status_word(call::AgentState state);
std::string agent_status_body(std::string_view status, std::string_view reason);

}  // namespace pbx::webitel
