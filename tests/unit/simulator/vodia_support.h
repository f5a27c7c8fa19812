#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "simulator/vodia/text.h"
#include "support.h"

namespace simulator {

struct ClosingWire : RecordingWire {
  std::map<engine::ConnectionId, std::uint16_t> closed;

  void close(engine::ConnectionId who, std::uint16_t code, std::string_view) override {
    closed[who] = code;
  }
};

inline TenantSettings vodia_tenant(vodia::Profile profile = vodia::Profile::v70) {
  TenantSettings settings;
  settings.name = "acme";
  settings.vendor = Vendor::vodia;
  settings.engine.extensions = {"501", "502", "503", "504"};
  settings.vodia.profile = profile;
  settings.vodia.domain = "acme.example";
  settings.vodia.accounts = {{"700", "acds", "Sales"}, {"800", "orbits", "Park"}};
  return settings;
}

inline std::string base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t count = std::min<std::size_t>(3, text.size() - i);
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < count ? static_cast<unsigned char>(text[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= count ? kDigits[bits >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

// One Vodia tenant without sockets, at a time of its own.
struct VodiaScene {
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit VodiaScene(TenantSettings settings = vodia_tenant())
      : stage(std::move(settings), wire, now) {}

  engine::Tenant& tenant() { return stage.tenant(); }
  void wait(engine::Millis time = 0ms) { stage.advance(now += time); }

  // ---- HTTP
  static Headers basic(const std::string& user, const std::string& password) {
    return {{"authorization", "Basic " + base64(user + ":" + password)}};
  }
  static Headers admin() { return basic("admin", "admin-demo"); }
  static Headers as(const std::string& extension) {
    return basic(extension + "@acme.example", "agent-" + extension);
  }
  static Headers cookie(const std::string& session) { return {{"cookie", "session=" + session}}; }

  engine::HttpAnswer ask(const std::string& method, const std::string& target,
                         const std::string& body = {}, Headers headers = {}, bool upgrade = false) {
    engine::HttpRequest request{method, target, body, std::move(headers), upgrade};
    return stage.dialect().on_http(request, now);
  }
  engine::HttpReply get(const std::string& target, Headers headers = {}) {
    return ask("GET", target, "", std::move(headers)).reply;
  }
  engine::HttpReply post(const std::string& target, const std::string& body, Headers headers = {}) {
    return ask("POST", target, body, std::move(headers)).reply;
  }
  static std::string header(const engine::HttpReply& reply, std::string_view name) {
    for (const auto& [its_name, value] : reply.headers) {
      if (its_name == name) return value;
    }
    return {};
  }
  static std::string session_of(const engine::HttpReply& reply) {
    return vodia::cookie_value(header(reply, "Set-Cookie"), "session");
  }
  // "200 true"
  static std::string brief(const engine::HttpReply& reply) {
    return std::to_string(reply.status) + (reply.body.empty() ? "" : " " + reply.body);
  }
  static boost::json::value parsed(const engine::HttpReply& reply) {
    EXPECT_EQ(reply.status, 200u);
    return boost::json::parse(reply.body);
  }
  engine::HttpReply log_in(const std::string& account, const std::string& password) {
    return post("/rest/system/session",
                R"({"name":"auth","value":")" + account + " " + vodia::md5_hex(password) + "\"}");
  }
  std::string token(const std::string& extension) {
    const auto reply =
        post("/rest/system/session",
             R"({"name":"3rd","domain":"acme.example","username":")" + extension + "\"}", admin());
    return std::string(parsed(reply).as_string());
  }
  engine::HttpReply activate(const std::string& token) {
    return post("/rest/system/session", R"({"name":"session","value":")" + token + "\"}");
  }
  std::string session(const std::string& extension) {
    return session_of(activate(token(extension)));
  }
  // At the extension's own calls: "200 true".
  std::string control(const std::string& extension, const std::string& body) {
    return brief(post("/rest/user/" + extension + "%40acme.example/calls", body, as(extension)));
  }

  // ---- Sockets
  engine::HttpAnswer knock(const std::string& session, const std::string& query = {}) {
    return ask("GET", "/websocket" + query, "", cookie(session), true);
  }
  // The connection has the extension's number.
  engine::ConnectionId open(const std::string& extension) {
    const auto who = static_cast<engine::ConnectionId>(std::stoul(extension));
    const bool modern = stage.settings().vodia.profile != vodia::Profile::legacy2016;
    const auto id = modern
                        ? session(extension)
                        : std::string(parsed(log_in(extension, "agent-" + extension)).as_string());
    const auto answer = knock(id, "?domain=acme.example&user=" + extension);
    EXPECT_EQ(answer.kind, engine::HttpAnswer::Kind::accept);
    stage.dialect().on_open(who, answer.visitor, false, now);
    return who;
  }
  void say(engine::ConnectionId who, std::string_view text) {
    stage.dialect().on_text(who, text, now);
  }
  std::vector<std::string> heard(engine::ConnectionId who) {
    wait();
    return wire.take(who);
  }
  // "calls 501>502 alerting 501,*502 | …" and the like.
  std::vector<std::string> told(engine::ConnectionId who) {
    std::vector<std::string> all;
    for (const auto& frame : heard(who)) all.push_back(brief(frame));
    return all;
  }
  static std::string user_of(std::string_view party) {
    const auto from = party.find("sip:"), to = party.find('@');
    if (from == std::string_view::npos || to == std::string_view::npos) return std::string(party);
    return std::string(party.substr(from + 4, to - from - 4));
  }
  static std::string brief_call(const boost::json::value& value) {
    const auto& call = value.as_object();
    const auto* state = call.if_contains("state");
    if (!state) state = &call.at("callstate");
    std::string out = user_of(call.at("from").as_string()) + ">" +
                      user_of(call.at("to").as_string()) + " " + std::string(state->as_string());
    if (const auto* extensions = call.if_contains("extension")) {
      std::string all;
      for (const auto& it : extensions->as_array()) {
        all += (all.empty() ? "" : ",") + std::string(it.as_string());
      }
      out += " " + all;
    }
    if (const auto* connect = call.if_contains("connect"); connect && *connect != "") {
      out += " since " + std::string(connect->as_string()).substr(6);
    }
    if (const auto* rec = call.if_contains("rec")) out += " rec " + std::string(rec->as_string());
    return out;
  }
  static std::string brief_calls(const boost::json::value& calls) {
    if (calls.is_object()) return "one " + brief_call(calls);
    std::string out = "calls";
    for (const auto& it : calls.as_array()) {
      out += (out == "calls" ? " " : " | ") + brief_call(it);
    }
    return out;
  }
  static std::string brief(const std::string& frame) {
    boost::system::error_code bad;
    const auto value = boost::json::parse(frame, bad);
    if (bad || !value.is_object()) return "! not an object";
    const auto& it = value.as_object();
    if (!it.contains("action")) return "! " + std::string(it.begin()->key());
    const std::string action(it.at("action").as_string());
    if (action == "call-state") return brief_calls(it.at("calls"));
    if (action == "user-state") {
      std::string out = "account " + std::string(it.at("account").as_string());
      if (it.at("dnd") == true || it.at("dnd") == "true") out += " dnd";
      if (it.at("registered") == false || it.at("registered") == "false") out += " gone";
      return out + (it.contains("code") ? " busy" : "");
    }
    if (action == "blf") {
      return "lamp " + std::string(it.at("account").as_string()) + " " +
             std::string(it.at("state").as_string());
    }
    return "! " + action;
  }
  // Of the only call there is, as clients name it.
  std::string call_id() {
    const auto calls = tenant().calls();
    if (calls.empty()) return {};
    return stage.dialect().id_of(*tenant().find_leg(calls.back()->legs.front()));
  }
  void call(std::string_view from, std::string_view to) {
    ASSERT_TRUE(tenant().originate(from, to, {}, now));
  }
  void talk(std::string_view from, std::string_view to) {
    call(from, to);
    ASSERT_FALSE(tenant().answer(to, now));
  }

  engine::TimePoint now{};
  ClosingWire wire;
  Stage stage;
};

}  // namespace simulator
