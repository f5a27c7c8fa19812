#pragma once

#include <string>

#include "simulator/engine/random.h"
#include "simulator/innovaphone/digest.h"
#include "simulator/innovaphone/pbx.h"

// The base layer, where this PBX is the one that is logged in to.
namespace simulator::innovaphone {

// A new one, as the tenant's settings want it: at most 16 hex digits, or only decimal ones.
std::string make_challenge(const Settings& settings, engine::Random& random);

// What an AppLogin says. Members that are missing or null are empty.
LoginFields fields_of(const Message& login);

// Whether the digest is right. The text of `info` counts as it stands in the message; if that does
// not do, without white space and needless escapes; and if there is none, an empty one does too, as
// some of the vendor's samples have it.
bool is_proven(const LoginFields& login, std::string_view digest, std::string_view challenge,
               std::string_view password);

// Lets the socket in, or not. A login with a user's name in `sip` is confined to that user (from
// 13r3 on), and so is one with the user's own password.
bool log_in(const Pbx& pbx, Socket& socket, const Message& login);

// Whether a socket that is in may use an API.
bool is_granted(const Socket& socket, std::string_view api);

}  // namespace simulator::innovaphone
