#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "pbx/session.h"
#include "pbx/vodia/http.h"

namespace pbx::vodia {

enum class Method { automatic, password, token };
enum class Generation { automatic, legacy, modern };

// Credentials and tenants do not become right by themselves, and a PBX may block an address that
// keeps trying.
inline constexpr std::chrono::seconds kRetryRefused{60};

// The first of the modern servers.
inline constexpr int kModernFrom = 69;

// The way to a session's cookie:
//
//   password   PUT session {auth}                                     → cookie
//   token      POST session {3rd}, as administrator → token → POST session {session} → cookie
//
// and, if no answer on the way named the server's version, GET / for that. A token is good for ten
// seconds and one use; one that is refused is minted again, once. Lives as long as a session, which
// may log in again with it.
class Login {
 public:
  struct Options {
    std::string domain, user, password;
    Method method = Method::automatic;
    Generation generation = Generation::automatic;
  };
  struct Done {};
  struct Failed {
    base::Error why;
    std::string detail;
    std::optional<std::chrono::milliseconds> retry_after;  // nothing: the PBX gave no verdict
  };
  struct GoesOn {};
  using Outcome = std::variant<GoesOn, Done, Failed>;

  Login(Options options, Http& http);

  Outcome begin(Effects& effects);
  // GoesOn also for replies to others' requests.
  Outcome on_http(HttpId id, const base::Result<HttpReply>& reply, const std::string& detail,
                  Effects& effects);

  bool running() const { return step_ != Step::none; }
  bool waits_for(HttpId id) const { return running() && id == waiting_; }
  bool legacy() const { return legacy_; }

 private:
  enum class Step { none, password, mint, activate, version };

  Outcome mint(Effects& effects);
  Outcome granted(std::string cookie, Effects& effects);
  Outcome failed(base::Errc why, std::string detail);
  Outcome refused(const HttpReply& reply);
  void send(Request request, Http::As as, Step step, Effects& effects);

  Options options_;
  Http& http_;
  Method method_;
  Step step_ = Step::none;
  HttpId waiting_ = 0;
  unsigned minted_ = 0;
  std::string token_;
  std::optional<int> version_;
  bool legacy_ = false;
};

}  // namespace pbx::vodia
