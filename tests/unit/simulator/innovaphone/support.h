#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support.h"
#include "simulator/innovaphone/dialer.h"
#include "simulator/innovaphone/digest.h"
#include "simulator/innovaphone/message.h"
#include "simulator/innovaphone/users.h"

namespace simulator::innovaphone {

namespace json = boost::json;
using namespace std::chrono_literals;
using engine::ConnectionId;

// What came out of a stage, and whom it wants to dial: each dial gets the next id from 1000 on.
struct Wire : RecordingWire {
  std::map<ConnectionId, std::uint16_t> closed;
  std::vector<std::string> dialled;

  void close(ConnectionId who, std::uint16_t code, std::string_view) override {
    closed[who] = code;
  }
  ConnectionId dial(std::string_view url) override {
    dialled.emplace_back(url);
    return 999 + dialled.size();
  }
};

inline TenantSettings gamma() {
  TenantSettings settings;
  settings.name = "gamma";
  settings.vendor = Vendor::innovaphone;
  settings.engine.extensions = {"201", "202", "203", "204"};
  settings.innovaphone.domain = "example.com";
  AppObject app;
  app.name = "gateway";
  app.password = "secret";
  settings.innovaphone.apps = {app};
  return settings;
}

// One innovaphone tenant without sockets, at a time of its own.
struct World {
  static constexpr ConnectionId kApp = 1;

  explicit World(TenantSettings settings = gamma())
      : stage(std::move(settings), wire, engine::TimePoint{}) {}

  engine::Tenant& tenant() { return stage.tenant(); }
  engine::Dialect& dialect() { return stage.dialect(); }
  void wait(engine::Millis time = 0ms) { stage.advance(now += time); }
  void say(std::string_view text, ConnectionId who = kApp) { dialect().on_text(who, text, now); }
  std::vector<std::string> heard(ConnectionId who = kApp) { return wire.take(who); }
  // The only message since last time.
  std::string answer(std::string_view text, ConnectionId who = kApp) {
    heard(who);
    say(text, who);
    const auto all = heard(who);
    EXPECT_EQ(all.size(), 1u) << text;
    return all.empty() ? "" : all.front();
  }
  void open(ConnectionId who = kApp, std::string_view path = "/PBX0/APPS/websocket") {
    dialect().on_open(who, path, false, now);
  }
  std::string challenge(ConnectionId who = kApp) {
    const auto result = json::parse(answer(R"({"mt":"AppChallenge"})", who)).as_object();
    const auto& value = result.at("challenge");
    return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
  }
  // An AppLogin as the gateway says it.
  static std::string login_text(const std::string& challenge, const LoginFields& fields,
                                const std::string& password) {
    return R"({"mt":"AppLogin","app":")" + fields.app + R"(","domain":")" + fields.domain +
           R"(","sip":")" + fields.sip + R"(","guid":"","dn":"","digest":")" +
           login_digest(fields, challenge, password) + R"(","pbxObj":null})";
  }
  std::string log_in(ConnectionId who = kApp, const std::string& sip = "",
                     const std::string& app = "gateway") {
    open(who);
    LoginFields fields;
    fields.app = app;
    fields.sip = sip;
    return answer(login_text(challenge(who), fields, "secret"), who);
  }
  // Handles 1, 2, … for the users of these numbers, with everything read.
  void watch(const std::vector<std::string>& numbers, ConnectionId who = kApp) {
    for (const auto& number : numbers) {
      say(R"({"mt":"UserInitialize","api":"RCC","cn":"User )" + number + R"(","xfer":true})", who);
    }
    heard(who);
  }
  // A request of RCC without `src`; what follows is left to be heard.
  void rcc(const std::string& mt, const std::string& fields, ConnectionId who = kApp) {
    say(R"({"mt":")" + mt + R"(","api":"RCC",)" + fields + "}", who);
  }

  // What matters of each message: of a CallInfo "1.2 133 x-conn 201", user, call, state, msg and
  // the peer's number, and then what else there is in it.
  static std::string brief(const std::string& frame) {
    boost::system::error_code bad;
    const auto value = json::parse(frame, bad);
    if (bad || !value.is_object()) return "! no object";
    const auto& it = value.get_object();
    const auto text = [](const json::object& object, std::string_view key) {
      const auto* found = object.if_contains(key);
      return !found               ? std::string()
             : found->is_string() ? std::string(found->get_string())
                                  : json::serialize(*found);
    };
    const auto mt = text(it, "mt");
    if (mt == "UserInfo") {
      std::string out = "UserInfo " + text(it, "e164");
      for (const auto* key : {"channel", "alert"}) {
        if (it.contains(key)) out += std::string(" ") + key + ' ' + text(it, key);
      }
      return it.contains("regs") ? out : out + " gone";
    }
    if (mt != "CallInfo") {
      std::string out = mt;
      for (const auto* key : {"call", "error", "msg"}) {
        if (it.contains(key)) out += ' ' + text(it, key);
      }
      return out;
    }
    std::string out =
        text(it, "user") + '.' + text(it, "call") + ' ' + text(it, "state") + ' ' + text(it, "msg");
    if (!it.contains("del")) out += ' ' + text(it.at("peer").as_object(), "e164");
    if (const auto* no = it.if_contains("no")) {
      for (const auto& each : no->as_array()) {
        const auto& party = each.as_object();
        out += ' ' + text(party, "type");
        if (party.contains("e164")) out += '=' + text(party, "e164");
      }
    }
    if (it.contains("dtmf")) out += " dtmf " + text(it, "dtmf");
    if (const auto* info = it.if_contains("info")) {
      const auto& first = info->as_array().at(0).as_object();
      out +=
          ' ' + text(first, "type") + ' ' + text(first, first.contains("vali") ? "vali" : "vals");
    }
    return out;
  }
  std::vector<std::string> told(ConnectionId who = kApp) {
    wait();
    std::vector<std::string> all;
    for (const auto& frame : heard(who)) all.push_back(brief(frame));
    return all;
  }

  engine::TimePoint now{};
  Wire wire;
  Stage stage;
};

}  // namespace simulator::innovaphone
