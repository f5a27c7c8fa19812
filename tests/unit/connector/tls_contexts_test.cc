#include <chrono>

#include <gmock/gmock.h>

#include "connector/shard.h"
#include "unit/net/certificates.h"

namespace connector {
namespace {

using std::chrono::system_clock;

struct TlsContextsTest : testing::Test {
  net::testing::Authority authority{"Ours"};
  TlsContexts contexts;
  std::string why;

  // Of a tenant that shows a certificate which is valid for so many days more.
  base::Result<std::shared_ptr<net::TlsContext>> showing(int days) {
    const auto ours = authority.issue({.valid_to_days = days});
    net::TlsOptions options;
    options.certificate_file = ours.certificate_file;
    options.key_file = ours.key_file;
    return contexts.get(options, "as it was", why);
  }
  int days_left() {
    return static_cast<int>(
        std::chrono::round<std::chrono::days>(contexts.expires() - system_clock::now()).count());
  }
};

TEST_F(TlsContextsTest, TellsWhenTheFirstCertificateInUseExpires) {
  const auto none = contexts.get({}, "", why);
  EXPECT_EQ(contexts.expires(), system_clock::time_point()) << "there is none";
  auto ten = showing(10);
  auto two = showing(2);
  ASSERT_TRUE(ten.has_value() && two.has_value()) << why;
  EXPECT_EQ(days_left(), 2);
  two->reset();
  EXPECT_EQ(days_left(), 10) << "nobody shows the other any more";
  ten->reset();
  EXPECT_EQ(contexts.expires(), system_clock::time_point());
}

TEST_F(TlsContextsTest, ShareAContextOfTheSameOptionsAndFiles) {
  net::TlsOptions options;
  const auto one = contexts.get(options, "", why), same = contexts.get(options, "", why);
  EXPECT_EQ(*one, *same);
  EXPECT_NE(*one, *contexts.get(options, "rotated", why));
}

}  // namespace
}  // namespace connector
