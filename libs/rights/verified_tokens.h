#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "rights/policy.h"

namespace rights {

// Whose the JWTs are that were verified lately, by their SHA-256: who shows one with each request
// costs a signature once, and nobody can put anything in who has no good token. Beyond `max` the
// one that was not shown for the longest time makes room. Time is an argument; any thread.
class VerifiedTokens {
 public:
  using TimePoint = std::chrono::system_clock::time_point;

  explicit VerifiedTokens(std::size_t max) : max_(max) {}

  // Nothing once the token is over, or if it was never added.
  std::optional<Identity> find(const std::string& hash, TimePoint now);
  // One that does not expire is not remembered.
  void add(std::string hash, Identity identity);
  std::size_t size() const;

 private:
  struct Entry {
    std::string hash;
    Identity identity;
  };
  using Entries = std::list<Entry>;

  const std::size_t max_;
  mutable std::mutex mutex_;
  Entries entries_;                                                 // the one shown last comes last
  std::unordered_map<std::string_view, Entries::iterator> places_;  // of their hashes
};

}  // namespace rights
