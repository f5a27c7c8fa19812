#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "call/command.h"
#include "pbx/session.h"
#include "pbx/vodia/calls.h"
#include "pbx/vodia/directory.h"
#include "pbx/vodia/http.h"
#include "pbx/vodia/portals.h"

namespace pbx::vodia {

// The commands that are not settled yet. A modern server takes them over REST, a legacy one on the
// WebSocket of the extension that acts (portals.h); neither says whether anything came of it, so
// each one waits for a list that shows its effect.
//
// Lives as long as a session. Answers each command exactly once, unless it is destroyed before.
class Commands {
 public:
  struct Options {
    std::string domain, user;
    std::chrono::milliseconds call_limit{}, answer_limit{}, action_limit{};
    std::size_t most = 0;  // at once
  };

  Commands(Options options, Http& http, Calls& calls, Directory& directory, Portals& portals)
      : options_(std::move(options)),
        http_(http),
        calls_(calls),
        directory_(directory),
        portals_(portals) {}

  void set_legacy(bool legacy) { legacy_ = legacy; }
  bool can_act(const std::string& extension) const {
    if (extension == options_.user) return true;
    return legacy_ ? portals_.has(extension) : http_.has_admin();
  }

  void ask(call::CommandId id, const call::Command& command, TimePoint limit, TimePoint now,
           Effects& effects);

  // What the session has to do besides.
  struct Wishes {
    bool log_in = false;        // the cookie was refused
    bool read_devices = false;  // a device's state is about to change
  };
  // Nothing if it is not a command's.
  std::optional<Wishes> on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint now,
                                Effects& effects);

  void on_unsaid(const std::vector<Portals::Unsaid>& unsaid, Effects& effects);

  // The command that this is the effect of; says so in the view, too.
  std::optional<call::CommandId> cause_of(Calls::Seen& seen);
  // After what was seen has been told: which effects are there now?
  void review(TimePoint now, Effects& effects);

  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

 private:
  struct Pending {
    call::Service service = call::Service::make_call;
    TimePoint due{}, limit{};
    std::string leg;                // of the outcome
    std::vector<std::string> legs;  // that it acts on
    std::string key;                // of the call picked up
    std::string device, number;     // who calls, and the number, bare
    std::string destination;
    bool dialling = false;  // a new call of the device's is awaited
    bool made = false;      // and has come
    bool on = false;        // do not disturb
    call::Forwarding forwarding;
    unsigned open = 0;  // requests
    unsigned refused = 0, sent = 0;
    bool lost = false;       // a request may have been carried out, and nobody said
    bool fell_back = false;  // to click to dial
  };
  using Iterator = std::map<call::CommandId, Pending>::iterator;

  std::optional<call::Refusal> start(call::CommandId id, const call::Command& command,
                                     Pending pending, TimePoint now, Effects& effects);
  void post(call::CommandId id, Pending& pending, Request request, Effects& effects);
  void say(call::CommandId id, Pending& pending, const std::string& extension, std::string text,
           TimePoint now, Effects& effects);
  void act(call::CommandId id, Pending& pending, const std::string& leg, Calls::Doing doing,
           TimePoint now, Effects& effects);
  void dial(call::CommandId id, Pending& pending, TimePoint now, Effects& effects);
  bool settle(Iterator it, TimePoint now, Effects& effects);
  void take_reply(Iterator it, const HttpReply& reply, Wishes& wishes, TimePoint now,
                  Effects& effects);
  void take_forwarding(Iterator it, const HttpReply& reply, Effects& effects);
  std::chrono::milliseconds limit_of(call::Service service) const;
  void answer(Iterator it, call::Reply reply, Effects& effects);

  Options options_;
  Http& http_;
  Calls& calls_;
  Directory& directory_;
  Portals& portals_;
  bool legacy_ = false;
  std::vector<Portals::Unsaid> unsaid_;  // at once
  std::map<call::CommandId, Pending> pending_;
  struct Asked {
    call::CommandId command;
    bool reads_back;  // a GET after what was written
  };
  std::map<HttpId, Asked> asked_;
};

}  // namespace pbx::vodia
