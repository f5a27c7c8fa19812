#include "pbx/webitel/session.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/overloaded.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using namespace std::chrono_literals;

// Between two readings of the calls, where one is wanted at once.
constexpr auto kReadGap = 250ms;
constexpr auto kReadAgain = 1s;  // after a failure, while synchronizing
// The lists are all that is known of most users: without them for this long, nothing is.
constexpr auto kBlindMax = 30s;

std::uint64_t next(std::uint64_t& state) {  // splitmix64
  std::uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

Handshake rest_of(const Session::Options& options) {
  Handshake where = options.where;
  where.target = options.api_path;
  return where;
}

UserSockets::Options users_of(const Session::Options& options) {
  UserSockets::Options users = options.users;
  users.where = options.where;
  users.where.target = options.ws_path;
  users.line = {{}, options.login_limit, options.resubscribe};
  return users;
}

const char* what_is(Lists::What what) {
  switch (what) {
    case Lists::What::users: return "users";
    case Lists::What::agents: return "agents";
    case Lists::What::calls: return "calls";
  }
  return "";
}

}  // namespace

Session::Session(Options options)
    : options_(std::move(options)),
      rest_(rest_of(options_), options_.token, options_.login_limit),
      line_({options_.token, options_.login_limit, options_.resubscribe}, socket_),
      legs_(directory_),
      lists_(rest_),
      users_(users_of(options_), rest_, directory_, legs_),
      commands_(options_.commands, rest_, socket_, legs_, directory_),
      history_(options_.login_limit, rest_, directory_),
      provisioning_(options_.login_limit, rest_, directory_),
      random_(options_.random) {}

Effects Session::on_start(TimePoint) {
  Handshake where = options_.where;
  where.target = options_.ws_path;
  return {OpenLink{kPrimary, std::move(where)}};
}

Effects Session::on_link_open(LinkId link, TimePoint now) {
  Effects effects;
  if (phase_ == Phase::over) return effects;
  if (link != kPrimary) {
    users_.on_link_open(link, now, effects);
  } else if (phase_ == Phase::opening) {
    phase_ = Phase::logging_in;
    effects.push_back(Stage{call::LinkState::logging_in});
    line_.on_open(now, effects);
  }
  return effects;
}

Effects Session::on_link_closed(LinkId link, const base::Error& why, const std::string& detail,
                                TimePoint now) {
  Effects effects;
  if (phase_ != Phase::over) users_.on_link_closed(link, why, detail, now, effects);
  return effects;
}

Effects Session::on_text(LinkId link, std::string_view text, TimePoint now) {
  Effects effects;
  if (phase_ == Phase::opening || phase_ == Phase::over) return effects;
  if (link != kPrimary) {
    UserSockets::Heard heard = users_.on_text(link, text, now, effects);
    // Commands go over the control socket, and other sockets count for themselves.
    if (std::holds_alternative<SocketReply>(heard.what.what)) return effects;
    take(std::move(heard.what), heard.user, now, effects);
    return effects;
  }
  Line::Heard heard = line_.on_text(text, now, effects);
  if (heard.failed) {
    give_up(heard.failed->why, std::move(heard.failed->detail), heard.failed->retry_after, effects);
    return effects;
  }
  if (std::holds_alternative<Line::LoggedIn>(heard.what)) {
    go_on(now, effects);
    return effects;
  }
  take(std::move(heard), line_.hello().user, now, effects);
  return effects;
}

// Logged in. Is it the tenant that was meant?
void Session::go_on(TimePoint now, Effects& effects) {
  const Hello& hello = line_.hello();
  if (!options_.domain.empty() && options_.domain != hello.domain &&
      options_.domain != hello.domain_name) {
    return give_up(Errc::login_rejected,
                   "the token is of the domain " + hello.domain_name + " (" + hello.domain +
                       "), and the configuration says " + options_.domain,
                   kRetryRefused, effects);
  }
  phase_ = Phase::synchronizing;
  due_ = now + options_.snapshot_limit;
  effects.push_back(Stage{call::LinkState::synchronizing});
  legs_.set_watched(hello.user, true);
  line_.subscribe({}, now, effects);
  lists_.read(Lists::What::users, now, effects);
}

void Session::take(Line::Heard heard, const std::string& user, TimePoint now, Effects& effects) {
  if (heard.lost) read_sooner(now);
  std::visit(base::overloaded{
                 [&](Line::OwnLegs& it) {
                   tell(legs_.on_own_legs(user, it.rows, it.asked, now), now, effects);
                 },
                 [&](LegEvent& it) {
                   // The scope is the socket's.
                   if (it.user.empty()) it.user = user;
                   tell(legs_.on_event(it, now), now, effects);
                 },
                 [&](UserState& it) { tell(directory_.on_state(it, now), now, effects); },
                 [&](AgentStatus& it) { tell(directory_.on_agent(it, now), now, effects); },
                 [&](AgentChannel& it) { tell(directory_.on_channel(it, now), now, effects); },
                 [&](SocketReply& it) { commands_.on_reply(it, now, effects); },
                 [](auto&) {},
             },
             heard.what);
  read_what_is_wanted(now);
}

void Session::read_sooner(TimePoint now) {
  if (phase_ != Phase::ready) return;
  TimePoint when = now + kReadGap;
  if (calls_read_ != TimePoint::min()) when = std::max(when, calls_read_ + kReadGap);
  Turn& turn = turns_[static_cast<std::size_t>(Lists::What::calls)];
  turn.at = std::min(turn.at, when);
}

void Session::read_what_is_wanted(TimePoint now) {
  const bool calls = commands_.wants_calls(), list = legs_.wants_list();
  if (calls || list) read_sooner(now);
  if (!commands_.wants_people()) return;
  for (const auto what : {Lists::What::users, Lists::What::agents}) {
    turns_[static_cast<std::size_t>(what)].at = now;
  }
}

// Not later than somebody has wanted it meanwhile.
void Session::set_turn(Lists::What what, TimePoint at) {
  Turn& turn = turns_[static_cast<std::size_t>(what)];
  turn.at = std::min(turn.at, at);
}

// Spread, so that a connector's tenants do not ask at once.
TimePoint Session::after(std::chrono::milliseconds interval, TimePoint now) {
  const auto part = interval / 4;
  const auto jitter =
      part.count() > 0
          ? static_cast<std::int64_t>(next(random_) % static_cast<std::uint64_t>(part.count()))
          : 0;
  return now + interval - part + std::chrono::milliseconds(jitter);
}

// ---- Lists. ----

Effects Session::on_http(HttpId id, const base::Result<HttpReply>& reply, const std::string&,
                         TimePoint now) {
  Effects effects;
  if (phase_ == Phase::over) return effects;
  if (lists_.waits_for(id)) {
    if (auto outcome = lists_.on_http(id, reply, effects)) {
      std::visit([&](auto& it) { take(std::move(it), now, effects); }, *outcome);
    }
    return effects;
  }
  if (users_.on_http(id, reply, now, effects)) return effects;
  if (commands_.on_http(id, reply, now, effects)) {
    read_what_is_wanted(now);
  } else if (!history_.on_http(id, reply, now, effects)) {
    provisioning_.on_http(id, reply, now, effects);
  }
  return effects;
}

void Session::take(Lists::Done done, TimePoint now, Effects& effects) {
  Turn& turn = turns_[static_cast<std::size_t>(done.what)];
  turn.failing.reset();
  // What made somebody ask again, this one may not have.
  if (std::exchange(turn.again, false)) set_turn(done.what, now);
  if (done.coverage == Coverage::cut) {
    effects.push_back(Note{Errc::message_too_big,
                           std::string("the list of ") + what_is(done.what) + " is too long"});
  }
  if (done.unread > 0) {
    effects.push_back(Note{Errc::bad_frame, std::to_string(done.unread) + " of the list of " +
                                                what_is(done.what) + " could not be read"});
  }
  switch (done.what) {
    case Lists::What::users:
      set_turn(done.what, after(options_.people_interval, now));
      tell(directory_.on_users(done.users, done.asked, done.coverage), now, effects);
      if (!std::exchange(users_seen_, true)) {
        lists_.read(Lists::What::agents, now, effects);
        lists_.read(Lists::What::calls, now, effects);
      }
      break;
    case Lists::What::agents:
      set_turn(done.what, after(options_.people_interval, now));
      agents_seen_ = true;
      agents_failed_ = false;
      tell(directory_.on_agents(done.agents, done.asked, done.coverage), now, effects);
      break;
    case Lists::What::calls:
      set_turn(done.what, after(options_.snapshot_interval, now));
      calls_read_ = done.asked;
      calls_seen_ = true;
      tell(legs_.on_all_legs(done.legs, done.coverage, done.asked, now), now, effects);
      read_what_is_wanted(now);
      break;
  }
  const std::size_t left_out = legs_.left_out() + directory_.left_out();
  if (left_out > left_out_) {
    effects.push_back(Note{Errc::too_many_requests,
                           std::to_string(left_out - left_out_) +
                               " more calls or users are not followed: there are too many"});
  }
  left_out_ = left_out;
  become_ready_if_complete(now, effects);
}

void Session::take(const Lists::Failed& failed, TimePoint now, Effects& effects) {
  const std::string what = what_is(failed.what);
  const std::string code = failed.code == 0 ? "" : " (" + std::to_string(failed.code) + ")";
  if (failed.code == 401) {
    return give_up(Errc::login_rejected,
                   "the PBX does not know the token, or has revoked it" + code, kRetryRefused,
                   effects);
  }
  if (failed.what == Lists::What::agents) {
    // Who has no call centre has none; and its licence may be missing for a while.
    if (!std::exchange(agents_failed_, true)) {
      effects.push_back(Note{failed.why, "the agents could not be read" + code +
                                             ": the service user needs the permission cc_agent, "
                                             "read, and a CALL_CENTER licence"});
    }
    set_turn(failed.what,
             after(std::max(options_.people_interval, std::chrono::milliseconds(30s)), now));
    agents_seen_ = true;
    return become_ready_if_complete(now, effects);
  }
  if (failed.code == 403) {
    return give_up(Errc::permission_denied,
                   "the service user may not read the " + what + code +
                       ": he needs the permission " +
                       (failed.what == Lists::What::calls ? "calls" : "users") + ", read",
                   kRetryRefused, effects);
  }
  std::optional<TimePoint>& failing = turns_[static_cast<std::size_t>(failed.what)].failing;
  if (!failing) {
    failing = now;
    effects.push_back(Note{failed.why, "the " + what + " could not be read" + code});
  } else if (phase_ == Phase::ready && now - *failing >= kBlindMax) {
    return give_up(
        Errc::timed_out,
        "the PBX's REST interface has shown no list of " + what + " for half a minute" + code, {},
        effects);
  }
  const TimePoint again = phase_ == Phase::ready && failed.what == Lists::What::calls
                              ? after(options_.snapshot_interval, now)
                              : now + kReadAgain;
  set_turn(failed.what, again);
}

void Session::become_ready_if_complete(TimePoint now, Effects& effects) {
  if (phase_ != Phase::synchronizing || !users_seen_ || !agents_seen_ || !calls_seen_ ||
      !line_.up()) {
    return;
  }
  phase_ = Phase::ready;
  due_ = TimePoint::max();
  directory_generation_ = directory_.generation();
  legs_.on_directory(now);  // a socket may have shown legs before anybody was known
  auto calls = legs_.all();
  for (const std::string& user : directory_.users()) {
    directory_.on_legs(user, legs_.states_of(user));
  }
  effects.push_back(Observe{call::DevicesSeen{directory_.everything()}, {}});
  effects.push_back(Observe{call::CallsSeen{std::move(calls)}, {}});
  effects.push_back(Ready{});
  legs_.wants_list();
  // Now it is known whether he is an agent.
  if (const Person* own = directory_.by_user(line_.hello().user);
      own != nullptr && !own->agent.empty()) {
    line_.subscribe(own->agent, now, effects);
  }
  users_.on_people(line_.hello().user, line_.hello().domain, now, effects);
}

// ---- To the tracker. ----

void Session::tell(Legs::Output seen, TimePoint now, Effects& effects) {
  if (phase_ != Phase::ready) {  // it will be in the first complete list
    become_ready_if_complete(now, effects);
    return;
  }
  std::set<std::string> changed;
  for (Legs::Seen& it : seen) {
    const auto cause = commands_.cause_of(it);
    for (const call::Leg& leg : it.view.legs) {
      if (leg.party.kind == call::DeviceKind::extension) changed.insert(leg.party.device.str());
    }
    effects.push_back(Observe{call::CallSeen{std::move(it.view)}, cause});
  }
  for (const std::string& extension : changed) {
    const Person* person = directory_.by_extension(extension);
    if (person == nullptr) continue;
    const std::string user = person->id;
    for (call::Observation& it : directory_.on_legs(user, legs_.states_of(user))) {
      effects.push_back(Observe{std::move(it), {}});
    }
  }
  if (!seen.empty()) commands_.review(now, effects);
}

void Session::tell(Directory::Seen seen, TimePoint now, Effects& effects) {
  if (phase_ != Phase::ready) return;
  const bool any = !seen.empty();
  for (call::Observation& it : seen) effects.push_back(Observe{std::move(it), {}});
  if (directory_.generation() != directory_generation_) {
    directory_generation_ = directory_.generation();
    tell(legs_.on_directory(now), now, effects);
    users_.on_people(line_.hello().user, line_.hello().domain, now, effects);
  }
  if (any) commands_.review(now, effects);
}

// ---- What is asked of us. ----

Effects Session::on_command(call::CommandId id, const call::Command& command, TimePoint limit,
                            TimePoint now) {
  Effects effects;
  if (phase_ != Phase::ready) {
    effects.push_back(
        Answer{id, call::Refusal{Errc::pbx_disconnected, "the login is not complete"}});
    return effects;
  }
  commands_.ask(id, command, limit, now, effects);
  read_what_is_wanted(now);
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

Effects Session::on_order(call::OrderId id, const call::Order& order, TimePoint limit,
                          TimePoint now) {
  Effects effects;
  if (phase_ != Phase::ready) {
    effects.push_back(
        Fulfil{id, call::Refusal{Errc::pbx_disconnected, "the login is not complete"}});
  } else {
    provisioning_.ask(id, order, limit, now, effects);
  }
  return effects;
}

// ---- Time. ----

Effects Session::on_tick(TimePoint now) {
  Effects effects;
  if (phase_ == Phase::over || phase_ == Phase::opening) return effects;
  if (auto failed = line_.on_tick(now, effects)) {
    give_up(failed->why, std::move(failed->detail), failed->retry_after, effects);
    return effects;
  }
  if (due_ <= now) {
    give_up(Errc::timed_out,
            !users_seen_   ? "the PBX sent no list of its users in time"
            : !calls_seen_ ? "the PBX sent no list of its calls in time"
                           : "the PBX sent no list of its agents in time",
            {}, effects);
    return effects;
  }
  for (const auto what : {Lists::What::calls, Lists::What::users, Lists::What::agents}) {
    Turn& turn = turns_[static_cast<std::size_t>(what)];
    if (turn.at > now) continue;
    turn.at = TimePoint::max();  // until it has been read
    turn.again = lists_.reading(what);
    lists_.read(what, now, effects);
  }
  if (phase_ == Phase::ready) {
    if (legs_.deadline() <= now) {
      tell(legs_.on_tick(now), now, effects);
      read_what_is_wanted(now);
    }
    users_.on_tick(now, effects);
    commands_.on_tick(now, effects);
    history_.on_tick(now, effects);
    provisioning_.on_tick(now, effects);
  }
  return effects;
}

TimePoint Session::deadline() const {
  if (phase_ == Phase::over || phase_ == Phase::opening) return TimePoint::max();
  TimePoint first = std::min(line_.deadline(), due_);
  for (const Turn& turn : turns_) first = std::min(first, turn.at);
  if (phase_ == Phase::ready) {
    first = std::min({first, legs_.deadline(), users_.deadline(), commands_.deadline(),
                      history_.deadline(), provisioning_.deadline()});
  }
  return first;
}

void Session::give_up(const base::Error& why, std::string detail,
                      std::optional<std::chrono::milliseconds> retry_after, Effects& effects) {
  phase_ = Phase::over;
  effects.push_back(GiveUp{why, std::move(detail), retry_after});
}

}  // namespace pbx::webitel
