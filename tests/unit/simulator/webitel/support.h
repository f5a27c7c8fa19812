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

namespace simulator::webitel {

namespace json = boost::json;
using namespace std::chrono_literals;
using engine::ConnectionId;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Wire : RecordingWire {
  std::map<ConnectionId, std::uint16_t> closed;
  std::map<std::uint64_t, engine::HttpReply> answers;

  void close(ConnectionId who, std::uint16_t code, std::string_view) override {
    closed[who] = code;
  }
  void answer(std::uint64_t ticket, engine::HttpReply reply) override {
    EXPECT_TRUE(answers.emplace(ticket, std::move(reply)).second) << "answered twice";
  }
};

// Users 10 to 13 are at 201 to 204; 201 and 202 are agents 101 and 102; nobody has 204 yet.
inline TenantSettings office() {
  TenantSettings settings;
  settings.name = "office";
  settings.vendor = Vendor::webitel;
  settings.own_listener = true;
  settings.engine.extensions = {"201", "202", "203", "204"};
  settings.webitel.agents = {"201", "202"};
  settings.webitel.unassigned = {"204"};
  return settings;
}

// One Webitel tenant without sockets, at a time of its own. Connections have their extension's
// number; the gateway's is 1.
struct World {
  static constexpr ConnectionId kGateway = 1;

  explicit World(TenantSettings settings = office())
      : stage(std::move(settings), wire, engine::TimePoint{}) {}

  engine::Tenant& tenant() { return stage.tenant(); }
  engine::Dialect& dialect() { return stage.dialect(); }
  void wait(engine::Millis time = 0ms) { stage.advance(now += time); }
  void faults(const std::function<void(engine::Faults&)>& change) {
    scenario::FaultChange wanted;
    wanted.changes.push_back(change);
    EXPECT_EQ(stage.change_faults(wanted, now), "");
  }

  // ---- Sockets.
  void open(ConnectionId who, const std::string& target = "/ws/websocket") {
    const auto answer = dialect().on_http({"GET", target, "", {}, true}, now);
    ASSERT_EQ(answer.kind, engine::HttpAnswer::Kind::accept) << target;
    dialect().on_open(who, answer.visitor, false, now);
  }
  void say_text(ConnectionId who, std::string_view text) { dialect().on_text(who, text, now); }
  void say(ConnectionId who, const std::string& action, const std::string& data = "{}") {
    say_text(who, R"({"seq":)" + std::to_string(++seqs[who]) + R"(,"action":")" + action +
                      R"(","data":)" + data + "}");
  }
  void challenge(ConnectionId who, const std::string& token) {
    say(who, "authentication_challenge", R"({"token":")" + token + "\"}");
  }
  static std::string token_of(ConnectionId who) {
    return who == kGateway ? "gateway-token" : "token-" + std::to_string(who);
  }
  // Logged in, with nothing left to hear.
  void log_in(ConnectionId who) {
    open(who);
    challenge(who, token_of(who));
    heard(who);
  }
  void subscribe(ConnectionId who) {
    log_in(who);
    say(who, "subscribe_call");
    heard(who);
  }
  std::vector<std::string> heard(ConnectionId who) { return wire.take(who); }
  std::vector<json::object> frames(ConnectionId who) {
    wait();
    std::vector<json::object> all;
    for (const auto& text : heard(who)) {
      EXPECT_TRUE(text.ends_with('\n')) << text;
      all.push_back(json::parse(text).as_object());
    }
    return all;
  }
  // What matters of each frame: "201 ringing outbound 202", "OK 3 {…}", "FAIL 3 id 400".
  std::vector<std::string> told(ConnectionId who) {
    std::vector<std::string> all;
    for (const auto& frame : frames(who)) all.push_back(brief(frame));
    return all;
  }
  // The data of the only answer among what comes.
  json::object ask(ConnectionId who, const std::string& action, const std::string& data = "{}") {
    heard(who);
    say(who, action, data);
    for (auto& frame : frames(who)) {
      if (!frame.contains("seq_reply")) continue;
      EXPECT_EQ(frame.at("status"), "OK") << json::serialize(frame);
      return frame.contains("data") ? frame.at("data").as_object() : json::object();
    }
    ADD_FAILURE() << "no answer to " << action;
    return {};
  }
  // "" for OK, else the error's id and code.
  std::string result(ConnectionId who, const std::string& action, const std::string& data = "{}") {
    heard(who);
    say(who, action, data);
    for (auto& frame : frames(who)) {
      if (!frame.contains("seq_reply")) continue;
      if (frame.at("status") == "OK") return "";
      const auto& error = frame.at("error").as_object();
      return std::string(error.at("id").as_string()) + " " + json::serialize(error.at("code"));
    }
    return "no answer";
  }

  static std::string text(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return !value               ? std::string()
           : value->is_string() ? std::string(value->get_string())
                                : json::serialize(*value);
  }
  std::string number_of(const std::string& user) const {
    return std::to_string(191 + std::stoi(user));  // user 10 is at 201
  }
  std::string brief(const json::object& frame) const {
    if (frame.contains("status")) {
      std::string out = text(frame, "status") + " " + text(frame, "seq_reply");
      if (const auto* error = frame.if_contains("error")) {
        out += " " + text(error->as_object(), "id") + " " + text(error->as_object(), "code");
      }
      if (frame.contains("data")) out += " " + text(frame, "data");
      return out;
    }
    const auto& data = frame.at("data").as_object();
    const auto event = text(frame, "event");
    if (event == "user_state") {
      return "presence " + text(frame, "user_id") + " " +
             text(data.at("state").as_object(), "status");
    }
    if (event == "agent_status") {
      return "agent " + text(data, "agent_id") + " " + text(data, "status") + " " +
             text(data, "status_payload");
    }
    if (event != "call") return event + " " + text(frame, "seq");
    const auto& call = data.at("call").as_object();
    const auto kind = text(call, "event");
    const auto& its = call.at("data").as_object();
    std::string out = number_of(text(call, "user_id")) + " " + kind;
    if (kind == "ringing") {
      out += " " + text(its, "direction") + " " + text(its, "destination");
      if (its.contains("originate")) out += " originate";
    }
    if (kind == "bridge") out += " " + text(its.at("to").as_object(), "number");
    if (kind == "dtmf") out += " " + text(its, "digit");
    if (kind == "hangup") {
      out += " " + text(its, "cause") + " " + text(its, "sip") + " " + text(its, "hangup_by");
    }
    return out;
  }

  // ---- Calls.
  void talk(std::string_view from, std::string_view to) {
    ASSERT_TRUE(tenant().originate(from, to, {}, now));
    wait(500ms);  // outside it takes so long to ring
    ASSERT_FALSE(tenant().answer(to, now));
  }
  // Of the device's newest leg.
  std::string leg_at(std::string_view extension) {
    const auto& legs = tenant().extension(tenant().find_extension(extension)).legs;
    return legs.empty() ? "" : dialect().id_of(*tenant().find_leg(legs.back()));
  }
  std::string first_leg_at(std::string_view extension) {
    const auto& legs = tenant().extension(tenant().find_extension(extension)).legs;
    return legs.empty() ? "" : dialect().id_of(*tenant().find_leg(legs.front()));
  }
  static std::string leg(const std::string& id, const std::string& more = "") {
    return R"({"id":")" + id + R"(","app_id":"fs-01")" + more + "}";
  }

  // ---- REST.
  engine::HttpAnswer request(const std::string& method, const std::string& target,
                             const std::string& body = "",
                             const std::string& token = "gateway-token") {
    return dialect().on_http({method, "/api" + target, body, {{"x-webitel-access", token}}, false},
                             now);
  }
  // "200 {…}"
  std::string rest(const std::string& method, const std::string& target,
                   const std::string& body = "", const std::string& token = "gateway-token") {
    const auto answer = request(method, target, body, token);
    EXPECT_EQ(answer.kind, engine::HttpAnswer::Kind::reply);
    return std::to_string(answer.reply.status) + " " + answer.reply.body;
  }
  // "500 store.sql_call.get_instance.app_error 404"
  std::string error(const std::string& method, const std::string& target,
                    const std::string& body = "", const std::string& token = "gateway-token") {
    const auto answer = request(method, target, body, token);
    const auto it = json::parse(answer.reply.body).as_object();
    return std::to_string(answer.reply.status) + " " + text(it, "id") + " " + text(it, "code");
  }
  json::array items(const std::string& target, const std::string& token = "gateway-token") {
    const auto answer = request("GET", target, "", token);
    EXPECT_EQ(answer.reply.status, 200u) << answer.reply.body;
    return json::parse(answer.reply.body).as_object().at("items").as_array();
  }

  engine::TimePoint now{};
  Wire wire;
  Stage stage;
  std::map<ConnectionId, std::int64_t> seqs;
};

}  // namespace simulator::webitel
