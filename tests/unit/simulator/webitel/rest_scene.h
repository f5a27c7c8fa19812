#pragma once

#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "support.h"

namespace simulator {

// One Webitel tenant without sockets, at a time of its own, as its REST clients see it.
struct RestScene {
  static constexpr engine::ConnectionId kSocket = 1;

  static TenantSettings tenant() {
    TenantSettings settings;
    settings.name = "acme";
    settings.vendor = Vendor::webitel;
    settings.engine.extensions = {"201", "202", "203", "204"};
    settings.webitel.domain = "acme.example";
    settings.webitel.agents = {"201"};
    settings.webitel.unlicensed = {"204"};
    return settings;
  }
  explicit RestScene(TenantSettings settings = tenant()) : stage(std::move(settings), wire, now) {}

  using Headers = std::vector<std::pair<std::string, std::string>>;
  engine::HttpReply ask(const std::string& method, const std::string& target, Headers headers,
                        const std::string& body = {}) {
    engine::HttpRequest request{method, "/api" + target, body, std::move(headers), false};
    const auto answer = stage.dialect().on_http(request, now);
    EXPECT_EQ(answer.kind, engine::HttpAnswer::Kind::reply);
    return answer.reply;
  }
  engine::HttpReply ask(const std::string& method, const std::string& target,
                        const std::string& body = {}) {
    return ask(method, target, {{"x-webitel-access", token}}, body);
  }
  // What it is; a failure of the test if it is refused.
  boost::json::value made(const std::string& method, const std::string& target,
                          const std::string& body = {}) {
    const auto reply = ask(method, target, body);
    EXPECT_EQ(reply.status, 200u) << method << ' ' << target << ": " << reply.body;
    boost::system::error_code wrong;
    auto value = boost::json::parse(reply.body, wrong);
    EXPECT_FALSE(wrong) << reply.body;
    return value;
  }
  boost::json::value get(const std::string& target) { return made("GET", target); }
  // "400 model.Agent.valid.chat_count", or "200" and no more; the body's code, which need not be
  // HTTP's.
  std::string verdict(const std::string& method, const std::string& target,
                      const std::string& body = {}) {
    return brief(ask(method, target, body));
  }
  static std::string brief(const engine::HttpReply& reply) {
    if (reply.status < 400) return std::to_string(reply.status);
    boost::system::error_code wrong;
    const auto value = boost::json::parse(reply.body, wrong);
    if (wrong || !value.is_object()) return std::to_string(reply.status);
    const auto& error = value.get_object();
    return boost::json::serialize(error.at("code")) + ' ' + text(error, "id");
  }
  static std::string header(const engine::HttpReply& reply, std::string_view name) {
    for (const auto& [its_name, value] : reply.headers) {
      if (its_name == name) return value;
    }
    return {};
  }
  // "user.id" and the like; empty if it is not there.
  static std::string text(const boost::json::value& from, std::string_view path) {
    const boost::json::value* it = &from;
    while (!path.empty()) {
      const auto dot = std::min(path.find('.'), path.size());
      const auto* object = it->if_object();
      it = object ? object->if_contains(path.substr(0, dot)) : nullptr;
      if (!it) return {};
      path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return it->is_string() ? std::string(it->get_string()) : boost::json::serialize(*it);
  }
  // One member of each item of a list.
  static std::vector<std::string> each(const boost::json::value& list, std::string_view path) {
    std::vector<std::string> all;
    for (const auto& item : list.at("items").as_array()) all.push_back(text(item, path));
    return all;
  }

  engine::Tenant& engine() { return stage.tenant(); }
  void wait(engine::Millis time) { stage.advance(now += time); }
  // They talk for so long.
  void talk(const std::string& from, const std::string& to, engine::Millis time) {
    ASSERT_TRUE(engine().originate(from, to, {}, now));
    if (engine().find_extension(to) == engine::kOutside) wait(500ms);
    ASSERT_FALSE(engine().answer(to, now));
    wait(time);
    ASSERT_FALSE(engine().hang_up(from, now));
  }
  // What a new socket hears of this token: "hello", or why not.
  std::string log_in(const std::string& with) {
    const auto who = kSocket + opened++;
    stage.dialect().on_open(who, "/ws/websocket", false, now);
    stage.dialect().on_text(
        who, R"({"seq":1,"action":"authentication_challenge","data":{"token":")" + with + "\"}}",
        now);
    stage.advance(now);
    for (const auto& frame : wire.take(who)) {
      const auto value = boost::json::parse(frame);
      if (const auto event = text(value, "event"); !event.empty()) return event;
      return text(value, "error.id");
    }
    return "nothing";
  }

  std::string token = "gateway-token";
  engine::ConnectionId opened = 0;
  engine::TimePoint now{};
  RecordingWire wire;
  Stage stage;
};

}  // namespace simulator
