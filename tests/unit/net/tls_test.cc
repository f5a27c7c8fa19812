// Whom we trust, who trusts us, and what the operator is told otherwise.

#include "net/tls.h"

#include <thread>

#include <openssl/ssl.h>
#include <unistd.h>

#include "fixture.h"

namespace net::testing {
namespace {

namespace asio = boost::asio;
using base::Errc;
using ::testing::HasSubstr;
using Role = TlsContext::Role;

struct Tls : NetTest {
  TlsOptions client, host;

  Tls() { client.ca_file = authority().ca_file(); }

  void present(const Certificate& certificate) {
    host.certificate_file = certificate.certificate_file;
    host.key_file = certificate.key_file;
  }

  // One connection with an echo, between what `client` and `host` say by then.
  base::Error try_connecting() {
    server_options.tls = context(host, Role::server);
    start();
    tls = context(client, Role::client);
    base::Error ended;
    run([&]() -> asio::awaitable<void> {
      auto socket = co_await connect();
      if (!socket) {
        ended = socket.error();
        co_return;
      }
      co_await socket->write("hello");
      const auto text = co_await socket->read();
      if (!text) ended = text.error();
    }());
    return ended;
  }
};

TEST_F(Tls, TrustsWhatTheAuthoritySigned) {
  present(authority().issue({}));
  EXPECT_FALSE(try_connecting()) << detail;
}

TEST_F(Tls, DoesNotTrustAnotherAuthority) {
  Authority other("Other Authority");
  present(other.issue({}));
  EXPECT_EQ(try_connecting(), Errc::certificate_unknown_authority);
  EXPECT_THAT(detail, HasSubstr("certificate of 127.0.0.1 is not trusted"));
  EXPECT_THAT(detail, HasSubstr("Other Authority"));
}

TEST_F(Tls, DoesNotTrustTheSystemsAuthoritiesAlone) {
  client.ca_file.clear();
  present(authority().issue({}));
  EXPECT_EQ(try_connecting(), Errc::certificate_unknown_authority);
}

TEST_F(Tls, DoesNotTrustASelfSignedCertificate) {
  present(authority().self_signed({}));
  EXPECT_EQ(try_connecting(), Errc::certificate_unknown_authority);
}

TEST_F(Tls, TrustsASelfSignedCertificateThatIsPinned) {
  Subject subject;
  subject.names = {"pbx.internal"};
  const auto certificate = authority().self_signed(subject);
  present(certificate);
  client.pinned_sha256 = {std::string(64, '0'), certificate.sha256};
  EXPECT_FALSE(try_connecting()) << detail;
}

TEST_F(Tls, DoesNotTrustAnythingButThePinnedCertificate) {
  present(authority().issue({}));
  client.pinned_sha256 = {std::string(64, '0')};
  client.verify = false;
  EXPECT_EQ(try_connecting(), Errc::certificate_unknown_authority);
  EXPECT_THAT(detail, HasSubstr("not the pinned one"));
}

TEST_F(Tls, TellsWhenACertificateExpired) {
  Subject subject;
  subject.valid_from_days = -30;
  subject.valid_to_days = -1;
  present(authority().issue(subject));
  EXPECT_EQ(try_connecting(), Errc::certificate_expired);
  EXPECT_THAT(detail, ::testing::ContainsRegex("certificate of 127.0.0.1 expired on 20..-..-.."));
}

TEST_F(Tls, TellsWhenACertificateIsNotYetValid) {
  Subject subject;
  subject.valid_from_days = 2;
  present(authority().issue(subject));
  EXPECT_EQ(try_connecting(), Errc::certificate_expired);
  EXPECT_THAT(detail, HasSubstr("not valid before"));
}

TEST_F(Tls, TellsWhomACertificateIsFor) {
  Subject subject;
  subject.names = {"pbx.example", "*.pbx.example", "10.1.2.3"};
  present(authority().issue(subject));
  EXPECT_EQ(try_connecting(), Errc::certificate_wrong_name);
  EXPECT_THAT(detail, HasSubstr("is for pbx.example, *.pbx.example"));
}

TEST_F(Tls, ChecksTheNameItIsGiven) {
  Subject subject;
  subject.names = {"*.pbx.example"};
  present(authority().issue(subject));
  client.server_name = "berlin.pbx.example";
  EXPECT_FALSE(try_connecting()) << detail;
}

TEST_F(Tls, TrustsAnybodyIfToldSo) {
  Subject subject;
  subject.names = {"pbx.example"};
  subject.valid_from_days = -30;
  subject.valid_to_days = -1;
  present(authority().self_signed(subject));
  client.verify = false;
  EXPECT_FALSE(try_connecting()) << detail;
}

TEST_F(Tls, ShowsItsOwnCertificate) {
  present(authority().issue({}));
  host.ca_file = authority().ca_file();
  const auto own = authority().issue({});
  client.certificate_file = own.certificate_file;
  client.key_file = own.key_file;
  EXPECT_FALSE(try_connecting()) << detail;
}

TEST_F(Tls, TellsThatTheServerDemandsACertificate) {
  present(authority().issue({}));
  host.ca_file = authority().ca_file();
  EXPECT_EQ(try_connecting(), Errc::certificate_required);
  EXPECT_THAT(detail, HasSubstr("demands a client certificate"));
}

TEST_F(Tls, TellsThatTheServerRefusesItsCertificate) {
  present(authority().issue({}));
  host.ca_file = authority().ca_file();
  Authority other("Other Authority");
  const auto own = other.issue({});
  client.certificate_file = own.certificate_file;
  client.key_file = own.key_file;
  EXPECT_EQ(try_connecting(), Errc::certificate_required);
  EXPECT_THAT(detail, HasSubstr("refuses our certificate"));
}

TEST_F(Tls, ResumesItsSessionWhenItComesBack) {
  present(authority().issue({}));
  server_options.tls = context(host, Role::server);
  start();
  tls = context(client, Role::client);
  constexpr std::uint64_t kCount = 4;
  run([&]() -> asio::awaitable<void> {
    for (std::uint64_t i = 0; i < kCount; ++i) {
      auto socket = co_await connect();
      EXPECT_FALSE(co_await socket->write("hello"));
      EXPECT_TRUE(co_await socket->read());
      socket->drop();
    }
  }());
  EXPECT_EQ(tls->counts().handshakes, kCount);
  EXPECT_EQ(tls->counts().resumed, kCount - 1);
  EXPECT_EQ(server_options.tls->counts().resumed, kCount - 1);
}

// A server of a fixed TLS version, which TlsOptions cannot ask for. Serves one client on a thread.
class OldServer {
 public:
  OldServer(int version, const Certificate& certificate, std::string ca_file = "")
      : ctx_(SSL_CTX_new(TLS_server_method())), acceptor_(io_, {asio::ip::tcp::v4(), 0}) {
    SSL_CTX_set_min_proto_version(ctx_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx_, version);
    SSL_CTX_set_cipher_list(ctx_, "DEFAULT@SECLEVEL=0");
    SSL_CTX_use_certificate_chain_file(ctx_, certificate.certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(ctx_, certificate.key_file.c_str(), SSL_FILETYPE_PEM);
    if (!ca_file.empty()) {
      SSL_CTX_load_verify_file(ctx_, ca_file.c_str());
      SSL_CTX_set_verify(ctx_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~OldServer() {
    thread_.join();
    SSL_CTX_free(ctx_);
  }
  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

 private:
  void serve() {
    auto socket = acceptor_.accept();
    SSL* ssl = SSL_new(ctx_);
    SSL_set_fd(ssl, socket.native_handle());
    if (SSL_accept(ssl) == 1) {
      const std::string_view refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
      char request[4096];
      SSL_read(ssl, request, sizeof request);
      SSL_write(ssl, refusal.data(), static_cast<int>(refusal.size()));
    }
    SSL_free(ssl);
  }

  SSL_CTX* ctx_;
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

struct TlsOfOldServers : Tls {
  base::Error try_connecting(const OldServer& old) {
    tls = context(client, Role::client);
    base::Error ended;
    Endpoint where;
    where.host = "127.0.0.1";
    where.port = old.port();
    where.tls = true;
    run([&]() -> asio::awaitable<void> {
      const auto socket = co_await WebSocket::connect(where, limits, tls, &detail);
      if (!socket) ended = socket.error();
    }());
    return ended;
  }
};

TEST_F(TlsOfOldServers, DoesNotSpeakAVersionBelowItsMinimum) {
  const OldServer old(TLS1_2_VERSION, authority().issue({}));
  client.min_version = TlsVersion::v1_3;
  EXPECT_EQ(try_connecting(old), Errc::tls_failed);
  EXPECT_THAT(detail, HasSubstr("no TLS version in common"));
  EXPECT_THAT(detail, HasSubstr("we accept TLS 1.3 or newer"));
}

TEST_F(TlsOfOldServers, DoesNotSpeakTls10UnlessTold) {
  const OldServer old(TLS1_VERSION, authority().issue({}));
  EXPECT_EQ(try_connecting(old), Errc::tls_failed);
}

TEST_F(TlsOfOldServers, SpeaksTls10IfTold) {
  const OldServer old(TLS1_VERSION, authority().issue({}));
  client.min_version = TlsVersion::v1_0;
  EXPECT_EQ(try_connecting(old), Errc::upgrade_refused) << detail;  // and so past TLS
}

TEST_F(TlsOfOldServers, TellsThatAServerOfTls12DemandsACertificate) {
  const OldServer old(TLS1_2_VERSION, authority().issue({}), authority().ca_file());
  EXPECT_EQ(try_connecting(old), Errc::certificate_required) << detail;
}

TEST(TlsContext, TellsWhichFileItCannotUse) {
  const auto good = authority().issue({});
  const auto complaint = [](const TlsOptions& options, Role role) {
    std::string why;
    const auto made = TlsContext::make(options, role, why);
    EXPECT_EQ(made.error(), Errc::invalid_argument);
    return why;
  };
  TlsOptions options;
  options.ca_file = "/no/such/ca.pem";
  EXPECT_THAT(complaint(options, Role::client), HasSubstr("CA file /no/such/ca.pem: "));

  options.ca_file = authority().file("empty.pem", "");
  EXPECT_THAT(complaint(options, Role::client), HasSubstr("empty.pem: "));

  options = {};
  options.certificate_file = good.certificate_file;
  EXPECT_THAT(complaint(options, Role::client), HasSubstr("key file : "));
  options.key_file = authority().issue({}).key_file;
  EXPECT_THAT(complaint(options, Role::client), HasSubstr("key file " + options.key_file));

  options = {};
  EXPECT_THAT(complaint(options, Role::server), HasSubstr("certificate"));
  const std::vector<std::string> pins{"", "abc", std::string(63, 'a'), std::string(65, 'a'),
                                      std::string(64, 'g')};
  for (const auto& pin : pins) {
    options.pinned_sha256 = {pin};
    EXPECT_THAT(complaint(options, Role::client), HasSubstr("pinned certificate"));
  }
}

}  // namespace
}  // namespace net::testing
