#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "simulator/stage.h"

namespace simulator {

using namespace std::chrono_literals;

// What came out of a stage, instead of sockets.
struct RecordingWire : engine::Wire {
  std::map<engine::ConnectionId, std::vector<std::string>> frames;
  std::set<engine::ConnectionId> in, dropped, silent;
  std::vector<bool> refusals;

  void send(engine::ConnectionId to, const engine::Frame& frame) override {
    frames[to].push_back(*frame);
  }
  void logged_in(engine::ConnectionId who) override { in.insert(who); }
  void drop(engine::ConnectionId who) override { dropped.insert(who); }
  void go_silent(engine::ConnectionId who) override { silent.insert(who); }
  void refuse(bool on) override { refusals.push_back(on); }

  std::vector<std::string> take(engine::ConnectionId of) { return std::exchange(frames[of], {}); }
};

inline TenantSettings small_tenant() {
  TenantSettings settings;
  settings.name = "acme";
  settings.engine.extensions = {"201", "202", "203", "204"};
  settings.innova360.supervisor_user = "boss";
  settings.innova360.supervisor_password = "secret";
  return settings;
}

// One tenant without sockets, at a time of its own.
struct Scene {
  static constexpr engine::ConnectionId kSupervisor = 1;
  static constexpr engine::ConnectionId kAgent201 = 201;

  explicit Scene(TenantSettings settings = small_tenant())
      : stage(std::move(settings), wire, start) {}

  engine::Tenant& tenant() { return stage.tenant(); }
  void wait(engine::Millis time) { stage.advance(now += time); }
  void say(engine::ConnectionId who, std::string_view text) {
    stage.dialect().on_text(who, text, now);
  }
  void open(engine::ConnectionId who, std::string_view path) {
    stage.dialect().on_open(who, path, false, now);
  }
  void supervise(engine::ConnectionId who = kSupervisor) {
    open(who, "/ws");
    say(who, R"({"type":"auth-plain","user":"boss","passwd":"secret"})");
    wire.take(who);
  }
  // The connection has the extension's number.
  void attend(const std::string& extension) {
    const auto who = static_cast<engine::ConnectionId>(std::stoul(extension));
    open(who, "/agent");
    say(who, R"({"type":"auth-plain","user":")" + extension + R"(","passwd":"agent-)" + extension +
                 "\"}");
    wire.take(who);
  }
  std::vector<std::string> heard(engine::ConnectionId who = kSupervisor) { return wire.take(who); }
  // "hangup 201 16": what matters of each update; "!" for what is no update.
  std::vector<std::string> told(engine::ConnectionId who = kSupervisor) {
    std::vector<std::string> all;
    for (const auto& frame : wire.take(who)) all.push_back(brief(frame));
    return all;
  }
  static std::string brief(const std::string& frame) {
    boost::system::error_code bad;
    const auto value = boost::json::parse(frame, bad);
    if (bad || !value.is_object()) return "! not an object";
    const auto& object = value.get_object();
    const auto text = [&](std::string_view key) {
      const auto* it = object.if_contains(key);
      return !it               ? std::string()
             : it->is_string() ? std::string(it->get_string())
                               : boost::json::serialize(*it);
    };
    if (text("type") != "update") return "! " + text("type");
    std::string out = text("action") + ' ' + text("extension");
    for (const auto* key : {"direction", "status", "statedesc", "cause"}) {
      if (object.contains(key)) out += ' ' + text(key);
    }
    return out;
  }
  std::string status(std::string_view extension) {
    return std::string(
        engine::name_of(tenant().extension(tenant().find_extension(extension)).status));
  }

  engine::TimePoint start{};
  engine::TimePoint now = start;
  RecordingWire wire;
  Stage stage;
};

}  // namespace simulator
