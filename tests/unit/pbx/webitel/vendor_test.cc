#include "pbx/webitel/vendor.h"

#include <gmock/gmock.h>

#include "pbx/dialogue.h"

namespace pbx::webitel {
namespace {

using testing::IsEmpty;
using testing::StrEq;

class WebitelVendor : public testing::Test {
 protected:
  std::vector<Mistake> check(const std::string& whose, std::map<std::string, std::string> tokens) {
    const Vendor webitel = vendor();
    Settings settings = test::default_settings(webitel);
    settings.set("user_sockets", whose);
    settings.set("user_tokens", std::move(tokens));
    return webitel.check(settings);
  }
};

TEST_F(WebitelVendor, TakesSocketsAndTokensThatGoTogether) {
  EXPECT_THAT(check("none", {}), IsEmpty());
  EXPECT_THAT(check("listed", {{"401", "t"}}), IsEmpty());
  EXPECT_THAT(check("minted", {}), IsEmpty());
  EXPECT_THAT(check("minted", {{"401", "t"}}), IsEmpty());
}

// Who lists tokens wants their sockets; without this they would be unused, and nobody said so.
TEST_F(WebitelVendor, NamesTheOneThatIsMissing) {
  const auto unused = check("none", {{"401", "s3cret"}});
  ASSERT_EQ(unused.size(), 1u);
  EXPECT_THAT(unused.front().setting, StrEq("user_sockets"));
  EXPECT_EQ(unused.front().sentence.find("s3cret"), std::string::npos);
  const auto missing = check("listed", {});
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_THAT(missing.front().setting, StrEq("user_tokens"));
}

}  // namespace
}  // namespace pbx::webitel
