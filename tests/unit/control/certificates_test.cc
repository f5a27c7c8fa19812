#include "control/certificates.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <openssl/x509_vfy.h>

#include "control/grpc_log.h"
#include "telemetry/metrics.h"

namespace control {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::system_clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::Test;

struct CertificatesTest : Test {
  telemetry::Metrics registry;
  Metrics metrics{registry};
  fs::path folder;
  TlsFiles files;

  CertificatesTest() {
    std::string name = fs::temp_directory_path() / "certificates-XXXXXX";
    folder = mkdtemp(name.data());
    files = {folder / "tls.crt", folder / "tls.key", {}};
    issue("first", 30);
    use("first");
  }
  ~CertificatesTest() override { fs::remove_all(folder); }

  // A certificate that signs itself, and its key: <name>.crt and <name>.key.
  void issue(const std::string& name, int days) const {
    const std::string base = (folder / name).string();
    const std::string key = "openssl ecparam -name prime256v1 -genkey -noout -out " + base + ".key";
    const std::string request =
        "openssl req -new -key " + base + ".key -subj /CN=" + name + " -out " + base + ".csr";
    const std::string sign = "openssl x509 -req -in " + base + ".csr -signkey " + base +
                             ".key -days " + std::to_string(days) + " -out " + base + ".crt";
    for (const std::string& command : {key, request, sign}) {
      ASSERT_EQ(std::system((command + " 2>/dev/null").c_str()), 0) << command;
    }
  }
  void use(const std::string& name) const {
    for (const char* kind : {".crt", ".key"}) put(name + kind, std::string("tls") + kind);
  }
  void put(const std::string& from, const std::string& to) const {
    fs::copy_file(folder / from, folder / to, fs::copy_options::overwrite_existing);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
  }
  std::string why() const {
    const auto found = read_tls(files);
    return found ? "" : found.error().why;
  }
  double reloads(const char* outcome) const {
    return metrics.certificate_reloads.at({"grpc", outcome}).value();
  }
  std::string serial() const { return read_tls(files)->serial; }
};

TEST_F(CertificatesTest, ReadsAPair) {
  const auto found = read_tls(files);
  ASSERT_TRUE(found) << found.error().why;
  EXPECT_GT(found->expires, system_clock::now() + 24h * 29);
  EXPECT_LT(found->expires, system_clock::now() + 24h * 31);
  EXPECT_FALSE(found->serial.empty());
}

TEST_F(CertificatesTest, NamesTheFileThatIsOfNoUseAndNothingOfAKey) {
  issue("other", 30);
  put("other.key", "tls.key");
  EXPECT_THAT(why(), AllOf(HasSubstr("tls.key"), HasSubstr("not the key"), HasSubstr("tls.crt")));
  write("tls.key", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
  EXPECT_THAT(why(),
              AllOf(HasSubstr("tls.key"), HasSubstr("no private key"), Not(HasSubstr("c2VjcmV0"))));
  use("first");
  write("tls.crt", "not PEM");
  EXPECT_THAT(why(), AllOf(HasSubstr("tls.crt"), HasSubstr("no certificate")));
  fs::remove(folder / "tls.crt");
  EXPECT_THAT(why(), AllOf(HasSubstr("tls.crt"), HasSubstr("cannot be read")));
  use("first");
  files.client_ca = folder / "ca.crt";
  write("ca.crt", "");
  EXPECT_THAT(why(), AllOf(HasSubstr("ca.crt"), HasSubstr("no certificate")));
  write("ca.crt", std::string(2 << 20, 'x'));
  EXPECT_THAT(why(), AllOf(HasSubstr("ca.crt"), HasSubstr("too long")));
}

TEST_F(CertificatesTest, RefusesToBeginWithFilesOfNoUse) {
  write("tls.key", "");
  EXPECT_THROW(Certificates(files, metrics), std::runtime_error);
}

TEST_F(CertificatesTest, TellsWhenItExpires) {
  Certificates certificates(files, metrics);
  const double expires = metrics.certificate_expiry.at({"grpc"}).value();
  const std::chrono::duration<double> at = read_tls(files)->expires.time_since_epoch();
  EXPECT_EQ(expires, at.count());
  issue("second", 60);
  use("second");
  certificates.refresh(system_clock::now());
  EXPECT_EQ(reloads("taken"), 1);
  EXPECT_NEAR(metrics.certificate_expiry.at({"grpc"}).value() - expires, 30 * 86'400, 3'600);
}

TEST_F(CertificatesTest, TakesNothingThatHasNotChanged) {
  Certificates certificates(files, metrics);
  for (int i = 0; i < 3; ++i) certificates.refresh(system_clock::now());
  EXPECT_EQ(reloads("taken") + reloads("refused"), 0);
}

TEST_F(CertificatesTest, ReadsNoFileThatHasNotChanged) {
  Certificates certificates(files, metrics);
  const auto time = fs::last_write_time(folder / "tls.key");
  // As a change that nothing shows but the text itself.
  const std::string other(fs::file_size(folder / "tls.key"), 'x');
  std::fstream(folder / "tls.key") << other;
  fs::last_write_time(folder / "tls.key", time);
  for (int i = 0; i < 3; ++i) certificates.refresh(system_clock::now());
  EXPECT_EQ(reloads("refused"), 0);
  fs::last_write_time(folder / "tls.key", time + 1ms);
  for (int i = 0; i < 3; ++i) certificates.refresh(system_clock::now());
  EXPECT_EQ(reloads("refused"), 1);
}

TEST_F(CertificatesTest, GoesOnWithThePairBeforeABadOne) {
  Certificates certificates(files, metrics);
  issue("second", 60);
  put("second.crt", "tls.crt");
  certificates.refresh(system_clock::now());
  EXPECT_EQ(reloads("refused"), 0) << "the key may be about to follow";
  certificates.refresh(system_clock::now());
  certificates.refresh(system_clock::now());
  EXPECT_EQ(reloads("refused"), 1) << "told once";
  EXPECT_EQ(reloads("taken"), 0);
  put("second.key", "tls.key");
  certificates.refresh(system_clock::now());
  EXPECT_EQ(reloads("taken"), 1);
}

TEST_F(CertificatesTest, DoesNotTakeAnExpiredOneForAGoodOne) {
  Certificates certificates(files, metrics);
  issue("short", 1);
  use("short");
  const auto later = system_clock::now() + 24h * 7;
  certificates.refresh(later);
  certificates.refresh(later);
  EXPECT_EQ(reloads("refused"), 1);
  EXPECT_EQ(reloads("taken"), 0);
  // If neither is any good, the newer one is taken: an operator may have his reasons.
  certificates.refresh(later + 24h * 365);
  EXPECT_EQ(reloads("taken"), 1);
}

TEST(GrpcLogTest, SaysWhyAHandshakeFailed) {
  const std::string begin =
      "Handshake failed with fatal error SSL_ERROR_SSL: error:0A: SSL routines::";
  EXPECT_EQ(handshake_failure(begin + "peer did not return a certificate."), "no_certificate");
  EXPECT_EQ(handshake_failure(begin + "unsupported protocol."), "old_protocol");
  EXPECT_EQ(handshake_failure(begin + "http request."), "no_tls");
  EXPECT_EQ(handshake_failure(begin + "wrong version number."), "no_tls");
  EXPECT_EQ(handshake_failure(begin + "sslv3 alert bad certificate."), "refused_by_client");
  EXPECT_EQ(handshake_failure(begin + "internal error."), "other");
  EXPECT_EQ(handshake_failure("Something else."), "");
  EXPECT_EQ(handshake_failure(begin + "certificate verify failed."), "")
      << "OpenSSL's verdict says more";
}

TEST(GrpcLogTest, SaysWhatIsWrongWithACertificate) {
  EXPECT_EQ(certificate_failure(X509_V_ERR_CERT_HAS_EXPIRED), "expired");
  EXPECT_EQ(certificate_failure(X509_V_ERR_CERT_NOT_YET_VALID), "not_yet_valid");
  EXPECT_EQ(certificate_failure(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY), "unknown_authority");
  EXPECT_EQ(certificate_failure(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT), "unknown_authority");
  EXPECT_EQ(certificate_failure(X509_V_ERR_INVALID_PURPOSE), "wrong_purpose");
  EXPECT_EQ(certificate_failure(X509_V_ERR_OUT_OF_MEM), "other_certificate");
}

}  // namespace
}  // namespace control
