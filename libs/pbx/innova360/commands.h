#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "call/command.h"
#include "pbx/innova360/agents.h"
#include "pbx/innova360/legs.h"
#include "pbx/session.h"

namespace pbx::innova360 {

// The commands that are not settled yet. Innova360 acknowledges nothing, so each one waits for the
// supervisor to tell of its effect: a new call with the number that was dialled, or the end of the
// legs acted on.
//
// Lives as long as a session. Answers each command exactly once, unless it is destroyed before.
class Commands {
 public:
  struct Options {
    std::chrono::milliseconds call_limit{}, action_limit{};  // from sending to the effect
    std::size_t most = 0;                                    // at once
  };

  Commands(Options options, Agents& agents, Legs& legs)
      : options_(options), agents_(agents), legs_(legs) {}

  void ask(call::CommandId id, const call::Command& command, TimePoint limit, TimePoint now,
           Effects& effects);
  // Carries on with what the agents have to say. Their effects come before ours.
  void settle(Agents::Output out, TimePoint now, Effects& effects);

  // The MakeCall that this call is the effect of.
  std::optional<call::CommandId> made(const NewCall& event) const;
  void on_made(call::CommandId id, const std::string& leg, TimePoint now, Effects& effects);
  // The command that asked for this leg's end.
  std::optional<call::CommandId> ending(std::string_view leg) const;
  void on_ended(const std::string& leg, TimePoint now, Effects& effects);
  // After a complete list: legs that are not there any more have ended.
  void on_snapshot(TimePoint now, Effects& effects);

  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

 private:
  struct Pending {
    call::Service service = call::Service::make_call;
    TimePoint due{}, limit{};
    bool sent = false;
    bool lost = false;              // with the connection that it was sent on
    unsigned jobs = 0;              // that have not failed
    std::string extension, number;  // MakeCall: whose call, and to which number, bare
    std::string destination;        // SingleStepTransferCall
    std::string leg;                // of the outcome
    std::vector<std::string> legs;  // that have to end
  };

  std::optional<call::Refusal> start(call::CommandId id, const call::Command& command,
                                     Pending pending, TimePoint now, Effects& effects);
  void answer(std::map<call::CommandId, Pending>::iterator it, call::Reply reply, TimePoint now,
              Effects& effects);

  Options options_;
  Agents& agents_;
  Legs& legs_;
  std::map<call::CommandId, Pending> pending_;
};

}  // namespace pbx::innova360
