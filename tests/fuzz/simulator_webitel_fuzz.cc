#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include "simulator/stage.h"

namespace {

using namespace std::chrono_literals;
using simulator::engine::HttpAnswer;
using simulator::engine::HttpRequest;

struct CountingWire : simulator::engine::Wire {
  std::size_t frames = 0;
  void send(simulator::engine::ConnectionId, const simulator::engine::Frame& frame) override {
    if (frame->empty()) std::abort();
    ++frames;
  }
  void logged_in(simulator::engine::ConnectionId) override {}
  void drop(simulator::engine::ConnectionId) override {}
  void go_silent(simulator::engine::ConnectionId) override {}
  void refuse(bool) override {}
};

// Method, target, body and token, with tabs in between; without a token it is the gateway's.
void ask(simulator::Stage& stage, std::string_view line, simulator::engine::TimePoint now) {
  HttpRequest request;
  const auto tab = [&] {
    const auto end = std::min(line.find('\t'), line.size());
    const auto part = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return std::string(part);
  };
  request.method = tab();
  request.target = tab();
  request.body = tab();
  std::string token = tab();
  if (token.empty()) token = "gateway-token";
  request.headers.emplace_back("x-webitel-access", std::move(token));
  request.upgrade = request.method.empty();
  const auto answer = stage.dialect().on_http(request, now);
  if (answer.kind == HttpAnswer::Kind::reply && answer.reply.status < 200) std::abort();
}

}  // namespace

// Any lines: frames on the socket of a user who is logged in and has a call, or requests, if there
// is a tab in them; "$C" is his leg's id. Time goes on in between. Nothing throws.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  simulator::TenantSettings settings;
  settings.name = "fuzz";
  settings.vendor = simulator::Vendor::webitel;
  settings.webitel.agents = {"401"};
  settings.webitel.unassigned = {"404"};
  settings.engine.extensions = {"401", "402", "403", "404"};
  CountingWire wire;
  simulator::engine::TimePoint now{};
  simulator::Stage stage(std::move(settings), wire, now);
  auto& dialect = stage.dialect();
  dialect.on_open(1, "/ws/websocket", false, now);
  dialect.on_text(
      1, R"({"seq":1,"action":"authentication_challenge","data":{"token":"token-401"}})", now);
  dialect.on_text(1, R"({"seq":2,"action":"subscribe_call"})", now);
  stage.advance(now += 100ms);
  const auto peers = dialect.connections();
  if (peers.empty() || !peers.front().logged_in) std::abort();
  if (!stage.tenant().originate("402", "401", {}, now)) std::abort();
  if (stage.tenant().answer("401", now)) std::abort();

  const auto calls = stage.tenant().calls();
  const auto id = dialect.id_of(*stage.tenant().find_leg(calls.front()->legs.back()));
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    std::string line(text.substr(at, end - at));
    for (auto place = line.find("$C"); place != std::string::npos; place = line.find("$C")) {
      line.replace(place, 2, id);
    }
    if (line.find('\t') != std::string::npos) {
      ask(stage, line, now);
    } else {
      dialect.on_text(1, line, now);
    }
    stage.advance(now += 700ms);
    at = end + 1;
  }
  return 0;
}
