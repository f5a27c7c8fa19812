#include "control/certificates.h"

#include <ctime>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "telemetry/log.h"

namespace control {

using std::chrono::system_clock;

namespace {

constexpr telemetry::log::Logger kLog("tls");
constexpr char kWhich[] = "grpc";
constexpr std::size_t kFileMax = 1 << 20;

template <auto free>
struct Free {
  template <class T>
  void operator()(T* it) const {
    free(it);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

Bio bio_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::optional<Unfit> read_file(const std::string& path, std::string& content) {
  std::ifstream file(path, std::ios::binary);
  content.resize(kFileMax + 1);
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.eof() && !file) return Unfit{path + " cannot be read"};
  if (file.gcount() > static_cast<std::streamsize>(kFileMax)) return Unfit{path + " is too long"};
  content.resize(static_cast<std::size_t>(file.gcount()));
  return std::nullopt;
}

// No key has a passphrase here: nobody would be there to type it.
int no_passphrase(char*, int, int, void*) { return -1; }

std::vector<Certificate> certificates_in(const std::string& pem) {
  std::vector<Certificate> found;
  const Bio bio = bio_of(pem);
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    found.emplace_back(one);
  }
  ERR_clear_error();
  return found;
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

std::string text_of(system_clock::time_point time) {
  const std::time_t seconds = system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// gRPC makes its own kind of credentials of these; all that they do is to open the port.
class Credentials final : public grpc::ServerCredentials {
 public:
  explicit Credentials(grpc_server_credentials* credentials) : credentials_(credentials) {}
  ~Credentials() override { grpc_server_credentials_release(credentials_); }
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }
  grpc_server_credentials* const credentials_;
};

}  // namespace

std::optional<system_clock::time_point> expiry_of(const std::string& pem) {
  const auto certificates = certificates_in(pem);
  if (certificates.empty()) return std::nullopt;
  return expiry_of(*certificates.front());
}

boost::system::result<TlsMaterial, Unfit> read_tls(const TlsFiles& files,
                                                   const TlsMaterial* before) {
  TlsMaterial material;
  const std::pair<const std::string*, std::string*> both[] = {
      {&files.certificate, &material.certificate},
      {&files.key, &material.key},
      {&files.client_ca, &material.client_ca}};
  for (const auto& [path, content] : both) {
    if (path->empty()) continue;
    if (auto unfit = read_file(*path, *content)) return std::move(*unfit);
  }
  if (before && material.is_like(*before)) return *before;
  const auto chain = certificates_in(material.certificate);
  if (chain.empty()) return Unfit{files.certificate + " has no certificate in it (PEM)"};
  const Bio bio = bio_of(material.key);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) {
    ERR_clear_error();
    return Unfit{files.key + " has no private key in it (PEM, without a passphrase)"};
  }
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return Unfit{files.key + " is not the key of the certificate in " + files.certificate};
  }
  if (!files.client_ca.empty() && certificates_in(material.client_ca).empty()) {
    return Unfit{files.client_ca + " has no certificate in it (PEM)"};
  }
  material.expires = expiry_of(*chain.front());
  material.serial = serial_of(*chain.front());
  return material;
}

// ---- The present ones ----

Certificates::Certificates(TlsFiles files, const Metrics& metrics)
    : files_(std::move(files)), metrics_(metrics) {
  auto found = read_tls(files_);
  if (!found) throw std::runtime_error("grpc.tls: " + found.error().why);
  take(std::move(*found), system_clock::now());
}

std::shared_ptr<grpc::ServerCredentials> Certificates::credentials() {
  const auto request = files_.client_ca.empty()
                           ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                           : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  return std::make_shared<Credentials>(grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(request, fetch, this)));
}

// On gRPC's threads, at each connection.
grpc_ssl_certificate_config_reload_status Certificates::fetch(
    void* self, grpc_ssl_server_certificate_config** config) {
  auto& certificates = *static_cast<Certificates*>(self);
  const std::lock_guard lock(certificates.mutex_);
  const auto& present = certificates.present_;
  if (certificates.given_ == present) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair{present->key.c_str(), present->certificate.c_str()};
  // gRPC insists on roots, also where it asks clients for nothing that they would be for.
  const std::string& roots = present->client_ca.empty() ? present->certificate : present->client_ca;
  *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
  certificates.given_ = present;
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

std::shared_ptr<const TlsMaterial> Certificates::present() const {
  const std::lock_guard lock(mutex_);
  return present_;
}

void Certificates::take(TlsMaterial material, system_clock::time_point now) {
  metrics_.certificate_expiry.at({kWhich}).set(material.expires);
  metrics_.certificate_reloads.at({kWhich, "refused"});  // is there from the start, for the alert
  const std::string expires = text_of(material.expires);
  if (material.expires <= now) {
    kLog.error("our certificate has expired: clients will refuse it",
               {{"file", files_.certificate}, {"expired", expires}});
  } else {
    kLog.info("certificate in use",
              {{"file", files_.certificate}, {"serial", material.serial}, {"expires", expires}});
  }
  const std::lock_guard lock(mutex_);
  present_ = std::make_shared<const TlsMaterial>(std::move(material));
}

void Certificates::refresh(system_clock::time_point now) {
  const auto before = present();
  auto found = read_tls(files_, before.get());
  std::string problem = found ? std::string() : found.error().why;
  if (found && !found->is_like(*before)) {
    if (found->expires <= now && before->expires > now) {
      problem = "the certificate in " + files_.certificate + " has expired";
    } else {
      take(std::move(*found), now);
      metrics_.certificate_reloads.at({kWhich, "taken"}).add();
    }
  }
  if (problem != problem_) {
    problem_ = std::move(problem);
    told_ = false;
  } else if (!problem_.empty() && !told_) {
    told_ = true;
    metrics_.certificate_reloads.at({kWhich, "refused"}).add();
    kLog.error("the changed certificate files are of no use: going on with those before",
               {{"error", problem_}});
  }
}

}  // namespace control
