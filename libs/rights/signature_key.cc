#include "rights/signature_key.h"

#include <algorithm>
#include <utility>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/handle.h"

namespace rights {
namespace {

using Number = std::unique_ptr<BIGNUM, base::FreedBy<BN_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, base::FreedBy<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, base::FreedBy<EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, base::FreedBy<ECDSA_SIG_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, base::FreedBy<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, base::FreedBy<OSSL_PARAM_free>>;

constexpr std::size_t kP256Bytes = 32;

// OpenSSL leaves what failed in a queue of the thread. The thread is gRPC's, whose TLS would take
// it for a failure of its own.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number_from(std::string_view bytes) {
  return Number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

std::shared_ptr<EVP_PKEY> shared(EVP_PKEY* key) {
  return key ? std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free) : nullptr;
}

std::shared_ptr<EVP_PKEY> public_key(const char* type, const ParameterBuilder& builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return shared(key);
}

// JWS has r and s side by side, OpenSSL wants them in ASN.1. Empty if that cannot be done.
std::string der_from(std::string_view signature) {
  if (signature.size() != 2 * kP256Bytes) return {};
  const EcSignature both(ECDSA_SIG_new());
  Number r = number_from(signature.substr(0, kP256Bytes));
  Number s = number_from(signature.substr(kP256Bytes));
  if (!both || !r || !s || ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(both.get(), &out);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return der;
}

}  // namespace

std::string_view name_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rs256: return "RS256";
    case Algorithm::es256: return "ES256";
    case Algorithm::eddsa: return "EdDSA";
  }
  return "";
}

std::optional<Algorithm> algorithm_from(std::string_view name) {
  const auto found = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                                  [&](Algorithm it) { return name_of(it) == name; });
  if (found == kAlgorithms.end()) return std::nullopt;
  return *found;
}

SignatureKey::SignatureKey(Algorithm algorithm, std::shared_ptr<evp_pkey_st> key,
                           std::string material)
    : algorithm_(algorithm), key_(std::move(key)), material_(std::move(material)) {}

std::optional<SignatureKey> SignatureKey::rsa(std::string_view modulus, std::string_view exponent,
                                              std::string& why) {
  const QuietErrors quiet;
  constexpr std::size_t kExponentBytesMax = 8;  // what OpenSSL itself takes of large keys
  if (modulus.size() > kRsaBitsMax / 8 + 1 || exponent.size() > kExponentBytesMax) {
    why = "is too large a key; RSA has to have at most " + std::to_string(kRsaBitsMax) + " bits";
    return std::nullopt;
  }
  const Number n = number_from(modulus), e = number_from(exponent);
  const int bits = n ? BN_num_bits(n.get()) : 0;
  if (bits < kRsaBitsMin || bits > kRsaBitsMax) {
    why = "has " + std::to_string(bits) + " bits; RSA has to have " + std::to_string(kRsaBitsMin) +
          " to " + std::to_string(kRsaBitsMax);
    return std::nullopt;
  }
  if (!e || !BN_is_odd(e.get()) || BN_is_one(e.get()) || !BN_is_odd(n.get())) {
    why = "is no RSA key: its modulus and exponent have to be odd, and the exponent above 1";
    return std::nullopt;
  }
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  std::shared_ptr<EVP_PKEY> key;
  if (builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1) {
    key = public_key("RSA", builder);
  }
  if (!key) {
    why = "is no RSA key";
    return std::nullopt;
  }
  return SignatureKey(Algorithm::rs256, std::move(key),
                      std::string(modulus) + '/' + std::string(exponent));
}

std::optional<SignatureKey> SignatureKey::p256(std::string_view x, std::string_view y,
                                               std::string& why) {
  const QuietErrors quiet;
  if (x.size() != kP256Bytes || y.size() != kP256Bytes) {
    why = "has coordinates of another length than P-256's, which is 32 bytes";
    return std::nullopt;
  }
  const std::string point = '\x04' + std::string(x) + std::string(y);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  std::shared_ptr<EVP_PKEY> key;
  if (builder &&
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) == 1) {
    key = public_key("EC", builder);
  }
  const KeyContext check(key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr);
  if (!check || EVP_PKEY_public_check_quick(check.get()) != 1) {
    why = "is no point of P-256";
    return std::nullopt;
  }
  return SignatureKey(Algorithm::es256, std::move(key), point);
}

std::optional<SignatureKey> SignatureKey::ed25519(std::string_view x, std::string& why) {
  const QuietErrors quiet;
  auto key = shared(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()));
  if (!key) {
    why = "has another length than an Ed25519 key, which is 32 bytes";
    return std::nullopt;
  }
  return SignatureKey(Algorithm::eddsa, std::move(key), std::string(x));
}

bool SignatureKey::verifies(std::string_view text, std::string_view signature) const {
  const QuietErrors quiet;
  std::string der;
  if (algorithm_ == Algorithm::es256) {
    der = der_from(signature);
    if (der.empty()) return false;
    signature = der;
  }
  // Ed25519 hashes by itself. RSA's padding is PKCS #1 v1.5 unless somebody asks for another.
  const EVP_MD* digest = algorithm_ == Algorithm::eddsa ? nullptr : EVP_sha256();
  const DigestContext context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                          text.size()) == 1;
}

}  // namespace rights
