#pragma once

#include <chrono>
#include <string>

#include "pbxctl/options.h"

namespace pbxctl {

// What is wrong with the TLS of the server that could not be reached, as a hint; empty if nothing
// is, or it cannot be told. gRPC says no more than that a handshake failed, so this makes one of
// its own, says nothing on it, and looks at what comes.
std::string tls_check(const Options& options, std::chrono::milliseconds patience);

}  // namespace pbxctl
