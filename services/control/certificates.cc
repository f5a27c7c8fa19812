#include "control/certificates.h"

#include <fstream>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/timestamp.h"
#include "net/certificate.h"
#include "telemetry/log.h"

namespace control {

using std::chrono::system_clock;

namespace {

constexpr telemetry::log::Logger kLog("tls");
constexpr char kWhich[] = "grpc";
constexpr std::size_t kFileMax = 1 << 20;

std::optional<Unfit> read_file(const std::string& path, std::string& content) {
  std::ifstream file(path, std::ios::binary);
  content.resize(kFileMax + 1);
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.eof() && !file) return Unfit{path + " cannot be read"};
  if (file.gcount() > static_cast<std::streamsize>(kFileMax)) return Unfit{path + " is too long"};
  content.resize(static_cast<std::size_t>(file.gcount()));
  return std::nullopt;
}

FileStates states_of(const TlsFiles& files) {
  return {config::state_of(files.certificate), config::state_of(files.key),
          config::state_of(files.client_ca)};
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
  auto facts = net::read_certificate(material.certificate);
  if (!facts) return Unfit{files.certificate + " has no certificate in it (PEM)"};
  switch (net::key_for(material.certificate, material.key)) {
    case net::Key::fits: break;
    case net::Key::unreadable:
      return Unfit{files.key + " has no private key in it (PEM, without a passphrase)"};
    case net::Key::of_another:
      return Unfit{files.key + " is not the key of the certificate in " + files.certificate};
  }
  if (!files.client_ca.empty() && !net::read_certificate(material.client_ca)) {
    return Unfit{files.client_ca + " has no certificate in it (PEM)"};
  }
  material.expires = facts->expires;
  material.serial = std::move(facts->serial);
  return material;
}

// ---- The present ones ----

Certificates::Certificates(TlsFiles files, const Metrics& metrics)
    : files_(std::move(files)), metrics_(metrics), seen_(states_of(files_)) {
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
  const std::string expires = base::timestamp(material.expires);
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
  const auto states = states_of(files_);  // before what they say is read: nothing is missed so
  if (states == seen_ && problem_.empty()) return;
  seen_ = states;
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
