#include "pbx/vodia/extension_socket.h"

#include <algorithm>
#include <utility>

namespace pbx::vodia {

using base::Errc;

ExtensionSocket::ExtensionSocket(Options options, Http http)
    : options_(std::move(options)), http_(std::move(http)), login_(options_.login, http_) {}

std::optional<ExtensionSocket::Failure> ExtensionSocket::begin(TimePoint now, Effects& effects) {
  if (!options_.logs_in) {
    connect(effects);
    return std::nullopt;
  }
  return go_on(login_.begin(effects), now, effects);
}

std::optional<ExtensionSocket::Failure> ExtensionSocket::on_http(
    HttpId id, const base::Result<HttpReply>& reply, const std::string& detail, TimePoint now,
    Effects& effects) {
  return go_on(login_.on_http(id, reply, detail, effects), now, effects);
}

std::optional<ExtensionSocket::Failure> ExtensionSocket::go_on(Login::Outcome outcome,
                                                               TimePoint now, Effects& effects) {
  if (auto* failed = std::get_if<Login::Failed>(&outcome)) {
    phase_ = Phase::over;
    return Failure{failed->why, std::move(failed->detail)};
  }
  if (std::holds_alternative<Login::Done>(outcome)) {
    connect(effects);
  } else {
    due_ = now + 2 * options_.login_limit;
  }
  return std::nullopt;
}

void ExtensionSocket::connect(Effects& effects) {
  phase_ = Phase::opening;
  due_ = TimePoint::max();  // the shell's limits hold from here to open
  Handshake where = http_.where();
  where.target = socket_target(options_.path, options_.login.domain, options_.login.user);
  where.headers.emplace_back("Cookie", "session=" + http_.cookie());
  effects.push_back(OpenLink{options_.link, std::move(where)});
}

void ExtensionSocket::on_link_open(TimePoint now, Effects& effects) {
  if (phase_ != Phase::opening) return;
  phase_ = Phase::open;
  keep_alive_ = now + kKeepAlive;
  say(action("avoid-disconnect"), effects);
}

ExtensionSocket::Failure ExtensionSocket::on_link_closed(const base::Error& why,
                                                         const std::string& detail) {
  std::string what = phase_ == Phase::open ? "the PBX's connection for this device has ended"
                                           : "the connection for this device could not be opened";
  if (!detail.empty()) what += ": " + detail;
  phase_ = Phase::over;
  return {why, std::move(what)};
}

void ExtensionSocket::say(std::string text, Effects& effects) const {
  effects.push_back(SendText{options_.link, std::move(text)});
}

void ExtensionSocket::close(Effects& effects) {
  if (phase_ == Phase::opening || phase_ == Phase::open) {
    effects.push_back(CloseLink{options_.link});
  }
  phase_ = Phase::over;
}

std::optional<ExtensionSocket::Failure> ExtensionSocket::on_tick(TimePoint now, Effects& effects) {
  if (phase_ == Phase::over) return std::nullopt;
  if (due_ <= now) {
    phase_ = Phase::over;
    return Failure{Errc::timed_out, "the PBX did not answer the device's login in time"};
  }
  if (keep_alive_ <= now) {
    keep_alive_ = now + kKeepAlive;
    say(action("avoid-disconnect"), effects);
  }
  return std::nullopt;
}

TimePoint ExtensionSocket::deadline() const {
  return phase_ == Phase::over ? TimePoint::max() : std::min(due_, keep_alive_);
}

}  // namespace pbx::vodia
