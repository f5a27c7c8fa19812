#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "rights/jwk_set.h"
#include "rights/jwt.h"
#include "rights/rules.h"
#include "support/jwt_maker.h"

namespace {

// Of RFC 8037 and RFC 7515. Their private halves are printed there, too, but no mutation leads to a
// signature.
constexpr std::string_view kKeys =
    R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},)"
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";

rights::Rules rules_of(std::vector<rights::Jwk> keys) {
  rights::Issuer issuer;
  issuer.name = "i";
  issuer.audience = "a";
  issuer.algorithms.set();
  issuer.keys = std::move(keys);
  rights::Rules rules;
  rules.issuers.push_back(std::move(issuer));
  return rules;
}

rights::Rules known_rules() {
  std::vector<config::Problem> problems;
  auto keys = rights::jwk_set_from(kKeys, "fuzz.json", problems);
  if (keys.size() != 2 || !problems.empty()) std::abort();
  return rules_of(std::move(keys));
}

// The pieces between line breaks: what a fuzzer finds easier than base64url.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (lines.size() < 3) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

void refuse(std::string_view token, const rights::Rules& rules) {
  static const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1'000));
  const auto verified = rights::verified_claims(token, rules, now);
  if (!verified && verified.error().detail.empty()) std::abort();
  if (verified) std::abort();
}

}  // namespace

// Any bytes as a token and as header, claims and signature of one: nobody is let in. And any bytes
// as a set of keys: nothing throws, and a set is either usable or has a problem.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const rights::Rules known = known_rules();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  refuse(text, known);

  const auto lines = lines_of(text);
  const auto token = support::to_base64url(lines[0]) + '.' + support::to_base64url(lines[1]) + '.' +
                     support::to_base64url(lines[2]);
  refuse(token, known);

  std::vector<config::Problem> problems;
  const auto keys = rights::jwk_set_from(text, "fuzz.json", problems);
  if (keys.empty() && problems.empty()) std::abort();
  for (const auto& problem : problems) {
    if (problem.text().empty()) std::abort();
  }
  for (const auto& key : keys) {
    if (!(key == key)) std::abort();
    key.key.verifies(text, text);
  }
  return 0;
}
