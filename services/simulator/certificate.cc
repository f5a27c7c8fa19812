#include "simulator/certificate.h"

#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace simulator {
namespace {

constexpr long kValidSeconds = 10L * 365 * 24 * 3600;

struct Free {
  void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
  void operator()(X509* it) const { X509_free(it); }
  void operator()(X509_EXTENSION* it) const { X509_EXTENSION_free(it); }
  void operator()(std::FILE* it) const { std::fclose(it); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void require(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error("cannot " + what);
}

void add_extension(X509* certificate, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, id, value));
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1,
          "make a certificate extension");
}

Owned<X509> self_signed(EVP_PKEY* key) {
  Owned<X509> certificate(X509_new());
  require(certificate != nullptr, "make a certificate");
  X509* it = certificate.get();
  X509_set_version(it, 2);
  std::uint32_t serial = 1;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1,
          "get random bytes");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(it), serial);
  X509_gmtime_adj(X509_getm_notBefore(it), -3600);
  X509_gmtime_adj(X509_getm_notAfter(it), kValidSeconds);
  X509_NAME* name = X509_get_subject_name(it);
  const std::array<unsigned char, 10> common{"localhost"};
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common.data(), -1, -1, 0);
  X509_set_issuer_name(it, name);
  X509_set_pubkey(it, key);
  add_extension(it, NID_subject_alt_name, "DNS:localhost,DNS:simulator,IP:127.0.0.1,IP:::1");
  add_extension(it, NID_basic_constraints, "critical,CA:TRUE");
  require(X509_sign(it, key, EVP_sha256()) > 0, "sign the certificate");
  return certificate;
}

Owned<std::FILE> open_new(const std::filesystem::path& file) {
  Owned<std::FILE> out(std::fopen(file.c_str(), "we"));
  require(out != nullptr, "write " + file.string());
  require(::fchmod(::fileno(out.get()), 0600) == 0, "protect " + file.string());
  return out;
}

}  // namespace

std::string sha256_of(const std::string& certificate_file) {
  const Owned<std::FILE> in(std::fopen(certificate_file.c_str(), "re"));
  require(in != nullptr, "read " + certificate_file);
  const Owned<X509> certificate(PEM_read_X509(in.get(), nullptr, nullptr, nullptr));
  require(certificate != nullptr, "find a certificate in " + certificate_file);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  require(X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) == 1,
          "hash " + certificate_file);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kHex[digest[i] >> 4];
    hex += kHex[digest[i] & 15];
  }
  return hex;
}

Certificate make_certificate(std::filesystem::path folder) {
  if (folder.empty()) {
    std::string name = (std::filesystem::temp_directory_path() / "pbxgw-simulator-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "make the folder " + name);
    folder = name;
  }
  std::filesystem::create_directories(folder);
  Certificate made{(folder / "certificate.pem").string(), (folder / "key.pem").string(), {}};
  if (!std::filesystem::exists(made.certificate_file) || !std::filesystem::exists(made.key_file)) {
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    require(key != nullptr, "make a key");
    const auto certificate = self_signed(key.get());
    const auto key_out = open_new(made.key_file);
    require(
        PEM_write_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "write " + made.key_file);
    const auto out = open_new(made.certificate_file);
    require(PEM_write_X509(out.get(), certificate.get()) == 1, "write " + made.certificate_file);
  }
  made.sha256 = sha256_of(made.certificate_file);
  return made;
}

}  // namespace simulator
