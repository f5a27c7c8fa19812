#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pbx/webitel/commands.h"
#include "pbx/webitel/parts.h"

namespace pbx::webitel {

using base::Errc;
using Kind = LegEvent::Kind;

// Commands, the legs that they act on, and the PBX that tells of these.
struct WebitelCommands : Parts {
  // What was told, and which command was named as its cause: "a hangup transfer by 1".
  void take(Legs::Output seen) {
    for (Legs::Seen& it : seen) {
      if (const auto cause = commands.cause_of(it)) causes.push_back(*cause);
      views.push_back(it.view);
    }
    Effects effects;
    commands.review(now, effects);
    keep(effects);
  }
  void event(LegEvent it) {
    it.app_id = "fs-01";
    it.told_at = ++clock;
    take(legs.on_event(it, now));
  }
  LegEvent leg(Kind kind, std::string id, std::string user = "10") {
    LegEvent it;
    it.kind = kind;
    it.id = std::move(id);
    it.user = std::move(user);
    return it;
  }
  void rings_out(const std::string& id, const std::string& user, const std::string& number,
                 bool originate = true) {
    LegEvent it = leg(Kind::ringing, id, user);
    it.way = Way::outbound;
    it.destination = number;
    it.from = {"user", user == "10" ? "101" : "102", "", user};
    it.originate = originate;
    event(it);
  }
  void rings_in(const std::string& id, const std::string& user, const std::string& parent = "") {
    LegEvent it = leg(Kind::ringing, id, user);
    it.way = Way::inbound;
    it.parent = parent;
    it.destination = user == "11" ? "102" : "101";
    it.from = {"gateway", "34911555", "", ""};
    it.to = End{"user", it.destination, "", user};
    event(it);
  }
  void active(const std::string& id, const std::string& user = "10") {
    event(leg(Kind::active, id, user));
  }
  void bridge(const std::string& id, const std::string& other, const std::string& user = "10") {
    LegEvent it = leg(Kind::bridge, id, user);
    it.bridged = other;
    event(it);
  }
  void holds(const std::string& id) { event(leg(Kind::hold, id)); }
  void hangs_up(const std::string& id, std::string cause = "NORMAL_CLEARING",
                const std::string& user = "10") {
    LegEvent it = leg(Kind::hangup, id, user);
    it.cause = std::move(cause);
    event(it);
  }
  // A call that 101 is in and talks.
  void talk(const std::string& id) {
    rings_in(id, "10");
    active(id);
    take_texts();
  }

  call::CommandId ask(const call::Command& command, std::chrono::milliseconds limit = 2min) {
    const call::CommandId id = ++last;
    Effects effects;
    commands.ask(id, command, now + limit, now, effects);
    keep(effects);
    return id;
  }
  // To the request on the socket with this number; 0: the one made last.
  void ok(std::uint64_t request = 0, std::string data = {}) {
    reply({request == 0 ? socket.last() : request, true, std::move(data), 0, {}, {}});
  }
  void fail(unsigned code, std::string id, std::string detail = {}, std::uint64_t request = 0) {
    reply({request == 0 ? socket.last() : request,
           false,
           {},
           code,
           std::move(id),
           std::move(detail)});
  }
  void reply(const SocketReply& it) {
    Effects effects;
    EXPECT_TRUE(commands.on_reply(it, now, effects));
    keep(effects);
  }
  void answer(unsigned status, std::string body = {}) {
    Effects effects;
    EXPECT_TRUE(
        commands.on_http(take_request().id, HttpReply{status, {}, std::move(body)}, now, effects));
    keep(effects);
  }
  void answer(Errc failure) {
    Effects effects;
    EXPECT_TRUE(commands.on_http(take_request().id, base::Error(failure), now, effects));
    keep(effects);
  }
  void review() {
    Effects effects;
    commands.review(now, effects);
    keep(effects);
  }
  void pass(std::chrono::milliseconds span) {
    const TimePoint until = now + span;
    while (commands.deadline() <= until) {
      now = std::max(now, commands.deadline());
      Effects effects;
      commands.on_tick(now, effects);
      keep(effects);
      if (commands.deadline() <= now) {
        ADD_FAILURE() << "a deadline did not move on";
        break;
      }
    }
    now = until;
  }
  std::string verdict(call::CommandId id) {
    if (const auto it = answers.find(id); it != answers.end()) {
      if (const auto* outcome = std::get_if<call::Outcome>(&it->second.front());
          outcome && it->second.size() == 1) {
        return "ok " + outcome->leg;
      }
      return words_of(it->second);
    }
    return "open";
  }
  static call::Target target(std::string leg, const char* device = "101") {
    return {"", std::move(leg), call::DeviceId(device)};
  }
  static call::MakeCall to(std::string number, std::map<std::string, std::string> data = {}) {
    return {call::DeviceId("101"), std::move(number), std::move(data)};
  }

  Commands commands{{90s, 5s, 4}, rest, socket, legs, directory};
  std::vector<call::CommandId> causes;
  std::vector<call::CallView> views;
  call::CommandId last = 0;
  std::int64_t clock = 1'795'250'277'000;
};

}  // namespace pbx::webitel
