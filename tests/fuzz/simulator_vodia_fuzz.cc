#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include "simulator/stage.h"
#include "simulator/vodia/route.h"
#include "simulator/vodia/text.h"

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

// Method, target, body, cookie, credentials and origin, with tabs in between. Without a method it
// is an upgrade; without credentials it is the administrator who asks.
void ask(simulator::Stage& stage, std::string_view line, simulator::engine::TimePoint now) {
  constexpr std::string_view kNames[] = {"cookie", "authorization", "origin"};
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
  for (const auto name : kNames) request.headers.emplace_back(name, tab());
  request.upgrade = request.method.empty();
  auto& credentials = request.headers[1].second;
  if (credentials.empty()) credentials = "Basic YWRtaW46YWRtaW4tZGVtbw==";
  (void)simulator::vodia::addressee_of(request);
  const auto answer = stage.dialect().on_http(request, now);
  if (answer.kind == HttpAnswer::Kind::reply && answer.reply.status < 200) std::abort();
}

}  // namespace

// Any lines: frames of an extension that is logged in and has a call, or requests, if there is a
// tab in them; "$C" is its call's id. Time goes on in between. Nothing throws.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  simulator::TenantSettings settings;
  settings.name = "fuzz";
  settings.vendor = simulator::Vendor::vodia;
  settings.vodia.domain = "fuzz";
  settings.vodia.accounts = {{"800", "orbits", "Park"}};
  settings.engine.extensions = {"501", "502", "503"};
  if (!text.empty()) {
    settings.vodia.profile =
        static_cast<simulator::vodia::Profile>(static_cast<unsigned char>(text.front()) % 3);
    settings.vodia.variants.phone_control = true;
    settings.vodia.variants.subscriptions = true;
    text.remove_prefix(1);
  }
  CountingWire wire;
  simulator::engine::TimePoint now{};
  simulator::Stage stage(std::move(settings), wire, now);
  auto& dialect = stage.dialect();
  const std::string value = "501 " + simulator::vodia::md5_hex("agent-501");
  const HttpRequest login{
      "POST", "/rest/system/session", R"({"name":"auth","value":")" + value + "\"}", {}, false};
  const auto session = dialect.on_http(login, now).reply.body;
  if (session.size() != 22) std::abort();  // in quotes
  dialect.on_open(1, session.substr(1, 20), false, now);
  if (dialect.connections().empty()) std::abort();
  if (!stage.tenant().originate("502", "501", {}, now)) std::abort();
  if (stage.tenant().answer("501", now)) std::abort();

  const auto calls = stage.tenant().calls();
  const auto id = dialect.id_of(*stage.tenant().find_leg(calls.front()->legs.front()));
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
