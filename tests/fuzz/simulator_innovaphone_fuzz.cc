#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "simulator/innovaphone/digest.h"
#include "simulator/stage.h"

namespace {

using namespace std::chrono_literals;
namespace innovaphone = simulator::innovaphone;
using simulator::engine::ConnectionId;

struct CountingWire : simulator::engine::Wire {
  std::string last;
  ConnectionId dialled = 99;
  void send(ConnectionId, const simulator::engine::Frame& frame) override {
    if (frame->empty()) std::abort();
    last = *frame;
  }
  void logged_in(ConnectionId) override {}
  void drop(ConnectionId) override {}
  void go_silent(ConnectionId) override {}
  void refuse(bool) override {}
  ConnectionId dial(std::string_view) override { return ++dialled; }
};

// A text that is JSON may be normalised, again and again, and its members found.
void look_at(std::string_view text) {
  boost::system::error_code wrong;
  (void)boost::json::parse(boost::json::string_view(text.data(), text.size()), wrong);
  (void)innovaphone::raw_member(text, "info");
  const auto once = innovaphone::normalised(text);
  if (!wrong && innovaphone::normalised(once) != once) std::abort();
}

}  // namespace

// Any lines: messages of an app that is logged in and watches a user with a call, or with a tab at
// their beginning, of a gateway that the PBX has dialled. Time goes on in between. Nothing throws.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  simulator::TenantSettings settings;
  settings.name = "fuzz";
  settings.vendor = simulator::Vendor::innovaphone;
  settings.engine.extensions = {"201", "202", "203"};
  auto& system = settings.innovaphone;
  system.profile = innovaphone::Profile::v14r1;
  innovaphone::AppObject app;
  app.name = "gateway";
  app.websocket = true;
  app.url = "http://gateway/acme/inbound";
  system.apps = {app};
  if (!text.empty()) {
    const auto bits = static_cast<unsigned char>(text.front());
    system.variants.own_phone_first = (bits & 1) != 0;
    system.variants.ungranted = (bits & 2) != 0 ? innovaphone::Variants::Ungranted::error
                                                : innovaphone::Variants::Ungranted::silent;
    text.remove_prefix(1);
  }
  CountingWire wire;
  simulator::engine::TimePoint now{};
  simulator::Stage stage(std::move(settings), wire, now);
  auto& dialect = stage.dialect();
  stage.advance(now);
  dialect.on_open(1, "/PBX0/APPS/websocket", false, now);
  dialect.on_text(1, R"({"mt":"AppChallenge"})", now);
  innovaphone::LoginFields fields;
  fields.app = "gateway";
  const auto challenge = std::string(boost::json::parse(wire.last).at("challenge").as_string());
  const auto digest = innovaphone::login_digest(fields, challenge, app.password);
  dialect.on_text(1, R"({"mt":"AppLogin","app":"gateway","digest":")" + digest + "\"}", now);
  if (!dialect.connections().front().logged_in) std::abort();
  dialect.on_text(1, R"({"mt":"Initialize","api":"RCC","calls":true})", now);
  dialect.on_text(1, R"({"mt":"UserInitialize","api":"RCC","cn":"User 201","xfer":true})", now);
  dialect.on_open(wire.dialled, "", false, now);
  if (!stage.tenant().originate("202", "201", {}, now)) std::abort();
  if (stage.tenant().answer("201", now)) std::abort();

  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    look_at(line);
    const bool dialled = line.starts_with('\t');
    if (dialled) line.remove_prefix(1);
    dialect.on_text(dialled ? wire.dialled : 1, line, now);
    stage.advance(now += 700ms);
    at = end + 1;
  }
  return 0;
}
