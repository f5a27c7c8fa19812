#include "pbx/vodia/phone.h"

#include <algorithm>
#include <utility>

#include "pbx/vodia/fields.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using namespace std::chrono_literals;

constexpr auto kKeepAlive = 30s;
// A registration: what the PBX means if it does not say, and what is plausible.
constexpr unsigned kExpiresUsual = 3'600, kExpiresMax = 24 * 3'600;
constexpr auto kRefreshLeast = 30s;   // after the registration
constexpr auto kRefreshMargin = 15s;  // before its end
constexpr auto kRefreshFloor = 5s;    // whatever the PBX says
constexpr std::string_view kUserAgent = "pbx-gateway";

// Its path has no room for an extension, and its calls have no ids.
bool is_of_2016(const Phone::Options& options) {
  return options.path.empty() || options.path == "/";
}

}  // namespace

Phone::Phone(Options options, Http http)
    : options_(std::move(options)),
      http_(std::move(http)),
      login_(options_.login, http_),
      calls_({options_.stream, options_.link, options_.login.user, options_.wanted.receives_calls,
              options_.legacy, !is_of_2016(options_)}) {}

void Phone::begin(TimePoint now, Effects& effects) {
  if (!options_.logs_in) return open(effects);
  due_ = now + 2 * options_.login_limit;
  go_on(login_.begin(effects), now, effects);
}

void Phone::on_http(HttpId id, const base::Result<HttpReply>& reply, const std::string& detail,
                    TimePoint now, Effects& effects) {
  go_on(login_.on_http(id, reply, detail, effects), now, effects);
}

void Phone::go_on(Login::Outcome outcome, TimePoint now, Effects& effects) {
  if (auto* failed = std::get_if<Login::Failed>(&outcome)) {
    end(failed->why, std::move(failed->detail), effects);
  } else if (std::holds_alternative<Login::Done>(outcome)) {
    open(effects);
  } else {
    due_ = now + 2 * options_.login_limit;
  }
}

void Phone::open(Effects& effects) {
  phase_ = Phase::opening;
  due_ = TimePoint::max();  // the shell's limits hold from here to open
  Handshake where = http_.where();
  where.target = socket_target(options_.path, options_.login.domain, options_.login.user);
  where.headers.emplace_back("Cookie", "session=" + http_.cookie());
  effects.push_back(OpenLink{options_.link, std::move(where)});
}

// The list of the extension's calls, because a pickup may be seen nowhere else.
void Phone::on_link_open(TimePoint now, Effects& effects) {
  if (phase_ != Phase::opening) return;
  keep_alive_ = now + kKeepAlive;
  effects.push_back(SendText{options_.link, action("avoid-disconnect")});
  effects.push_back(SendText{
      options_.link,
      options_.legacy ? action("get-calls") : action("own-calls", {{"subscribe", "true", true}})});
  if (!options_.wanted.receives_calls) return become_ready(effects);
  phase_ = Phase::registering;
  register_again(now, effects);
  if (options_.legacy) {
    become_ready(effects);
  } else {
    due_ = now + options_.login_limit;
  }
}

// Until an answer says otherwise it is tried again soon, if there ever was one.
void Phone::register_again(TimePoint now, Effects& effects) {
  const std::string_view wanted = options_.wanted.user_agent;
  const std::string agent = cut(wanted.empty() ? kUserAgent : wanted, kNameMax);
  effects.push_back(SendText{options_.link, is_of_2016(options_)
                                                ? action("sip-register")
                                                : action("sip-register", {{"useragent", agent}})});
  if (expires_ == TimePoint::max()) {
    refresh_ = now + std::chrono::seconds(kExpiresUsual) / 2;
  } else {
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(expires_ - now) / 2;
    refresh_ = now + std::clamp<std::chrono::milliseconds>(rest, kRefreshFloor, kRefreshLeast);
  }
}

void Phone::registered(unsigned expires, TimePoint now, Effects& effects) {
  if (!options_.wanted.receives_calls || phase_ < Phase::registering) return;
  const std::chrono::seconds life(std::min(expires == 0 ? kExpiresUsual : expires, kExpiresMax));
  const auto half = std::max<std::chrono::seconds>(life / 2, kRefreshLeast);
  refresh_ = now + std::max<std::chrono::seconds>(
                       std::min<std::chrono::seconds>(half, life - kRefreshMargin), kRefreshFloor);
  expires_ = std::max(now + life, refresh_ + kRefreshFloor);
  if (phase_ == Phase::registering) become_ready(effects);
}

void Phone::become_ready(Effects& effects) {
  phase_ = Phase::ready;
  due_ = TimePoint::max();
  effects.push_back(Signal{options_.stream, call::SignalReady{}});
}

void Phone::on_text(std::string_view text, TimePoint now, Effects& effects) {
  if (phase_ != Phase::registering && phase_ != Phase::ready) return;
  const auto frame = parse_media(text);
  if (!frame) {
    effects.push_back(Note{frame.error(), "a message for a phone that could not be read"});
    return;
  }
  if (const auto* it = std::get_if<Registration>(&*frame))
    return registered(it->expires, now, effects);
  // Whoever is rung is registered.
  if (phase_ == Phase::registering && std::holds_alternative<Invitation>(*frame)) {
    become_ready(effects);
  }
  if (phase_ == Phase::ready) calls_.on_frame(*frame, effects);
}

void Phone::on_client(const call::FromClient& message, Effects& effects) {
  if (phase_ == Phase::ready) calls_.on_client(message, effects);
}

void Phone::on_link_closed(const base::Error& why, const std::string& detail, Effects& effects) {
  if (phase_ < Phase::opening || phase_ == Phase::over) return;
  const bool opened = phase_ > Phase::opening;
  phase_ = Phase::over;
  std::string what = opened ? "the PBX's connection for this device has ended"
                            : "the connection for this device could not be opened";
  if (!detail.empty()) what += ": " + detail;
  effects.push_back(EndSignal{options_.stream, why, std::move(what)});
}

void Phone::close(Effects& effects) {
  if (phase_ == Phase::over) return;
  if (phase_ == Phase::ready) calls_.hang_up(effects);
  if (phase_ >= Phase::opening) effects.push_back(CloseLink{options_.link});
  phase_ = Phase::over;
}

void Phone::end(const base::Error& why, std::string detail, Effects& effects) {
  close(effects);
  effects.push_back(EndSignal{options_.stream, why, std::move(detail)});
}

void Phone::on_tick(TimePoint now, Effects& effects) {
  if (phase_ == Phase::over) return;
  if (due_ <= now) {
    return end(Errc::timed_out,
               phase_ == Phase::logging_in ? "the PBX did not answer the device's login in time"
                                           : "the PBX did not confirm the registration in time",
               effects);
  }
  if (expires_ <= now) {
    return end(Errc::timed_out, "the PBX does not renew the registration", effects);
  }
  if (keep_alive_ <= now) {
    keep_alive_ = now + kKeepAlive;
    effects.push_back(SendText{options_.link, action("avoid-disconnect")});
  }
  if (refresh_ <= now) register_again(now, effects);
}

TimePoint Phone::deadline() const {
  if (phase_ == Phase::over) return TimePoint::max();
  return std::min({due_, keep_alive_, refresh_, expires_});
}

}  // namespace pbx::vodia
