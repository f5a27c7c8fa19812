#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "simulator/engine/random.h"
#include "simulator/engine/types.h"

namespace simulator::vodia {

// Who asks, and what for: the extension itself, the tenant's administrator, or the system's.
enum class Scope : std::uint8_t { nobody, extension, domain, system };

struct Identity {
  Scope scope = Scope::nobody;
  engine::ExtensionIndex extension = engine::kOutside;  // of the scope of that name
};

struct Session {
  Identity who;
  bool second_factor_due = false;  // not logged in before it came
};

// The sessions of one tenant, and the tokens that may become one. Sessions last until they are
// closed, or until there are too many; then the oldest goes.
class Sessions {
 public:
  static constexpr std::size_t kIdSize = 20;
  static constexpr std::size_t kSessionsMax = 10'000;
  static constexpr std::size_t kTokensMax = 1'000;

  // Every id begins with `mark`.
  Sessions(std::string mark, std::uint64_t seed) : mark_(std::move(mark)), random_(seed) {}

  std::string open(const Session& session);
  // A token that is good once, and until `end`.
  std::string mint(const Identity& who, engine::TimePoint end);
  std::optional<Identity> redeem(std::string_view token, engine::TimePoint now);

  // Whoever is logged in under this id; nobody with a second factor still due.
  Identity who(std::string_view id) const;
  const Session* find(std::string_view id) const;
  // The second factor came.
  void complete(std::string_view id);
  bool close(std::string_view id);
  void close_all();
  std::size_t size() const { return sessions_.size(); }

 private:
  struct Token {
    Identity who;
    engine::TimePoint end;
  };

  std::string make_id();

  std::string mark_;
  engine::Random random_;
  std::unordered_map<std::string, Session> sessions_;
  std::unordered_map<std::string, Token> tokens_;
  std::deque<std::string> session_order_, token_order_;  // oldest first; may have gone already
};

}  // namespace simulator::vodia
