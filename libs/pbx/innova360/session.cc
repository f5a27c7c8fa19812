#include "pbx/innova360/session.h"

#include <algorithm>
#include <utility>

#include "base/overloaded.h"

namespace pbx::innova360 {
namespace {

using base::Errc;
using namespace std::chrono_literals;

// Credentials do not become right by themselves.
constexpr auto kRetryRefused = 60s;

}  // namespace

Session::Session(Options options)
    : options_(std::move(options)),
      agents_(std::move(options_.agents)),
      commands_(options_.commands, agents_, legs_) {}

Effects Session::on_start(TimePoint now) {
  due_ = now + options_.login_limit;
  return {OpenLink{kPrimary, options_.where}};
}

Effects Session::on_link_open(LinkId link, TimePoint now) {
  if (link != kPrimary) {
    agents_.on_link_open(link, now);
    return {};
  }
  if (phase_ != Phase::opening) return {};
  phase_ = Phase::welcoming;
  due_ = now + options_.login_limit;
  return {Stage{call::LinkState::logging_in}};  // the PBX speaks first
}

Effects Session::on_text(LinkId link, std::string_view text, TimePoint now) {
  Effects effects;
  if (phase_ == Phase::over) return effects;
  const auto frame = parse(text);
  if (link != kPrimary) {
    Agents::Output out;
    agents_.on_frame(link, frame, now, out);
    commands_.settle(std::move(out), now, effects);
  } else if (frame) {
    take(*frame, now, effects);
  } else if (phase_ == Phase::welcoming) {
    give_up(frame.error(), "the PBX did not begin with a welcome", {}, effects);
  } else {
    effects.push_back(Note{frame.error(), "a message that could not be read"});
  }
  return effects;
}

Effects Session::on_link_closed(LinkId link, const base::Error& why, const std::string&,
                                TimePoint now) {
  Effects effects;
  if (phase_ == Phase::over) return effects;
  Agents::Output out;
  agents_.on_link_closed(link, why, now, out);
  commands_.settle(std::move(out), now, effects);
  return effects;
}

Effects Session::on_command(call::CommandId id, const call::Command& command, TimePoint limit,
                            TimePoint now) {
  Effects effects;
  if (phase_ != Phase::ready) {
    effects.push_back(
        Answer{id, call::Refusal{Errc::pbx_disconnected, "the login is not complete"}});
  } else {
    commands_.ask(id, command, limit, now, effects);
  }
  return effects;
}

Effects Session::on_tick(TimePoint now) {
  Effects effects;
  if (phase_ == Phase::over) return effects;
  if (phase_ != Phase::ready) {
    if (due_ > now) return effects;
    const char* stage = phase_ == Phase::opening          ? "the connection did not open"
                        : phase_ == Phase::welcoming      ? "the PBX sent no welcome"
                        : phase_ == Phase::authenticating ? "the PBX did not answer the login"
                                                          : "the PBX sent no snapshot";
    give_up(Errc::timed_out, std::string(stage) + " in time", {}, effects);
    return effects;
  }
  observe(legs_.on_tick(now), {}, effects);
  Agents::Output out;
  agents_.on_tick(now, out);
  commands_.settle(std::move(out), now, effects);
  commands_.on_tick(now, effects);
  return effects;
}

TimePoint Session::deadline() const {
  if (phase_ == Phase::over) return TimePoint::max();
  if (phase_ != Phase::ready) return due_;
  return std::min({legs_.deadline(), agents_.deadline(), commands_.deadline()});
}

void Session::give_up(const base::Error& why, std::string detail,
                      std::optional<std::chrono::milliseconds> retry_after, Effects& effects) {
  phase_ = Phase::over;
  effects.push_back(GiveUp{why, std::move(detail), retry_after});
}

void Session::take(const Frame& frame, TimePoint now, Effects& effects) {
  if (const Unknown* unknown = std::get_if<Unknown>(&frame);
      unknown && phase_ != Phase::welcoming) {
    effects.push_back(Note{Errc::unsupported, unknown->type});
  } else if (const Init* init = std::get_if<Init>(&frame);
             init && phase_ >= Phase::authenticating) {
    take_snapshot(*init, now, effects);
  } else if (phase_ != Phase::ready) {
    log_in(frame, now, effects);
  } else {
    take_update(frame, now, effects);
  }
}

void Session::log_in(const Frame& frame, TimePoint now, Effects& effects) {
  if (phase_ == Phase::opening) return;  // the shell never does that
  if (phase_ == Phase::welcoming) {
    const Welcome* welcome = std::get_if<Welcome>(&frame);
    if (!welcome)
      return give_up(Errc::bad_frame, "the PBX did not begin with a welcome", {}, effects);
    if (welcome->login_required) {
      phase_ = Phase::authenticating;
      due_ = now + options_.login_limit;
      effects.push_back(SendText{kPrimary, auth_plain(options_.user, options_.password)});
    } else {
      phase_ = Phase::initializing;
      due_ = now + options_.snapshot_limit;
      effects.push_back(Stage{call::LinkState::synchronizing});
    }
    return;
  }
  const AuthResp* answer = std::get_if<AuthResp>(&frame);
  // Updates before `init` are in it.
  if (!answer) return;
  if (!answer->ok) {
    // The socket would stay open for another try, but with the same password that is no use.
    return give_up(Errc::login_rejected, "the PBX refused the supervisor's user and password",
                   kRetryRefused, effects);
  }
  if (phase_ != Phase::authenticating) return;
  phase_ = Phase::initializing;
  due_ = now + options_.snapshot_limit;
  effects.push_back(Stage{call::LinkState::synchronizing});
}

void Session::take_snapshot(const Init& init, TimePoint now, Effects& effects) {
  call::DevicesSeen devices;
  devices.devices.reserve(init.extensions.size());
  told_.clear();
  for (const Extension& extension : init.extensions) {
    if (!told_.emplace(extension.number, extension.state.raw).second) continue;
    devices.devices.push_back(device_of(extension.number, extension.state));
  }
  effects.push_back(Observe{std::move(devices), {}});
  effects.push_back(Observe{call::CallsSeen{legs_.on_init(init, now)}, {}});
  if (phase_ == Phase::ready) {
    commands_.on_snapshot(now, effects);
    return;
  }
  phase_ = Phase::ready;
  due_ = TimePoint::max();
  effects.push_back(Ready{});
  Agents::Output out;
  agents_.start(now, out);
  commands_.settle(std::move(out), now, effects);
}

void Session::take_update(const Frame& frame, TimePoint now, Effects& effects) {
  std::visit(
      base::overloaded{
          [&](const NewCall& it) {
            meet(it.extension, effects);
            const std::string leg = leg_id(it.extension, it.callid);
            const auto made = legs_.is_new(leg, now) ? commands_.made(it) : std::nullopt;
            observe(legs_.on_new_call(it, made.has_value(), now), made, effects);
            if (made) commands_.on_made(*made, leg, now, effects);
          },
          [&](const CallState& it) {
            meet(it.extension, effects);
            observe(legs_.on_call_state(it, now), {}, effects);
          },
          [&](const Hangup& it) {
            const std::string leg = leg_id(it.extension, it.callid);
            observe(legs_.on_hangup(it, now), commands_.ending(leg), effects);
            commands_.on_ended(leg, now, effects);
          },
          [&](const MusicOnHold& it) { observe(legs_.on_music(it, now), {}, effects); },
          [&](const Recording& it) { observe(legs_.on_recording(it, now), {}, effects); },
          [&](const ExtensionStatus& it) {
            std::string& told = told_[it.extension];
            if (told != it.state.raw || told.empty()) {
              told = it.state.raw;
              effects.push_back(Observe{call::DeviceSeen{device_of(it.extension, it.state)}, {}});
            }
            observe(legs_.on_extension_status(it, now), {}, effects);
          },
          // Late words of the login's, and errors: a supervisor takes no actions that could fail.
          [&](const AuthResp& it) {
            if (it.ok) return;
            give_up(Errc::login_rejected, "the PBX withdrew the supervisor's login", kRetryRefused,
                    effects);
          },
          [&](const ActionError&) {
            effects.push_back(Note{Errc::pbx_refused, "an error nobody asked for"});
          },
          [](const auto&) {},
      },
      frame);
}

// An extension that `init` did not show, and that now has a call.
void Session::meet(const std::string& extension, Effects& effects) {
  if (told_.size() >= kLegsMax || !told_.emplace(extension, std::string()).second) return;
  effects.push_back(Observe{call::DeviceSeen{device_of(extension, {})}, {}});
}

void Session::observe(Legs::Views views, std::optional<call::CommandId> caused_by,
                      Effects& effects) {
  for (call::CallView& view : views) {
    effects.push_back(Observe{call::CallSeen{std::move(view)}, caused_by});
  }
}

call::Device Session::device_of(const std::string& extension, const ExtensionState& state) const {
  call::Device device;
  device.id = call::DeviceId(extension);
  device.availability = state.availability;
  device.activity = state.activity;
  device.vendor_status = state.raw;
  device.controllable = agents_.has_account(extension);
  return device;
}

}  // namespace pbx::innova360
