#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rights {

// RFC 4648, section 5, without padding. Only what an encoder makes: no '=', no blanks, and no bits
// set behind the last byte, so that one value has one text.
std::optional<std::string> from_base64url(std::string_view text);

// The SHA-256 of `bytes`, in lower-case hex.
std::string sha256_hex(std::string_view bytes);

}  // namespace rights
