#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include "simulator/stage.h"

namespace {

using namespace std::chrono_literals;

// Counts what comes back; every frame has to be an object or one of the intended faults.
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

}  // namespace

// Any frames, one a line, from an agent that is logged in and has a call, and from a connection
// that is not; time goes on in between. Nothing throws, and calls end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  simulator::TenantSettings settings;
  settings.name = "fuzz";
  settings.engine.extensions = {"201", "202", "203"};
  CountingWire wire;
  simulator::engine::TimePoint now{};
  simulator::Stage stage(std::move(settings), wire, now);
  auto& dialect = stage.dialect();
  dialect.on_open(1, "/agent", false, now);
  dialect.on_open(2, "/ws", false, now);
  dialect.on_text(1, R"({"type":"auth-plain","user":"201","passwd":"agent-201"})", now);
  if (wire.frames != 4) std::abort();  // two welcomes, auth-resp and init
  if (!stage.tenant().originate("202", "201", {}, now)) std::abort();
  if (stage.tenant().answer("201", now)) std::abort();

  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    dialect.on_text(1, line, now);
    dialect.on_text(2, line, now);
    stage.advance(now += 700ms);
    at = end + 1;
  }
  return 0;
}
