#include "support/certificate_maker.h"

#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace support {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

constexpr long kSince = -3'600;  // clocks differ

void expect(bool right, const char* what) {
  if (!right) throw std::runtime_error(std::string("CertificateMaker: ") + what);
}

template <class Write>
std::string pem_of(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  expect(write(bio.get()) == 1, "PEM");
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

Key new_key() { return Key(EVP_EC_gen("P-256"), EVP_PKEY_free); }

void extend(X509& certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  expect(extension && X509_add_ext(&certificate, extension, -1) == 1, "extension");
  X509_EXTENSION_free(extension);
}

// Unsigned.
Certificate new_certificate(const std::string& name, const Key& key, std::chrono::seconds life) {
  static long last_serial = 0;
  Certificate made(X509_new(), X509_free);
  X509* it = made.get();
  X509_set_version(it, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(it), ++last_serial);
  X509_gmtime_adj(X509_getm_notBefore(it), kSince);
  X509_gmtime_adj(X509_getm_notAfter(it), static_cast<long>(life.count()));
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_ASC, text, -1, -1, 0);
  expect(X509_set_pubkey(it, key.get()) == 1, "key");
  return made;
}

}  // namespace

CertificateMaker::CertificateMaker() : key_(new_key()) {
  certificate_ = new_certificate("the authority of a test", key_, std::chrono::hours(24));
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  extend(*certificate_, NID_basic_constraints, "critical,CA:TRUE");
  expect(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0, "signature");
}

CertificateMaker::Pair CertificateMaker::issue(const std::string& name,
                                               std::chrono::seconds life) const {
  const Key key = new_key();
  const Certificate made = new_certificate(name, key, life);
  X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
  extend(*made, NID_subject_alt_name, "DNS:" + name);
  expect(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0, "signature");
  Pair pair;
  pair.certificate = pem_of([&](BIO* bio) { return PEM_write_bio_X509(bio, made.get()); });
  pair.key = pem_of([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return pair;
}

std::string CertificateMaker::certificate() const {
  return pem_of([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
}

}  // namespace support
