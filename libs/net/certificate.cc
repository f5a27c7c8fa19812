#include "net/certificate.h"

#include <ctime>
#include <memory>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/handle.h"

namespace net {

namespace {

using std::chrono::system_clock;

using Bio = std::unique_ptr<BIO, base::FreedBy<BIO_free>>;
using Certificate = std::unique_ptr<X509, base::FreedBy<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, base::FreedBy<EVP_PKEY_free>>;

// Without this, OpenSSL asks at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Bio bio_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Certificate first_in(const std::string& pem) {
  Certificate first(PEM_read_bio_X509(bio_of(pem).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return first;
}

system_clock::time_point expiry_of(const X509& certificate) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time) != 1) return {};
  return system_clock::from_time_t(timegm(&time));
}

std::string serial_of(const X509& certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr);
  char* hex = number ? BN_bn2hex(number) : nullptr;
  std::string serial = hex ? hex : "";
  OPENSSL_free(hex);
  BN_free(number);
  return serial;
}

}  // namespace

CertificateFacts facts_of(const x509_st& certificate) {
  return {expiry_of(certificate), serial_of(certificate)};
}

std::optional<CertificateFacts> read_certificate(const std::string& pem) {
  const Certificate first = first_in(pem);
  if (!first) return std::nullopt;
  return facts_of(*first);
}

Key key_for(const std::string& certificate, const std::string& key) {
  const Certificate first = first_in(certificate);
  const PrivateKey found(
      PEM_read_bio_PrivateKey(bio_of(key).get(), nullptr, no_passphrase, nullptr));
  const bool fits = first && found && X509_check_private_key(first.get(), found.get()) == 1;
  ERR_clear_error();
  return fits ? Key::fits : found ? Key::of_another : Key::unreadable;
}

}  // namespace net
