#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pbx/session.h"
#include "pbx/webitel/rows.h"
#include "pbx/webitel/socket.h"

namespace pbx::webitel {

// Tokens and licences do not become right by themselves (webitel.md 8).
inline constexpr std::chrono::seconds kRetryRefused{60};

// One socket, which is one user's: the dialogue that keeps it right.
//
//   authentication_challenge → hello, OK → subscriptions → events, and a ping now and then
//
// Subscriptions are renewed every minute, because the PBX may lose them and not know; the reply
// shows the user's legs as they are. Events are counted: where one is missing, the same is done at
// once. A session that has become invalid is never authenticated again on the same socket
// (webitel.md 2.3): it fails, and whoever has it opens another one.
//
// Lives from the opening of its link until that is closed, or it has failed.
class Line {
 public:
  struct Options {
    std::string token;                        // a secret
    std::chrono::milliseconds limit{};        // of each step of the login, and of a ping
    std::chrono::milliseconds resubscribe{};  // between two renewals
  };
  struct Failed {
    base::Error why;
    std::string detail;  // a sentence; never a secret
    std::optional<std::chrono::milliseconds> retry_after;
  };
  // It is authenticated; hello() says whose it is. subscribe() is next.
  struct LoggedIn {};
  // The user's legs, all of them.
  struct OwnLegs {
    std::vector<LegRow> rows;
    TimePoint asked;
  };
  // What a message brought.
  struct Heard {
    std::variant<std::monostate, LoggedIn, OwnLegs, LegEvent, UserState, AgentStatus, AgentChannel,
                 SocketReply>
        what;
    std::optional<Failed> failed;
    bool lost = false;  // events before this one never came
  };

  // `socket` numbers its requests; it may have other users.
  Line(Options options, Socket& socket) : options_(std::move(options)), socket_(socket) {}

  void on_open(TimePoint now, Effects& effects);
  Heard on_text(std::string_view text, TimePoint now, Effects& effects);
  // `agent`: the user's agent, if he is one.
  void subscribe(std::string_view agent, TimePoint now, Effects& effects);
  std::optional<Failed> on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

  const Hello& hello() const { return hello_; }
  // Subscribed, and its user's legs were told.
  bool up() const { return up_; }

 private:
  void renew(std::string_view action, TimePoint now, Effects& effects);
  Heard take_reply(SocketReply reply, TimePoint now);
  Failed refused(const SocketReply& reply) const;
  bool count(const Push& push);

  Options options_;
  Socket& socket_;
  Hello hello_;
  std::string agent_;  // that was subscribed to
  bool authenticated_ = false, up_ = false;
  std::uint64_t login_ = 0, renewal_ = 0, ping_ = 0;  // requests that are open; 0: none
  std::uint64_t next_ = 0;                            // event
  TimePoint asked_{};                                 // the renewal
  TimePoint due_ = TimePoint::max(), renew_at_ = TimePoint::max(), ping_at_ = TimePoint::max(),
            pong_due_ = TimePoint::max();
  std::chrono::milliseconds ping_interval_{};
};

}  // namespace pbx::webitel
