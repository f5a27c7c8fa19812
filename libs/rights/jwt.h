#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "rights/refusal.h"
#include "rights/rules.h"

namespace rights {

// What a token proves: that this issuer calls its bearer so, until then.
struct Claims {
  const Issuer* issuer = nullptr;  // one of those given
  std::string subject;
  std::chrono::system_clock::time_point expires;  // with the issuer's clock skew added
};

// Whether `token` looks like a JWT rather than a word of somebody's choice.
bool is_jwt(std::string_view token);

// Checks a JWT (RFC 7519, a JWS in its compact form) as RFC 8725 has it. The key is the issuer's
// whose name and kind the token's header say, out of the rules and never out of the token; that the
// signature is right comes before any claim but `iss` is looked at. Of the header's other fields,
// "crit" is refused, and what points at keys (jku, jwk, x5u, x5c) is left alone. Never throws.
boost::system::result<Claims, Refusal> verified_claims(std::string_view token, const Rules& rules,
                                                       std::chrono::system_clock::time_point now);

}  // namespace rights
