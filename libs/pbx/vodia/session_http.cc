#include <algorithm>
#include <utility>

#include "pbx/vodia/session.h"

// What the session asks over HTTP, and what comes of the replies; the rest is in session.cc.
namespace pbx::vodia {
namespace {

using base::Errc;
using namespace std::chrono_literals;

constexpr auto kCheckAgain = 30s;

}  // namespace

// What the login came to; also when it is the second one.
void Session::go_on(Login::Outcome outcome, TimePoint now, Effects& effects) {
  if (auto* failed = std::get_if<Login::Failed>(&outcome)) {
    if (phase_ == Phase::logging_in || failed->retry_after) {
      return give_up(failed->why, std::move(failed->detail), failed->retry_after, effects);
    }
    // The socket may go on; only the PBX itself can say that the login is no good.
    effects.push_back(Note{failed->why, "the session could not be renewed yet"});
    check_ = now + kCheckAgain;
    return;
  }
  if (!std::holds_alternative<Login::Done>(outcome)) {
    if (phase_ == Phase::logging_in) due_ = now + 2 * options_.login_limit;
    return;
  }
  commands_.set_legacy(legacy());
  history_.set_legacy(legacy());
  if (phase_ == Phase::logging_in) {
    phase_ = Phase::opening;
    due_ = TimePoint::max();  // the shell's limits hold from here to open
    Handshake where = options_.where;
    where.target = socket_target(options_.path, options_.login.domain, options_.login.user);
    where.headers.emplace_back("Cookie", "session=" + http_.cookie());
    effects.push_back(OpenLink{kPrimary, std::move(where)});
    return;
  }
  // The socket was opened with the session that has expired. Does it still say anything?
  renewed_ = true;
  check_ = now + options_.check;
  proof_ = now + options_.snapshot_limit;
  ask_again(now, effects);
}

void Session::read_accounts(Effects& effects) {
  if (accounts_request_ != 0) return;
  SendHttp send = http_.make(list_accounts(account_of(options_.login.user, options_.login.domain)),
                             Http::As::session);
  accounts_request_ = send.id;
  effects.push_back(std::move(send));
}

Effects Session::on_http(HttpId id, const base::Result<HttpReply>& reply, const std::string& detail,
                         TimePoint now) {
  Effects effects;
  if (phase_ == Phase::over || id == 0) return effects;
  if (phones_.on_http(id, reply, detail, now, effects)) return effects;
  if (portals_.waits_for(id)) {
    commands_.on_unsaid(portals_.on_http(id, reply, detail, now, effects), effects);
    return effects;
  }
  if (login_.running()) {
    Login::Outcome outcome = login_.on_http(id, reply, detail, effects);
    if (!std::holds_alternative<Login::GoesOn>(outcome) || !effects.empty()) {
      go_on(std::move(outcome), now, effects);
      return effects;
    }
  }
  if (id == accounts_request_) {
    accounts_request_ = 0;
    poll_ = after_poll(now);
    take_accounts(reply, now, effects);
  } else if (id == users_request_) {
    users_request_ = 0;
    take_users(reply, now, effects);
  } else if (id == check_request_) {
    check_request_ = 0;
    take_check(reply, now, effects);
  } else if (auto held = holders_.on_http(id, reply)) {
    tell(std::move(*held), now, effects);
    become_ready_if_complete(false, now, effects);
  } else if (const auto log_in = history_.on_http(id, reply, effects)) {
    if (*log_in) log_in_again(now, effects);
  } else if (const auto wishes = commands_.on_http(id, reply, now, effects)) {
    if (wishes->log_in) log_in_again(now, effects);
    if (wishes->read_devices && phase_ == Phase::ready) {
      if (accounts_are_pushed()) {
        ask_again(now, effects);
      } else {
        read_accounts(effects);
      }
    }
  }
  return effects;
}

void Session::take_accounts(const base::Result<HttpReply>& reply, TimePoint now, Effects& effects) {
  if (!reply) {
    effects.push_back(Note{reply.error(), "the accounts could not be read"});
    return;
  }
  if (reply->status == 401) {
    if (phase_ == Phase::ready) return log_in_again(now, effects);
    return give_up(Errc::login_rejected, "the PBX does not accept the session that it gave (401)",
                   kRetryRefused, effects);
  }
  if (reply->status == 403 && !accounts_seen_) {
    return give_up(Errc::permission_denied,
                   "the monitoring extension may not read the accounts (403)", kRetryRefused,
                   effects);
  }
  auto accounts = reply->status == 200 && !is_refusal(reply->body)
                      ? parse_accounts(reply->body)
                      : base::Result<std::vector<Account>>(Errc::pbx_refused);
  if (!accounts) {
    effects.push_back(Note{accounts.error(), "the accounts could not be read: status " +
                                                 std::to_string(reply->status)});
    return;
  }
  const bool first = !std::exchange(accounts_seen_, true);
  renewed_ = false;
  take_devices(directory_.on_extensions(*accounts), now, effects);
  if (first && http_.has_admin() && !domain_state_seen_) {
    SendHttp send = http_.make(list_users(options_.login.domain), Http::As::admin);
    users_request_ = send.id;
    effects.push_back(std::move(send));
  }
  become_ready_if_complete(false, now, effects);
}

// Queues, groups and orbits, once: without them their numbers are taken for somebody's outside.
void Session::take_users(const base::Result<HttpReply>& reply, TimePoint now, Effects& effects) {
  auto users = reply && reply->status == 200 && !is_refusal(reply->body)
                   ? parse_accounts(reply->body)
                   : base::Result<std::vector<Account>>(Errc::pbx_refused);
  if (users) {
    take_devices(directory_.on_users(*users), now, effects);
  } else {
    effects.push_back(Note{users.error(), "the queues, groups and orbits could not be read"});
  }
  become_ready_if_complete(false, now, effects);
}

void Session::take_check(const base::Result<HttpReply>& reply, TimePoint now, Effects& effects) {
  check_ = now + options_.check;
  if (!reply) {
    check_ = now + std::min<std::chrono::milliseconds>(kCheckAgain, options_.check);
    effects.push_back(Note{reply.error(), "the session could not be checked"});
    return;
  }
  const SessionInfo info = session_of(reply->body);
  const auto user = std::string_view(info.user).substr(0, info.user.find('@'));
  const bool ours = user.empty() || user == options_.login.user;
  const bool right = reply->status >= 200 && reply->status < 300;
  if (reply->status == 401 || (right && (!info.alive || !ours))) {
    log_in_again(now, effects);
  } else if (right) {
    renewed_ = false;
  }
}

void Session::log_in_again(TimePoint now, Effects& effects) {
  if (login_.running() || phase_ != Phase::ready) return;
  if (renewed_) {
    return give_up(Errc::login_rejected,
                   "the PBX grants the login, but does not accept the session that it gave",
                   kRetryRefused, effects);
  }
  effects.push_back(Note{Errc::login_rejected, "the session has expired; logging in again"});
  go_on(login_.begin(effects), now, effects);
}

}  // namespace pbx::vodia
