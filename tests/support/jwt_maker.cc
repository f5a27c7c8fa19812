#include "support/jwt_maker.h"

#include <array>
#include <stdexcept>
#include <utility>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

namespace support {
namespace {

void expect(bool right, const char* what) {
  if (!right) throw std::runtime_error(std::string("JwtMaker: ") + what);
}

// Big-endian, filled up to `size`.
std::string bytes_of(const BIGNUM* number, int size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  expect(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), size) == size,
         "number");
  return bytes;
}

std::string parameter(EVP_PKEY* key, const char* name, int size) {
  BIGNUM* number = nullptr;
  expect(EVP_PKEY_get_bn_param(key, name, &number) == 1, name);
  const auto bytes = bytes_of(number, size ? size : BN_num_bytes(number));
  BN_free(number);
  return to_base64url(bytes);
}

std::string field(std::string_view name, std::string_view text) {
  return ",\"" + std::string(name) + "\":\"" + std::string(text) + '"';
}

}  // namespace

std::string to_base64url(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      bits = bits << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0);
    }
    const std::size_t digits = bytes.size() - i >= 3 ? 4 : bytes.size() - i + 1;
    for (std::size_t j = 0; j < digits; ++j) text += kAlphabet[bits >> (18 - 6 * j) & 63];
  }
  return text;
}

JwtMaker::JwtMaker(std::string algorithm, std::string key_id, int bits)
    : algorithm_(std::move(algorithm)), key_id_(std::move(key_id)) {
  EVP_PKEY* key = algorithm_ == "RS256"   ? EVP_RSA_gen(static_cast<unsigned>(bits))
                  : algorithm_ == "ES256" ? EVP_EC_gen("P-256")
                                          : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  expect(key, "no key");
  key_.reset(key, EVP_PKEY_free);
}

std::string JwtMaker::jwk() const {
  std::string out = "{\"use\":\"sig\"";
  out += field("kid", key_id_) + field("alg", algorithm_);
  if (algorithm_ == "RS256") {
    out += field("kty", "RSA") + field("n", parameter(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0)) +
           field("e", parameter(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0));
  } else if (algorithm_ == "ES256") {
    out += field("kty", "EC") + field("crv", "P-256") +
           field("x", parameter(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32)) +
           field("y", parameter(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32));
  } else {
    std::array<unsigned char, 32> bytes{};
    std::size_t size = bytes.size();
    expect(EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size) == 1, "public key");
    out += field("kty", "OKP") + field("crv", "Ed25519") +
           field("x", to_base64url({reinterpret_cast<char*>(bytes.data()), size}));
  }
  return out + '}';
}

std::string JwtMaker::token(std::string_view claims) const {
  return token("{\"alg\":\"" + algorithm_ + "\",\"typ\":\"JWT\",\"kid\":\"" + key_id_ + "\"}",
               claims);
}

std::string JwtMaker::token(std::string_view header, std::string_view claims) const {
  const auto text = to_base64url(header) + '.' + to_base64url(claims);
  return text + '.' + to_base64url(signature(text));
}

std::string JwtMaker::signature(std::string_view text) const {
  const auto raw = raw_signature(text);
  if (algorithm_ != "ES256") return raw;
  const auto* in = reinterpret_cast<const unsigned char*>(raw.data());
  const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> both(
      d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(raw.size())), ECDSA_SIG_free);
  expect(both != nullptr, "signature");
  return bytes_of(ECDSA_SIG_get0_r(both.get()), 32) + bytes_of(ECDSA_SIG_get0_s(both.get()), 32);
}

std::string JwtMaker::raw_signature(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  const EVP_MD* digest = algorithm_ == "EdDSA" ? nullptr : EVP_sha256();
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  expect(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1 &&
             EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) == 1,
         "cannot sign");
  std::string out(size, '\0');
  expect(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes,
                        text.size()) == 1,
         "cannot sign");
  out.resize(size);
  return out;
}

}  // namespace support
