#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "call/administration.h"
#include "connector/config.h"
#include "connector/secret_traces.h"

namespace connector {

// Takes the secrets of one tenant out of sentences: whatever a PBX says in its errors may repeat
// what it was sent. Knows those of the configuration, and those that came up since: tokens and
// cookies of logins, passwords of orders. It finds them as they are, percent-encoded, escaped as in
// JSON (twice, too), in base64, and cut off at the end. Only sentences for people go through it,
// never what a call carries. Lives as long as a link or shorter; on the link's executor.
//
// The last kLearnedMax that came up are hidden to the letter. Of those before them it knows only
// how they begin (SecretTraces), so all that follows in the sentence is hidden with them.
class Redactor {
 public:
  static constexpr std::size_t kSecretMin = 4;       // shorter ones are no better than a guess
  static constexpr std::size_t kTextMax = 16 << 10;  // of a sentence: the rest is dropped
  static constexpr std::size_t kLearnedMax = 64;

  explicit Redactor(std::shared_ptr<const TenantConfig> tenant);
  // Knows what the one of the link before knew as well: tokens outlive links, and what was rotated
  // may be repeated.
  Redactor(std::shared_ptr<const TenantConfig> tenant, const Redactor& before);

  // One more secret.
  void learn(std::string_view secret);
  // Those in a request's or a reply's headers.
  void learn(const std::vector<std::pair<std::string, std::string>>& headers);
  void learn(const call::Order& order);
  void learn(const call::OrderReply& reply);
  // Tokens in a message to the PBX: {"token":"…"}.
  void learn_from(std::string_view message);

  // Without secrets: for whoever asked.
  std::string text(std::string sentence) const;
  // Nor numbers of seven digits or more, but for their last three: for logs and records.
  std::string line(std::string sentence) const;

 private:
  using Index = std::unordered_multimap<std::uint32_t, std::string_view>;  // by its beginning

  const Index& index() const;

  std::shared_ptr<const TenantConfig> tenant_;
  std::deque<std::string> learned_;
  SecretTraces earlier_;
  mutable Index index_;  // of the configured ones; made when it is first needed, which is seldom
  mutable bool indexed_ = false;
};

}  // namespace connector
