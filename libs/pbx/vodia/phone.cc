#include "pbx/vodia/phone.h"

#include <algorithm>
#include <utility>

#include "pbx/vodia/fields.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using namespace std::chrono_literals;

// A registration: what the PBX means if it does not say, and what is plausible.
constexpr unsigned kExpiresUsual = 3'600, kExpiresMax = 24 * 3'600;
constexpr auto kRefreshLeast = 30s;   // after the registration
constexpr auto kRefreshMargin = 15s;  // before its end
constexpr auto kRefreshFloor = 5s;    // whatever the PBX says
constexpr std::string_view kUserAgent = "pbx-gateway";

// Its path has no room for an extension, and its calls have no ids.
bool is_of_2016(const Phone::Options& options) {
  return options.socket.path.empty() || options.socket.path == "/";
}

}  // namespace

Phone::Phone(Options options, Http http)
    : options_(std::move(options)),
      socket_(options_.socket, std::move(http)),
      calls_({options_.stream, socket_.link(), socket_.extension(), options_.wanted.receives_calls,
              options_.legacy, !is_of_2016(options_)}) {}

void Phone::begin(TimePoint now, Effects& effects) {
  if (const auto failure = socket_.begin(now, effects)) end(*failure, effects);
}

void Phone::on_http(HttpId id, const base::Result<HttpReply>& reply, const std::string& detail,
                    TimePoint now, Effects& effects) {
  const auto failure = socket_.on_http(id, reply, detail, now, effects);
  if (failure) end(*failure, effects);
}

// The list of the extension's calls, because a pickup may be seen nowhere else.
void Phone::on_link_open(TimePoint now, Effects& effects) {
  socket_.on_link_open(now, effects);
  if (phase_ != Phase::opening || !socket_.open()) return;
  socket_.say(
      options_.legacy ? action("get-calls") : action("own-calls", {{"subscribe", "true", true}}),
      effects);
  if (!options_.wanted.receives_calls) return become_ready(effects);
  phase_ = Phase::registering;
  register_again(now, effects);
  if (options_.legacy) {
    become_ready(effects);
  } else {
    due_ = now + options_.socket.login_limit;
  }
}

// Until an answer says otherwise it is tried again soon, if there ever was one.
void Phone::register_again(TimePoint now, Effects& effects) {
  const std::string_view wanted = options_.wanted.user_agent;
  const std::string agent = cut(wanted.empty() ? kUserAgent : wanted, kNameMax);
  socket_.say(is_of_2016(options_) ? action("sip-register")
                                   : action("sip-register", {{"useragent", agent}}),
              effects);
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
  if (phase_ == Phase::over) return;
  end(socket_.on_link_closed(why, detail), effects);
}

void Phone::close(Effects& effects) {
  if (phase_ == Phase::over) return;
  if (phase_ == Phase::ready && socket_.open()) calls_.hang_up(effects);
  socket_.close(effects);
  phase_ = Phase::over;
}

void Phone::end(const ExtensionSocket::Failure& why, Effects& effects) {
  close(effects);
  effects.push_back(EndSignal{options_.stream, why.why, why.detail});
}

void Phone::on_tick(TimePoint now, Effects& effects) {
  if (phase_ == Phase::over) return;
  if (const auto failure = socket_.on_tick(now, effects)) return end(*failure, effects);
  if (due_ <= now) {
    return end({Errc::timed_out, "the PBX did not confirm the registration in time"}, effects);
  }
  if (expires_ <= now) {
    return end({Errc::timed_out, "the PBX does not renew the registration"}, effects);
  }
  if (refresh_ <= now) register_again(now, effects);
}

TimePoint Phone::deadline() const {
  if (phase_ == Phase::over) return TimePoint::max();
  return std::min({socket_.deadline(), due_, refresh_, expires_});
}

}  // namespace pbx::vodia
