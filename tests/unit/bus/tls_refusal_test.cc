#include <future>
#include <string>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include "unit/bus/bus_fixture.h"
#include "unit/bus/certificates.h"

namespace bus {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;

// What an operator is told when TLS with a server fails: each time which side is wrong, and how.
struct TlsRefusalTest : BusFixture {
  TlsRefusalTest() : BusFixture({.start = false}) { certificates.make_self_signed("ca"); }

  Certificates certificates{server.folder()};

  void start(const std::string& name, const std::string& more = {}) {
    server.set_config("tls { cert_file: \"" + certificates.certificate(name) + "\", key_file: \"" +
                      certificates.key(name) + "\", ca_file: \"" + certificates.certificate("ca") +
                      "\" " + more + " }");
    server.start();
  }
  Options trusting(const std::string& authority) const {
    Options options = options_for(server.url());
    options.tls = Tls{.ca_file = {}, .certificate_file = {}, .key_file = {}};
    if (!authority.empty()) options.tls->ca_file = certificates.certificate(authority);
    return options;
  }
  Options showing(Options options, const std::string& name) const {
    options.tls->certificate_file = certificates.certificate(name);
    options.tls->key_file = certificates.key(name);
    return options;
  }
  // Why there is no connection; empty if there is one.
  std::string why_not(const Options& options) {
    std::string why;
    const auto opened = Connection::open(io.get_executor(), options, why);
    EXPECT_TRUE(opened) << "it goes on trying";
    return why;
  }
};

TEST_F(TlsRefusalTest, AnotherAuthority) {
  certificates.make_self_signed("other");
  certificates.issue("ca", "server");
  start("server");
  EXPECT_EQ(why_not(trusting("ca")), "");
  for (const std::string authority : {"other", ""}) {
    EXPECT_THAT(why_not(trusting(authority)),
                HasSubstr("the server's certificate is not of an authority that we trust"));
  }
  Options off = options_for(server.url());
  EXPECT_THAT(why_not(off), HasSubstr("not of an authority that we trust")) << "the server insists";
}

TEST_F(TlsRefusalTest, ExpiredOrNotYetValid) {
  certificates.issue("ca", "old", "IP:127.0.0.1", Certificates::Valid::no_more);
  certificates.issue("ca", "young", "IP:127.0.0.1", Certificates::Valid::not_yet);
  start("old");
  EXPECT_THAT(why_not(trusting("ca")), HasSubstr("the server's certificate has expired"));
  server.stop();
  start("young");
  EXPECT_THAT(why_not(trusting("ca")), HasSubstr("the server's certificate is not valid yet"));
}

TEST_F(TlsRefusalTest, AnotherName) {
  certificates.issue("ca", "elsewhere", "DNS:elsewhere.example");
  start("elsewhere");
  EXPECT_THAT(why_not(trusting("ca")), HasSubstr("for other names than that in urls"));
}

TEST_F(TlsRefusalTest, SelfSignedUnlessJustThisOneIsTrusted) {
  certificates.make_self_signed("itself");
  start("itself");
  EXPECT_THAT(why_not(trusting("ca")), HasSubstr("the server's certificate is self-signed"));
  EXPECT_EQ(why_not(trusting("itself")), "");
}

TEST_F(TlsRefusalTest, OurCertificateMissingOrNotAccepted) {
  certificates.make_self_signed("stranger");
  certificates.issue("ca", "server");
  certificates.issue("ca", "client");
  start("server", "verify: true");
  EXPECT_EQ(why_not(showing(trusting("ca"), "client")), "");
  // When the server hangs up, and what of it is heard here, is a matter of time.
  EXPECT_THAT(why_not(trusting("ca")), HasSubstr("wants a certificate of ours"));
  EXPECT_THAT(why_not(showing(trusting("ca"), "stranger")),
              HasSubstr("does not accept tls.certificate_file"));
}

TEST_F(TlsRefusalTest, AServerWithoutTls) {
  server.start();
  EXPECT_THAT(why_not(trusting("ca")), HasSubstr("the server offers no TLS"));
}

// nats-server speaks nothing below 1.2, so this one is a server's first lines only.
TEST_F(TlsRefusalTest, AnOldVersionOfTls) {
  certificates.issue("ca", "server");
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  auto served = std::async(std::launch::async, [&] {
    asio::ip::tcp::socket socket = acceptor.accept();
    const std::string info = R"(INFO {"server_id":"OLD","version":"2.0.0","proto":1,)"
                             R"("tls_required":true,"max_payload":1048576})"
                             "\r\n";
    asio::write(socket, asio::buffer(info));
    asio::ssl::context tls(asio::ssl::context::tls_server);
    ::SSL_CTX_set_security_level(tls.native_handle(), 0);
    ::SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_VERSION);
    ::SSL_CTX_set_max_proto_version(tls.native_handle(), TLS1_1_VERSION);
    tls.use_certificate_chain_file(certificates.certificate("server"));
    tls.use_private_key_file(certificates.key("server"), asio::ssl::context::pem);
    asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), tls);
    boost::system::error_code error;
    stream.handshake(asio::ssl::stream_base::server, error);
    return error.failed();
  });
  Options options = trusting("ca");
  options.urls = {"nats://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port())};
  EXPECT_THAT(why_not(options), HasSubstr("has to speak 1.2 or later"));
  EXPECT_TRUE(served.get());
}

}  // namespace
}  // namespace bus
