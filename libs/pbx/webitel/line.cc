#include "pbx/webitel/line.h"

#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "pbx/json.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kPing = 30s, kPingLeast = 1s, kPingMost = 5min;
// A subscription is bound some time after the reply to it (webitel.md 3.1).
constexpr auto kBinding = 1s;

bool says_not_authenticated(const SocketReply& reply) {
  return reply.error_id == "api.web_socket_router.not_authenticated.app_error";
}

}  // namespace

void Line::on_open(TimePoint now, Effects& effects) {
  std::string data = R"({"token":)";
  append_json(data, options_.token);
  data += '}';
  effects.push_back(socket_.ask("authentication_challenge", data));
  login_ = socket_.last();
  due_ = now + options_.limit;
}

void Line::subscribe(std::string_view agent, TimePoint now, Effects& effects) {
  if (!authenticated_) return;
  agent_ = agent;
  renew("subscribe_call", now, effects);
  if (!up_) due_ = now + options_.limit;
}

void Line::renew(std::string_view action, TimePoint now, Effects& effects) {
  effects.push_back(socket_.ask(action));
  renewal_ = socket_.last();
  asked_ = now;
  renew_at_ = now + options_.resubscribe;
  if (action != "subscribe_call") return;
  effects.push_back(socket_.ask("subscribe_users_status"));
  const bool number = !agent_.empty() && agent_.find_first_not_of("0123456789") == agent_.npos;
  if (number) {
    effects.push_back(socket_.ask("cc_agent_subscribe_status", R"({"agent_id":)" + agent_ + "}"));
  }
}

// Whether it is the one that was to come. Replies take no numbers.
bool Line::count(const Push& push) {
  if (!push.seq) return true;
  const bool right = *push.seq == next_ || std::holds_alternative<Hello>(push.what);
  next_ = *push.seq + 1;
  return right;
}

Line::Heard Line::on_text(std::string_view text, TimePoint now, Effects& effects) {
  Heard heard;
  auto frame = parse(text);
  if (!frame) {
    effects.push_back(Note{frame.error(), "a message of " + std::to_string(text.size()) +
                                              " bytes that could not be read"});
    return heard;
  }
  if (auto* reply = std::get_if<SocketReply>(&*frame)) return take_reply(std::move(*reply), now);
  auto* push = std::get_if<Push>(&*frame);
  if (push == nullptr) return heard;

  heard.lost = !count(*push) && up_;
  std::visit(base::overloaded{
                 [&](Hello& it) { hello_ = std::move(it); },
                 [&](SocketError& it) {
                   heard.failed = Failed{Errc::login_rejected,
                                         "the PBX has ended the session of the token (" +
                                             std::to_string(it.code) + ")",
                                         {}};
                 },
                 [&](Aside&) {},
                 [&](auto& it) {
                   if (authenticated_) heard.what = std::move(it);
                 },
             },
             push->what);
  if (heard.lost) {
    effects.push_back(Note{Errc::overloaded, "events were lost: reading what they told"});
    renew("subscribe_call", now, effects);
  }
  return heard;
}

Line::Heard Line::take_reply(SocketReply reply, TimePoint now) {
  Heard heard;
  if (login_ != 0 && reply.request == login_) {
    login_ = 0;
    if (!reply.ok) {
      heard.failed = refused(reply);
    } else if (hello_.user.empty()) {
      heard.failed = Failed{Errc::bad_frame, "the PBX granted the login, and sent no hello", {}};
    } else {
      authenticated_ = true;
      due_ = TimePoint::max();
      ping_interval_ =
          hello_.ping_interval > 0
              ? std::clamp(std::chrono::milliseconds(hello_.ping_interval), kPingLeast, kPingMost)
              : kPing;
      ping_at_ = now + ping_interval_;
      heard.what = LoggedIn{};
    }
    return heard;
  }
  if (!reply.ok && says_not_authenticated(reply)) {
    heard.failed = Failed{Errc::login_rejected, "the PBX has ended the session of the token", {}};
    return heard;
  }
  if (ping_ != 0 && reply.request == ping_) {
    ping_ = 0;
    pong_due_ = TimePoint::max();
    return heard;
  }
  if (renewal_ == 0 || reply.request != renewal_) {
    heard.what = std::move(reply);
    return heard;
  }
  renewal_ = 0;
  if (!reply.ok) {
    // A later one may do; that it was granted once does not go away by itself.
    if (!up_ || reply.code == 403) heard.failed = refused(reply);
    return heard;
  }
  auto page = parse_legs(reply.data.empty() ? "{}" : reply.data);
  if (!page) {
    if (!up_) heard.failed = Failed{page.error(), "the PBX's list of calls is not readable", {}};
    return heard;
  }
  if (!std::exchange(up_, true)) {
    due_ = TimePoint::max();
    renew_at_ = now + std::min<std::chrono::milliseconds>(kBinding, options_.resubscribe);
  }
  heard.what = OwnLegs{std::move(page->items), asked_};
  return heard;
}

Line::Failed Line::refused(const SocketReply& reply) const {
  const std::string code = " (" + std::to_string(reply.code) + ")";
  switch (reply.code) {
    case 401:
      return {Errc::login_rejected, "the PBX does not know the token, or has revoked it" + code,
              kRetryRefused};
    case 403:
      return {Errc::permission_denied,
              "the token's user may not read calls: he needs the permission calls, read" + code,
              kRetryRefused};
    case 412:
      return {Errc::login_rejected, "the token's user has no active licence" + code, kRetryRefused};
    default: break;
  }
  if (reply.error_id == "app.session.app_error") {
    return {Errc::pbx_refused, "the PBX's own authentication service does not answer" + code, {}};
  }
  return {Errc::pbx_refused, "the PBX refused the login with an error of its own" + code, {}};
}

std::optional<Line::Failed> Line::on_tick(TimePoint now, Effects& effects) {
  if (due_ <= now) {
    due_ = TimePoint::max();
    return Failed{Errc::timed_out,
                  authenticated_ ? "the PBX did not answer the subscription in time"
                                 : "the PBX did not answer the login in time",
                  {}};
  }
  if (pong_due_ <= now) {
    pong_due_ = TimePoint::max();
    return Failed{Errc::ping_timed_out, "the PBX did not answer a ping in time", {}};
  }
  if (ping_at_ <= now) {
    ping_at_ = now + ping_interval_;
    if (ping_ == 0) {
      effects.push_back(socket_.ask("ping", R"({"ping":1})"));
      ping_ = socket_.last();
      pong_due_ = now + options_.limit;
    }
  }
  if (renew_at_ <= now) {
    // The first time it is only looked whether something was missed while it was bound.
    renew(now - asked_ < options_.resubscribe ? "call_by_user" : "subscribe_call", now, effects);
  }
  return std::nullopt;
}

TimePoint Line::deadline() const { return std::min({due_, renew_at_, ping_at_, pong_due_}); }

}  // namespace pbx::webitel
