#pragma once

#include <string>

#include "conformance/gateway.h"

// What happened, and what is true, in a form that people read and tests compare.
namespace conformance {

// The calls' events by connection, as in Scenario::told: a line for each connection, in the order
// of the calls (A, B, …), and one for the call's end. A cause stands where it is not the usual one
// of its event. What is no step of a call is left out: information, and what devices do. `from`:
// without what was told before.
std::string story_of(const std::vector<Gateway::Told>& told, std::size_t from = 0);
// The same text without indentation, and with single blanks.
std::string tidy(const char* story);

// What is true at the PBX: the same text as long as nothing happens there.
std::string truth(const Gateway& gateway);

// What differs between what consumers believe and what is true at the PBX; empty if nothing does.
// What stays invisible in the vendor's protocol (BlindSpots) may, or may not, be known.
std::string differences(const Gateway& gateway);
std::string differences(const Gateway& gateway, const BlindSpots& blind);

// Events that break the rule of exactly one end for each call, all being over.
std::string unfinished(const Gateway& gateway);

}  // namespace conformance
