#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "call/command.h"
#include "pbx/innovaphone/codec.h"
#include "pbx/innovaphone/legs.h"
#include "pbx/innovaphone/peer.h"
#include "pbx/innovaphone/texts.h"
#include "pbx/innovaphone/users.h"
#include "pbx/session.h"

namespace pbx::innovaphone {

// The commands that are not settled yet. RCC's answers only say that something was accepted, so
// each command on a call waits for the CallInfo that shows its effect, which may come before the
// answer does; those of PbxApi are done when they are answered.
//
// Lives as long as a session. Answers each command exactly once, unless it is destroyed before.
class Commands {
 public:
  struct Options {
    std::chrono::milliseconds call_limit{}, answer_limit{}, action_limit{}, request_limit{};
    std::size_t most = 0;  // at once
    bool dtmf_reversed = false;
  };
  // nullptr if that socket is not there, or not far enough.
  using FindPeer = std::function<Peer*(LinkId)>;

  Commands(Options options, const Users& users, Legs& legs, FindPeer peer)
      : options_(options), users_(users), legs_(legs), peer_(std::move(peer)) {}

  void ask(call::CommandId id, const call::Command& command, TimePoint limit, TimePoint now,
           Effects& effects);
  // False if it answers nothing of ours.
  bool on_result(const Result& result, const std::string& src, TimePoint now, Effects& effects);
  // A call on this handle was told; before its views are.
  void on_call(const Legs::Handle& handle, const std::string& guid, const CallInfo& info);
  // The command that this is the effect of; says so in the view, too.
  std::optional<call::CommandId> cause_of(call::CallView& view) const;
  // After what was seen has been told: which effects are there now?
  void review(TimePoint now, Effects& effects);
  void on_link_lost(LinkId link, Effects& effects);

  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

 private:
  struct Pending {
    call::Service service = call::Service::make_call;
    TimePoint due{}, limit{};
    LinkId link = 0;
    std::string guid;               // who acts
    std::string leg;                // of the outcome
    std::vector<std::string> legs;  // that it acts on
    std::string key, picked;        // of the call picked up, and its leg
    std::string destination;
    bool dialling = false;               // a new call of the user's is awaited
    bool second = false;                 // its first half is done
    std::optional<Legs::Handle> handle;  // of the new call
    std::set<std::string> open;          // requests that are not answered
    unsigned sent = 0, refused = 0;
    std::string why;  // of the last refusal
  };
  using Iterator = std::map<call::CommandId, Pending>::iterator;
  using Refused = std::optional<call::Refusal>;

  Refused start(call::CommandId id, const call::Command& command, Pending& pending, TimePoint now,
                Effects& effects);
  Refused take_user(Pending& pending, const call::DeviceId& device) const;
  Refused take_leg(Pending& pending, const call::Target& target) const;
  Refused take_api(const Pending& pending, std::string_view api) const;
  void say(call::CommandId id, Pending& pending, std::string_view mt, std::string_view api,
           std::vector<Field> fields, TimePoint now, Effects& effects);
  // On one of its legs.
  void act(call::CommandId id, Pending& pending, const std::string& leg, std::string_view mt,
           std::vector<Field> fields, TimePoint now, Effects& effects);
  void dial(call::CommandId id, Pending& pending, TimePoint now, Effects& effects);
  bool settle(Iterator it, TimePoint now, Effects& effects);
  void answer(Iterator it, call::Reply reply, Effects& effects);
  std::chrono::milliseconds limit_of(call::Service service) const;

  Options options_;
  const Users& users_;
  Legs& legs_;
  FindPeer peer_;
  std::uint64_t requests_ = 0;
  std::map<call::CommandId, Pending> pending_;
  std::unordered_map<std::string, call::CommandId> asked_;  // by src
};

}  // namespace pbx::innovaphone
