#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace rights {

// How a token may be signed. There is no "none" and no shared secret in this list, so there is none
// to choose by mistake.
enum class Algorithm {
  rs256,  // RSASSA-PKCS1-v1_5 with SHA-256
  es256,  // ECDSA on P-256 with SHA-256
  eddsa,  // Ed25519
};
inline constexpr std::array kAlgorithms = {Algorithm::rs256, Algorithm::es256, Algorithm::eddsa};

std::string_view name_of(Algorithm algorithm);  // "RS256"
std::optional<Algorithm> algorithm_from(std::string_view name);

// A public key, which goes with one algorithm. Cheap to copy; any thread.
class SignatureKey {
 public:
  static constexpr int kRsaBitsMin = 2'048, kRsaBitsMax = 8'192;

  // Of numbers as their big-endian bytes. Nothing if that is no such key; `why` then says so.
  static std::optional<SignatureKey> rsa(std::string_view modulus, std::string_view exponent,
                                         std::string& why);
  static std::optional<SignatureKey> p256(std::string_view x, std::string_view y, std::string& why);
  static std::optional<SignatureKey> ed25519(std::string_view x, std::string& why);

  Algorithm algorithm() const { return algorithm_; }
  // Whether `signature`, as JWS has it (for ES256 r and s, 32 bytes each), is this key's of `text`.
  bool verifies(std::string_view text, std::string_view signature) const;

  friend bool operator==(const SignatureKey& a, const SignatureKey& b) {
    return a.algorithm_ == b.algorithm_ && a.material_ == b.material_;
  }

 private:
  SignatureKey(Algorithm algorithm, std::shared_ptr<evp_pkey_st> key, std::string material);

  Algorithm algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
  std::string material_;  // what it was made of
};

}  // namespace rights
