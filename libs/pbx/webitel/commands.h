#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "call/command.h"
#include "pbx/session.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/legs.h"
#include "pbx/webitel/rest.h"
#include "pbx/webitel/socket.h"

namespace pbx::webitel {

// The commands that are not settled yet. They go over the control socket or REST as webitel.md 7.4
// has it; OK means that the PBX has taken one, not that anything happened (0, fact 9), so each
// waits for what proves its effect. An error settles a command at once, a reply that was lost does
// not: its effect may still be seen. Some have a second step, which is sent when the first one's
// effect is there.
//
// Lives as long as a session. Answers each command exactly once, unless it is destroyed before.
class Commands {
 public:
  struct Options {
    std::chrono::milliseconds call_limit{};    // until somebody has picked up
    std::chrono::milliseconds action_limit{};  // of each other step, to its effect
    std::size_t most = 0;                      // at once
  };

  Commands(Options options, Rest& rest, Socket& socket, Legs& legs, const Directory& directory)
      : options_(options), rest_(rest), socket_(socket), legs_(legs), directory_(directory) {}

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

 private:
  struct Pending {
    call::Service service = call::Service::make_call;
    TimePoint due{}, limit{};
    unsigned step = 0;
    std::string leg;                // of the outcome
    std::vector<std::string> legs;  // that this step acts on
    std::string next;               // the leg of the second step
    std::string extension, user;    // who calls, or whose state it is
    std::string number;             // dialled, bare
    std::map<std::string, std::string> data;
    std::vector<std::string> before;  // the user's legs that are not what was dialled
    bool dialling = false;            // a new call is awaited
    bool made = false;                // and its leg known
    std::string digits;               // still to be sent, the current one first
    bool on = false;                  // do not disturb
    call::AgentState state = call::AgentState::unknown;
    std::string reason;
    // Of this step.
    unsigned sent = 0, refused = 0, open = 0;
    bool lost = false;  // it may have been carried out, and nobody said
  };
  using Iterator = std::map<call::CommandId, Pending>::iterator;
  struct Asked {
    call::CommandId command;
    unsigned step;
  };

  std::optional<call::Refusal> start(call::CommandId id, const call::Command& command,
                                     Pending draft, TimePoint now, Effects& effects);
  void begin_step(Pending& pending, std::chrono::milliseconds limit, TimePoint now);
  void say(Iterator it, std::string_view action, const std::string& data, Effects& effects);
  void post(Iterator it, std::string method, const std::string& path, std::string body,
            std::optional<std::chrono::milliseconds> limit, Effects& effects);
  // What acts on one leg that is there.
  void say_of(Iterator it, std::string_view action, const std::string& leg, Effects& effects);
  void hang_up(Iterator it, const std::string& leg, Effects& effects);
  void dial(Iterator it, TimePoint now, Effects& effects);
  void send_digit(Iterator it, TimePoint now, Effects& effects);

  bool is_made_by(const Pending& pending, const call::Leg& leg, const Legs::Seen& seen) const;
  void claim(call::CommandId id, const std::string& leg);
  void settle(Iterator it, TimePoint now, Effects& effects);
  void settle_steps(Iterator it, TimePoint now, Effects& effects);
  bool is_agent_as_wanted(const Pending& pending) const;
  // Of the step that it was asked in; nothing if that is over.
  std::optional<Iterator> take(const Asked& asked);
  void take_success(Iterator it, TimePoint now, Effects& effects);
  void take_error(Iterator it, const RestError& error, TimePoint now, Effects& effects);
  void expect_nothing(const Pending& pending);
  void lose(Iterator it, TimePoint now, Effects& effects);
  void refuse(Iterator it, call::Refusal refusal, Effects& effects);
  void answer(Iterator it, call::Reply reply, Effects& effects);

  const Options options_;
  Rest& rest_;
  Socket& socket_;
  Legs& legs_;
  const Directory& directory_;
  bool wants_calls_ = false, wants_people_ = false;
  std::map<call::CommandId, Pending> pending_;
  std::map<std::uint64_t, Asked> said_;  // by the socket's number
  std::map<HttpId, Asked> posted_;
};

}  // namespace pbx::webitel
