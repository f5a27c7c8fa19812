#pragma once

#include <chrono>
#include <optional>

#include "call/command.h"
#include "pbx/session.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/legs.h"
#include "pbx/webitel/rest.h"
#include "pbx/webitel/socket.h"

namespace pbx::webitel {

// The commands that are not settled yet: worders completes this. They go over the control socket or
// REST as webitel.md 7.4 has it; OK means that the PBX has taken one, not that anything happened
// (0, fact 9), so each waits for what proves its effect.
//
// Lives as long as a session. Answers each command exactly once, unless it is destroyed before.
class Commands {
 public:
  struct Options {
    std::chrono::milliseconds call_limit{}, action_limit{};
    std::size_t most = 0;  // at once
  };

  Commands(Options options, Rest& rest, Socket& socket, const Legs& legs,
           const Directory& directory);

  void ask(call::CommandId id, const call::Command& command, TimePoint limit, TimePoint now,
           Effects& effects);
  // False if it is not a command's.
  bool on_reply(const SocketReply& reply, TimePoint now, Effects& effects);
  bool on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint now, Effects& effects);
  // The command that this is the effect of, if it is one; says so in the view (its causes), too.
  std::optional<call::CommandId> cause_of(Legs::Seen& seen);
  // After what was seen has been told: which effects are there now?
  void review(TimePoint now, Effects& effects);
  // Whether reading the tenant's calls or people now, and not at the next turn, would settle a
  // command sooner: true once after each that was sent.
  bool wants_calls();
  bool wants_people();
  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;
};

}  // namespace pbx::webitel
