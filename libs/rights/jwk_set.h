#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "rights/signature_key.h"

namespace rights {

// A key as a set of keys has it.
struct Jwk {
  std::optional<std::string> id;  // `kid`
  SignatureKey key;

  bool operator==(const Jwk&) const = default;
};

inline constexpr std::size_t kJwkSetBytesMax = 256 << 10;
inline constexpr std::size_t kJwksMax = 64;

// The keys of a JWK set (RFC 7517) that tokens may be signed with; `file` is what `problems` call
// it. Keys of other kinds, for other uses or algorithms are left out, as the RFC has it. A set that
// has none for us, two with one name, or one that should not be shown to us (private, or a shared
// secret), is a mistake. Never throws, whatever the text.
std::vector<Jwk> jwk_set_from(std::string_view text, const std::string& file,
                              std::vector<config::Problem>& problems);

}  // namespace rights
