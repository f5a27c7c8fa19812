#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "pbx/innova360/codec.h"

// The words that Innova360 puts into its fields. The vendor's page lists none of them, so each
// table holds Asterisk's, which the message family points to, and their likely Spanish forms.
namespace pbx::innova360 {

// Whether a leg goes out from `extension`.
bool outgoing_of(std::string_view direction, std::string_view extension, std::string_view phone_a,
                 std::string_view phone_b);
// By the state if it says anything, else by its description.
Step step_of(std::string_view state, std::string_view description);
ExtensionState extension_state_of(std::string_view status);
// Why a leg ended: a Q.850 number or a text; `unspecified` if it tells nothing.
std::pair<call::Cause, call::VendorCause> cause_of(std::string_view cause);
// The id in a Bridge field; empty for a mere flag.
std::string bridge_of(std::string_view bridge);

}  // namespace pbx::innova360
