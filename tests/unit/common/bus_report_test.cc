#include "common/bus_report.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>

#include "net/certificate.h"
#include "telemetry/metrics.h"
#include "unit/bus/bus_fixture.h"
#include "unit/bus/certificates.h"

namespace common {
namespace {

namespace fs = std::filesystem;
using std::chrono::system_clock;

struct BusReportTest : bus::BusFixture {
  BusReportTest() : BusFixture({.start = false}) {
    certificates.make_self_signed("ca");
    certificates.issue("ca", "server");
    certificates.issue("ca", "first");
  }

  bus::Certificates certificates{server.folder()};
  telemetry::Metrics registry;
  BusReport report{registry};

  void start() {
    server.set_config("tls { cert_file: \"" + certificates.certificate("server") +
                      "\", key_file: \"" + certificates.key("server") + "\", ca_file: \"" +
                      certificates.certificate("ca") + "\", verify: true }");
    server.start();
  }
  bus::Options showing(const std::string& name) const {
    auto options = options_for(server.url());
    options.tls = bus::Tls{.ca_file = certificates.certificate("ca"),
                           .certificate_file = certificates.certificate(name),
                           .key_file = certificates.key(name)};
    options.files_interval = bus::Duration(20);
    return options;
  }
  system_clock::time_point expiry_of(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(certificates.certificate(name)).rdbuf();
    return net::read_certificate(text.str()).value().expires;
  }
  system_clock::time_point told() {
    report.update();
    return report.certificate_expires();
  }
};

TEST_F(BusReportTest, TellsWhenTheFirstOfOurCertificatesExpires) {
  start();
  EXPECT_EQ(told(), system_clock::time_point());
  const auto one = connect(showing("first"));
  report.follow(one, "home");
  EXPECT_EQ(told(), expiry_of("first"));

  certificates.issue("ca", "second", "IP:127.0.0.1", bus::Certificates::Valid::no_more);
  const auto refused = open(showing("second"));
  report.follow(refused, "shard 0");
  EXPECT_EQ(told(), expiry_of("second")) << "which is why it is refused";
}

TEST_F(BusReportTest, TellsOfTheCertificateThatIsInUse) {
  start();
  const auto connection = connect(showing("first"));
  report.follow(connection, "home");
  const auto before = told();

  const auto put = [&](const std::string& from, const std::string& to) {
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  };
  // Its key is missing: the server would not have it.
  certificates.issue("ca", "later", "IP:127.0.0.1", bus::Certificates::Valid::for_longer);
  ASSERT_GT(expiry_of("later"), before);
  put(certificates.certificate("later"), certificates.certificate("first"));
  ASSERT_TRUE(run_until([&] { return connection->statistics().renewal_failures > 0; }));
  EXPECT_EQ(told(), before);

  put(certificates.key("later"), certificates.key("first"));
  ASSERT_TRUE(run_until([&] { return connection->statistics().renewals > 0; }));
  EXPECT_EQ(told(), expiry_of("later"));
}

}  // namespace
}  // namespace common
