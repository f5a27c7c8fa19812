#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>

#include "rights/jwt.h"
#include "support/jwt_maker.h"

namespace rights {

// An issuer with a key of each kind, and tokens of his.
struct JwtFixture : testing::Test {
  using Clock = std::chrono::system_clock;

  // Once for all: RSA's key takes a while.
  static inline const support::JwtMaker rsa{"RS256", "rsa"}, ec{"ES256", "ec"}, ed{"EdDSA", "ed"};
  static inline const support::JwtMaker stranger{"ES256", "ec"};  // of the same name
  static constexpr std::int64_t kNow = 1'800'000'000;             // 2027-01-15T08:00:00Z

  Rules rules;
  Clock::time_point now{std::chrono::seconds(kNow)};
  std::map<std::string, std::string> claims{{"iss", "\"https://login.example.com/\""},
                                            {"aud", "\"pbxgw\""},
                                            {"sub", "\"crm\""},
                                            {"exp", std::to_string(kNow + 600)}};

  JwtFixture() {
    Issuer issuer;
    issuer.name = "https://login.example.com/";
    issuer.audience = "pbxgw";
    issuer.algorithms.set();
    issuer.clock_skew = std::chrono::seconds(30);
    issuer.keys = keys_of(rsa.jwk() + ',' + ec.jwk() + ',' + ed.jwk());
    rules.issuers.push_back(std::move(issuer));
  }

  static std::vector<Jwk> keys_of(const std::string& jwks) {
    std::vector<config::Problem> problems;
    auto keys = jwk_set_from(support::JwtMaker::set_of(jwks), "jwks.json", problems);
    EXPECT_THAT(problems, testing::IsEmpty());
    return keys;
  }

  // {"aud":"pbxgw",…}
  std::string json() const {
    std::string out;
    for (const auto& [name, value] : claims) {
      out += (out.empty() ? "{\"" : ",\"") + name + "\":" + value;
    }
    return out + '}';
  }
  std::string token() const { return ec.token(json()); }

  auto verify(std::string_view token) const { return verified_claims(token, rules, now); }

  // Why not; empty if nothing is wrong with it.
  std::string refused(std::string_view token,
                      base::Errc expected = base::Errc::credentials_invalid) {
    const auto verified = verify(token);
    if (verified) return {};
    EXPECT_EQ(verified.error().why, expected) << verified.error().detail;
    return verified.error().detail;
  }
  // The same for a token of these claims but one, which is absent if `value` is empty.
  std::string refused_with(const std::string& name, const std::string& value,
                           base::Errc expected = base::Errc::credentials_invalid) {
    const auto before = claims;
    claims[name] = value;
    if (value.empty()) claims.erase(name);
    const auto text = token();
    claims = before;
    return refused(text, expected);
  }
};

}  // namespace rights
