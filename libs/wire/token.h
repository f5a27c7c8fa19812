#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wire {

// Any foreign identifier as one token of a NATS subject, a KV key or a resource name, and back:
// bytes of [A-Za-z0-9-] stand for themselves, any other byte is "_" and two lower-case hex digits,
// and the empty string is "_". Reversible: from_token(to_token(x)) == x for every x.
std::string to_token(std::string_view text);
void append_token(std::string& out, std::string_view text);
// nullopt if `token` is not what to_token() makes.
std::optional<std::string> from_token(std::string_view token);

}  // namespace wire
