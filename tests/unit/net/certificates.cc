#include "certificates.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>

#include <boost/asio/ip/address.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace net::testing {

namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* it) const {
    Free(it);
  }
};
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using FilePtr = std::unique_ptr<std::FILE, Freed<std::fclose>>;

FilePtr open(const std::string& path, const char* mode) {
  FilePtr file(std::fopen(path.c_str(), mode));
  if (!file) throw std::runtime_error("cannot open " + path);
  return file;
}

void extend(X509* certificate, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  if (!extension) throw std::runtime_error("certificate extension " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) {
    boost::system::error_code error;
    boost::asio::ip::make_address(name, error);
    list += (list.empty() ? "" : ",") + std::string(error ? "DNS:" : "IP:") + name;
  }
  return list;
}

X509Ptr make(EVP_PKEY* key, const std::string& name, const Subject& subject, long serial) {
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_time_adj_ex(X509_getm_notBefore(certificate.get()), subject.valid_from_days, 0, nullptr);
  X509_time_adj_ex(X509_getm_notAfter(certificate.get()), subject.valid_to_days, 0, nullptr);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  if (X509_sign(certificate, key, EVP_sha256()) == 0) throw std::runtime_error("X509_sign");
}

Certificate write(X509* certificate, EVP_PKEY* key, const std::string& stem) {
  Certificate files{stem + ".crt", stem + ".key", {}};
  PEM_write_X509(open(files.certificate_file, "w").get(), certificate);
  PEM_write_PrivateKey(open(files.key_file, "w").get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  std::array<unsigned char, 32> digest{};
  X509_digest(certificate, EVP_sha256(), digest.data(), nullptr);
  for (const auto byte : digest) {
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02x", byte);
    files.sha256 += hex.data();
  }
  return files;
}

}  // namespace

Authority::Authority(const std::string& name) {
  std::string folder = (std::filesystem::temp_directory_path() / "pbxgw-net-XXXXXX").string();
  if (!::mkdtemp(folder.data())) throw std::runtime_error("mkdtemp");
  folder_ = folder;
  const KeyPtr key(EVP_EC_gen("P-256"));
  const auto certificate = make(key.get(), name, {}, 1);
  extend(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate.get(), NID_key_usage, "critical,keyCertSign");
  sign(certificate.get(), certificate.get(), key.get());
  root_ = write(certificate.get(), key.get(), folder_ / "ca");
}

Authority::~Authority() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Certificate Authority::issue(const Subject& subject) {
  const X509Ptr root(
      PEM_read_X509(open(root_.certificate_file, "r").get(), nullptr, nullptr, nullptr));
  const KeyPtr root_key(
      PEM_read_PrivateKey(open(root_.key_file, "r").get(), nullptr, nullptr, nullptr));
  const KeyPtr key(EVP_EC_gen("P-256"));
  const auto certificate = make(key.get(), subject.names.front(), subject, ++issued_ + 1);
  extend(certificate.get(), NID_subject_alt_name, alternative_names(subject.names));
  sign(certificate.get(), root.get(), root_key.get());
  return write(certificate.get(), key.get(), folder_ / ("issued" + std::to_string(issued_)));
}

Certificate Authority::self_signed(const Subject& subject) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const auto certificate = make(key.get(), subject.names.front(), subject, ++issued_ + 1);
  extend(certificate.get(), NID_subject_alt_name, alternative_names(subject.names));
  sign(certificate.get(), certificate.get(), key.get());
  return write(certificate.get(), key.get(), folder_ / ("issued" + std::to_string(issued_)));
}

std::string Authority::file(const std::string& name, const std::string& content) {
  const auto path = folder_ / name;
  std::ofstream(path) << content;
  return path;
}

}  // namespace net::testing
