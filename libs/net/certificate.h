#pragma once

#include <chrono>
#include <optional>
#include <string>

struct x509_st;  // OpenSSL's X509

namespace net {

// What a certificate says of itself.
struct CertificateFacts {
  std::chrono::system_clock::time_point expires;
  std::string serial;  // in hex
};

CertificateFacts facts_of(const x509_st& certificate);

// Of the first certificate in a PEM text, which is that of whoever shows the text's chain. Nothing
// if there is none.
std::optional<CertificateFacts> read_certificate(const std::string& pem);

enum class Key {
  fits,
  unreadable,  // no private key, or one with a passphrase: nobody would be there to type it
  of_another,  // certificate
};

// What is to be said of the private key in `key` as that of the first certificate in `certificate`,
// both PEM. There has to be such a certificate.
Key key_for(const std::string& certificate, const std::string& key);

}  // namespace net
