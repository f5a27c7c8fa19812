#pragma once

#include <chrono>
#include <memory>
#include <string>

struct evp_pkey_st;
struct x509_st;

namespace support {

// Who signs certificates in a test, that live for as long as it is told, to the second.
class CertificateMaker {
 public:
  CertificateMaker();

  struct Pair {
    std::string certificate, key;  // PEM
  };
  // `name` is the common name, and a name of DNS.
  Pair issue(const std::string& name, std::chrono::seconds life) const;
  std::string certificate() const;  // its own, PEM

 private:
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> certificate_;
};

}  // namespace support
