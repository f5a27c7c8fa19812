#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace bus {

// NATS' key pairs ("nkeys"): Ed25519, written in base32 with what they are for and a checksum. The
// public key, "U…", of a user's seed, "SU…". invalid_argument if it is none.
base::Result<std::string> public_nkey(std::string_view seed);

}  // namespace bus
