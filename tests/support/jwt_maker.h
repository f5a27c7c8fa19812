#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace support {

// RFC 4648, section 5, without padding.
std::string to_base64url(std::string_view bytes);

// An issuer's side of JWTs: makes a key pair, shows its public half, and signs what it is told to,
// however wrong that is.
class JwtMaker {
 public:
  // "RS256", "ES256" or "EdDSA". `bits` are RSA's.
  explicit JwtMaker(std::string algorithm, std::string key_id = "key-1", int bits = 2'048);

  std::string jwk() const;                               // of the public key
  std::string jwk_set() const { return set_of(jwk()); }  // with this key alone
  static std::string set_of(std::string_view jwks) {     // separated by commas
    return "{\"keys\":[" + std::string(jwks) + "]}";
  }
  // Of claims as JSON; the header has our algorithm and key.
  std::string token(std::string_view claims) const;
  // Of any header, too.
  std::string token(std::string_view header, std::string_view claims) const;
  // As JWS has it, of bytes.
  std::string signature(std::string_view text) const;
  // As OpenSSL has it: for ES256 that is DER.
  std::string raw_signature(std::string_view text) const;

 private:
  std::string algorithm_, key_id_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace support
