#include "pbx/vodia/session.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "base/overloaded.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using namespace std::chrono_literals;

constexpr auto kResubscribe = 60s;
// A legacy server pushes its accounts, if it knows the message; another one has to be asked.
constexpr auto kPatience = 2s;
// Between two requests for a list that something was missing in.
constexpr auto kAskGap = 100ms;
// A legacy server's answer has every account in it.
constexpr auto kLegacyAskGap = 1s;
constexpr auto kLampPatience = 500ms;
constexpr unsigned kStrangersEnough = 3;
constexpr std::size_t kLampsAtOnce = 200;
constexpr std::size_t kHeldMax = 4 * 1024 * 1024;

std::uint64_t next(std::uint64_t& state) {  // splitmix64
  std::uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

Session::Session(Options options)
    : options_(std::move(options)),
      http_(options_.where, options_.basic, options_.login_limit),
      login_(options_.login, http_),
      directory_([this](const std::string& extension) { return commands_.can_act(extension); }),
      calls_(options_.calls, directory_),
      portals_(options_.portals, http_),
      commands_(options_.commands, http_, calls_, directory_, portals_),
      holders_(options_.login.domain, http_, calls_),
      phones_(options_.phones, http_, directory_),
      history_(options_.login.domain, options_.login_limit, http_, directory_),
      random_(options_.random) {}

Effects Session::on_start(TimePoint now) {
  Effects effects{Stage{call::LinkState::logging_in}};
  go_on(login_.begin(effects), now, effects);
  if (phase_ == Phase::logging_in) due_ = now + 2 * options_.login_limit;
  return effects;
}

Effects Session::on_link_open(LinkId link, TimePoint now) {
  Effects effects;
  if (link != kPrimary) {
    if (phase_ == Phase::over) return effects;
    if (link >= Portals::kFirstLink) {
      portals_.on_link_open(link, now, effects);
    } else {
      phones_.on_link_open(link, now, effects);
    }
    return effects;
  }
  if (phase_ != Phase::opening) return effects;
  phase_ = Phase::synchronizing;
  due_ = now + options_.snapshot_limit;
  keep_alive_ = now + kKeepAlive;
  resubscribe_ = now + kResubscribe;
  check_ = now + options_.check;
  effects.push_back(Stage{call::LinkState::synchronizing});
  subscribe(effects);
  if (legacy()) {
    poll_ = now + kPatience;
  } else {
    read_accounts(effects);
  }
  return effects;
}

// No own-calls: its lists could not be told from the tenant's. No sip-register: we are no phone.
void Session::subscribe(Effects& effects) const {
  effects.push_back(SendText{kPrimary, action("avoid-disconnect")});
  effects.push_back(SendText{kPrimary, action("get-users")});
  effects.push_back(SendText{kPrimary, action("domain-calls", {{"subscribe", "true", true}})});
  effects.push_back(SendText{kPrimary, action("orbit-calls", {{"subscribe", "true", true}})});
}

Effects Session::on_text(LinkId link, std::string_view text, TimePoint now) {
  Effects effects;
  if (phase_ < Phase::synchronizing || phase_ == Phase::over) return effects;
  if (link != kPrimary) {
    // What comes on a portal's socket, the primary one tells as well.
    if (link < Portals::kFirstLink) phones_.on_text(link, text, now, effects);
    return effects;
  }
  if (const auto frame = parse(text)) {
    take(*frame, text, now, effects);
  } else {
    effects.push_back(Note{frame.error(), "a message that could not be read"});
  }
  return effects;
}

void Session::take(const Frame& frame, std::string_view text, TimePoint now, Effects& effects) {
  std::visit(base::overloaded{
                 [&](const DomainState& it) {
                   proof_ = TimePoint::max();
                   domain_state_seen_ = true;
                   accounts_seen_ = true;
                   take_devices(directory_.on_domain_state(it.accounts), now, effects);
                   if (it.calls) {
                     domain_calls_seen_ = true;
                     take_calls(Calls::Source::domain_state, *it.calls, text, now, effects);
                   }
                   become_ready_if_complete(false, now, effects);
                 },
                 [&](const UserState& it) {
                   const auto was = directory_.busy(it.account.number);
                   take_devices(directory_.on_user_state(it.account), now, effects);
                   if (it.account.number == options_.login.user) strangers_ = 0;
                   // Somebody's call has begun or ended, and such a server tells of it only when
                   // asked.
                   if (was != directory_.busy(it.account.number) && legacy() && !tenant_wide_ &&
                       phase_ == Phase::ready) {
                     ask_ = std::min(ask_, std::max(now, asked_ + kLegacyAskGap));
                     if (ask_ <= now) ask_again(now, effects);
                   }
                 },
                 [&](const CallState& it) {
                   proof_ = TimePoint::max();
                   call_state_seen_ = true;
                   take_calls(Calls::Source::call_state, it.calls, text, now, effects);
                   become_ready_if_complete(false, now, effects);
                 },
                 [&](const Lamp& it) {
                   take_devices(directory_.on_lamp(it), now, effects);
                   // The list that shows its call is on its way, or has left the call out.
                   if (phase_ == Phase::ready && directory_.lit_without_call(it.number)) {
                     unexplained_.insert(it.number);
                     explain_ = std::min(explain_, now + kLampPatience);
                   }
                 },
                 [&](const RecordingMark& it) { tell(calls_.on_recording(it), now, effects); },
                 [&](const Aside& it) {
                   // Of somebody; who, and what, is not documented.
                   if (it.action == "user-change" && phase_ == Phase::ready && !legacy()) {
                     poll_ = std::min(poll_, now + 1s);
                   }
                 },
                 [](const Signalling&) {},
                 [&](const Unknown& it) {
                   effects.push_back(Note{Errc::unsupported, it.what});
                 },
             },
             frame);
}

void Session::take_calls(Calls::Source source, const CallList& list, std::string_view text,
                         TimePoint now, Effects& effects) {
  if (!accounts_seen_) {
    // Who is an extension, and who is outside? The accounts are on their way.
    if (text.size() <= kHeldMax) held_list_ = text;
    return;
  }
  Calls::Output out = calls_.on_list(source, list, now);
  if (!list.complete) {
    effects.push_back(Note{Errc::message_too_big, "a list of calls was cut"});
  }
  if (out.unread > 0) {
    effects.push_back(Note{Errc::bad_frame, std::to_string(out.unread) + " calls of a list"});
  }
  if (out.repeated > 0) {
    effects.push_back(
        Note{Errc::bad_frame, std::to_string(out.repeated) + " calls of a list came twice"});
  }
  if (source == Calls::Source::call_state && !tenant_wide_) learn_scope(out);
  tell(std::move(out), now, effects);
}

// A server that shows us calls while our extension is in none shows all of them. Once may be a
// coincidence: our extension comes into a call, and its state is told after the list.
void Session::learn_scope(const Calls::Output& out) {
  if (directory_.busy(options_.login.user).value_or(false)) {
    strangers_ = 0;
    return;
  }
  for (const Calls::Seen& seen : out.seen) {
    const bool ours = std::any_of(
        seen.view.legs.begin(), seen.view.legs.end(),
        [&](const call::Leg& leg) { return leg.party.device.str() == options_.login.user; });
    if (seen.is_new && !ours && ++strangers_ == kStrangersEnough) tenant_wide_ = true;
  }
}

void Session::tell(Calls::Output out, TimePoint now, Effects& effects) {
  if (phase_ != Phase::ready) {  // it will be in the first complete list
    std::move(out.doubts.begin(), out.doubts.end(), std::back_inserter(doubts_));
    return;
  }
  for (Calls::Seen& seen : out.seen) {
    const auto cause = commands_.cause_of(seen);
    Directory::Seen devices = directory_.on_call(seen.view);
    effects.push_back(Observe{call::CallSeen{std::move(seen.view)}, cause});
    for (call::Observation& it : devices) effects.push_back(Observe{std::move(it), {}});
  }
  if (!out.seen.empty()) commands_.review(now, effects);
  if (!legacy()) holders_.ask(out.doubts, effects);
  if (!out.ask) return;
  ask_ = std::min(ask_, std::max(now, asked_ + (legacy() ? kLegacyAskGap : kAskGap)));
  if (ask_ <= now) ask_again(now, effects);
}

// For lists that show what is true now.
void Session::ask_again(TimePoint now, Effects& effects) {
  ask_ = TimePoint::max();
  asked_ = now;
  if (legacy()) effects.push_back(SendText{kPrimary, action("get-users")});
  effects.push_back(SendText{kPrimary, action("domain-calls", {{"subscribe", "true", true}})});
}

void Session::take_devices(Directory::Seen seen, TimePoint now, Effects& effects) {
  if (phase_ == Phase::ready) {
    for (call::Observation& it : seen) effects.push_back(Observe{std::move(it), {}});
  }
  if (directory_.generation() != directory_generation_) {
    directory_generation_ = directory_.generation();
    tell(calls_.on_directory(), now, effects);
    if (phase_ == Phase::ready) watch_new_lamps(effects);
  }
  if (phase_ == Phase::ready && !seen.empty()) commands_.review(now, effects);
}

void Session::become_ready_if_complete(bool late, TimePoint now, Effects& effects) {
  if (phase_ != Phase::synchronizing || !accounts_seen_ || users_request_ != 0) return;
  if (!held_list_.empty()) {
    const std::string text = std::exchange(held_list_, {});
    if (const auto frame = parse(text)) {
      if (const auto* it = std::get_if<CallState>(&*frame)) {
        take_calls(Calls::Source::call_state, it->calls, text, now, effects);
      }
    }
  }
  // A legacy server's call-state may be of our own extension only; its domain-state is of all.
  const bool calls_seen =
      legacy() ? domain_calls_seen_ || (domain_state_seen_ && call_state_seen_) : call_state_seen_;
  if (!calls_seen && !(late && (call_state_seen_ || domain_calls_seen_))) return;
  // Who holds a call should be known before it is told.
  if (!legacy() && !late) holders_.ask(std::exchange(doubts_, {}), effects);
  if (holders_.asking() && !late) return;
  phase_ = Phase::ready;
  due_ = TimePoint::max();
  auto calls = calls_.all();
  for (const call::CallView& call : calls) directory_.on_call(call);
  for (call::Observation& it : directory_.everything()) {
    effects.push_back(Observe{std::move(it), {}});
  }
  effects.push_back(Observe{call::CallsSeen{std::move(calls)}, {}});
  effects.push_back(Ready{});
  doubts_.clear();
  directory_generation_ = directory_.generation();
  watch_new_lamps(effects);
  poll_ = after_poll(now);
}

// Modern servers tell of chosen extensions at once; the directory tells of the others' at the next
// reading.
void Session::watch_new_lamps(Effects& effects) {
  if (legacy()) return;
  const auto numbers = directory_.extensions();
  if (numbers.size() == lamps_) return;
  lamps_ = numbers.size();
  for (std::span<const std::string> rest = numbers; !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), kLampsAtOnce));
    effects.push_back(SendText{kPrimary, watch_lamps(some)});
    rest = rest.subspan(some.size());
  }
}

// Spread, so that a connector's tenants do not ask at once.
TimePoint Session::after_poll(TimePoint now) {
  const auto half = options_.poll / 2;
  const auto jitter =
      half.count() > 0 ? static_cast<std::int64_t>(next(random_) % half.count()) : 0;
  return now + half + std::chrono::milliseconds(jitter);
}

Effects Session::on_link_closed(LinkId link, const base::Error& why, const std::string& detail,
                                TimePoint) {
  Effects effects;
  if (phase_ == Phase::over) return effects;
  if (link >= Portals::kFirstLink) {
    commands_.on_unsaid(portals_.on_link_closed(link, why, detail), effects);
  } else {
    phones_.on_link_closed(link, why, detail, effects);
  }
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

Effects Session::on_signal_open(call::SignalId id, const call::SignalOptions& options,
                                TimePoint now) {
  Effects effects;
  if (phase_ != Phase::ready) {
    effects.push_back(EndSignal{id, Errc::pbx_disconnected, "the login is not complete"});
  } else {
    phones_.open(id, options, legacy(), now, effects);
  }
  return effects;
}

Effects Session::on_signal(call::SignalId id, const call::FromClient& message, TimePoint) {
  Effects effects;
  if (phase_ != Phase::over) phones_.on_signal(id, message, effects);
  return effects;
}

Effects Session::on_signal_close(call::SignalId id, TimePoint) {
  Effects effects;
  if (phase_ != Phase::over) phones_.close(id, effects);
  return effects;
}

Effects Session::on_inquiry(call::InquiryId id, const call::Inquiry& inquiry, TimePoint limit,
                            TimePoint now) {
  Effects effects;
  if (phase_ != Phase::ready) {
    effects.push_back(
        Inform{id, call::Refusal{Errc::pbx_disconnected, "the login is not complete"}});
  } else {
    history_.ask(id, inquiry, limit, now, effects);
  }
  return effects;
}

Effects Session::on_tick(TimePoint now) {
  Effects effects;
  if (phase_ == Phase::over) return effects;
  if (phase_ == Phase::synchronizing && due_ <= now) become_ready_if_complete(true, now, effects);
  if (due_ <= now) {
    give_up(Errc::timed_out,
            phase_ == Phase::logging_in ? "the PBX did not answer the login in time"
            : accounts_seen_            ? "the PBX sent no list of its calls in time"
                                        : "the PBX sent no list of its accounts in time",
            {}, effects);
    return effects;
  }
  if (proof_ <= now) {
    give_up(Errc::ping_timed_out, "the connection says nothing any more since its session expired",
            {}, effects);
    return effects;
  }
  if (keep_alive_ <= now) {
    keep_alive_ = now + kKeepAlive;
    effects.push_back(SendText{kPrimary, action("avoid-disconnect")});
  }
  if (resubscribe_ <= now) {
    resubscribe_ = now + kResubscribe;
    ask_again(now, effects);
  }
  if (explain_ <= now) {
    explain_ = TimePoint::max();
    const auto lit = std::exchange(unexplained_, {});
    if (std::any_of(lit.begin(), lit.end(),
                    [&](const auto& it) { return directory_.lit_without_call(it); })) {
      ask_ = std::min(ask_, now);
    }
  }
  if (ask_ <= now) ask_again(now, effects);
  if (poll_ <= now) {
    poll_ = after_poll(now);
    if (accounts_are_pushed()) {
      // Its calls are only told when asked for, unless its list of calls is the tenant's.
      if (!tenant_wide_) ask_again(now, effects);
    } else {
      read_accounts(effects);
    }
  }
  if (check_ <= now) {
    check_ = now + options_.check;
    if (check_request_ == 0 && !login_.running() && phase_ == Phase::ready) {
      SendHttp send = http_.make(check_session(), Http::As::session);
      check_request_ = send.id;
      effects.push_back(std::move(send));
    }
  }
  if (phase_ == Phase::ready) {
    tell(calls_.on_tick(now), now, effects);
    commands_.on_tick(now, effects);
    commands_.on_unsaid(portals_.on_tick(now, effects), effects);
    phones_.on_tick(now, effects);
    history_.on_tick(now, effects);
  }
  return effects;
}

TimePoint Session::deadline() const {
  if (phase_ == Phase::over) return TimePoint::max();
  TimePoint first =
      std::min({due_, keep_alive_, resubscribe_, poll_, check_, ask_, explain_, proof_});
  if (phase_ == Phase::ready) {
    first = std::min({first, calls_.deadline(), commands_.deadline(), portals_.deadline(),
                      phones_.deadline(), history_.deadline()});
  }
  return first;
}

void Session::give_up(const base::Error& why, std::string detail,
                      std::optional<std::chrono::milliseconds> retry_after, Effects& effects) {
  phase_ = Phase::over;
  effects.push_back(GiveUp{why, std::move(detail), retry_after});
}

}  // namespace pbx::vodia
