#include "pbx/webitel/user_sockets.h"

#include <algorithm>
#include <utility>

#include "pbx/json.h"
#include "pbx/webitel/rows.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using namespace std::chrono_literals;

// Steps that need the PBX's answer, at once: a tenant's users are not all served in one second.
constexpr std::size_t kBeginningMax = 8;
constexpr std::chrono::milliseconds kRetryFirst = 2s, kRetryMost = 60s;

std::string key_of(const std::string& user) { return '#' + user; }

}  // namespace

void UserSockets::on_people(const std::string& own, const std::string& domain, TimePoint now,
                            Effects& effects) {
  if (options_.whose == Whose::nobody) return;
  own_ = own;
  domain_ = domain;
  for (auto& [key, watch] : watches_) watch.wanted = false;
  std::size_t left_out = 0;
  const auto want = [&](const std::string& key, const std::string& extension,
                        const std::string& user, const std::string& token) {
    auto it = watches_.find(key);
    if (it == watches_.end()) {
      if (watches_.size() >= options_.most) {
        ++left_out;
        return;
      }
      it = watches_.try_emplace(key).first;
      it->second.extension = extension;
      it->second.token = token;
    }
    it->second.wanted = true;
    if (!user.empty()) it->second.user = user;
  };
  for (const auto& [extension, token] : options_.tokens) {
    const Person* person = directory_.by_extension(extension);
    want(extension, extension, person == nullptr ? "" : person->id, token);
  }
  if (options_.whose == Whose::everybody) {
    for (const std::string& user : directory_.users()) {
      const Person* person = directory_.by_user(user);
      if (user == own || options_.tokens.contains(person->extension.str())) continue;
      want(key_of(user), "", user, "");
    }
  }
  for (auto it = watches_.begin(); it != watches_.end();) {
    if (it->second.wanted) {
      ++it;
      continue;
    }
    close(it->second, effects);
    revoke(it->second, effects);
    it = watches_.erase(it);
  }
  if (left_out != left_out_ && left_out > 0) {
    effects.push_back(
        Note{Errc::too_many_requests,
             std::to_string(left_out) + " users are watched by lists only (user_sockets_max)"});
  }
  left_out_ = left_out;
  begin_next(now, effects);
}

// What we made for somebody who is not watched any more. If nobody hears, the next session that
// watches him does it.
void UserSockets::revoke(const Watch& watch, Effects& effects) {
  if (!is_number(watch.token_id)) return;
  effects.push_back(rest_.make("DELETE", "/users/" + watch.user + "/tokens/" + watch.token_id));
}

void UserSockets::begin_next(TimePoint now, Effects& effects) {
  auto busy =
      static_cast<std::size_t>(std::count_if(watches_.begin(), watches_.end(), [](const auto& it) {
        return it.second.step != Step::waiting &&
               !(it.second.step == Step::open && it.second.line->up());
      }));
  for (auto& [key, watch] : watches_) {
    if (busy >= kBeginningMax) return;
    if (watch.step != Step::waiting || watch.due > now) continue;
    begin(watch, now, effects);
    ++busy;
  }
}

void UserSockets::begin(Watch& watch, TimePoint, Effects& effects) {
  watch.due = TimePoint::max();
  if (!watch.token.empty()) return open(watch, effects);
  send(watch, Step::listing, "GET", "/users/" + watch.user + "/tokens?page=1&size=100", {},
       effects);
}

void UserSockets::send(Watch& watch, Step step, std::string method, const std::string& path,
                       std::string body, Effects& effects) {
  SendHttp request = rest_.make(std::move(method), path, std::move(body));
  watch.step = step;
  watch.request = request.id;
  effects.push_back(std::move(request));
}

void UserSockets::delete_next(Watch& watch, Effects& effects) {
  const std::string path = "/users/" + watch.user + "/tokens";
  if (watch.stale.empty()) {
    std::string body = R"({"token":"","usage":)";
    append_json(body, kOwnUsage);
    return send(watch, Step::minting, "POST", path, body + '}', effects);
  }
  const std::string id = std::move(watch.stale.back());
  watch.stale.pop_back();
  send(watch, Step::deleting, "DELETE", path + '/' + id, {}, effects);
}

bool UserSockets::on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint now,
                          Effects& effects) {
  const auto it = std::find_if(watches_.begin(), watches_.end(),
                               [&](const auto& each) { return each.second.request == id; });
  if (id == 0 || it == watches_.end()) return false;
  Watch& watch = it->second;
  watch.request = 0;
  const auto error = reply ? error_of(*reply) : std::nullopt;
  if (!reply) {
    fail(watch, reply.error(), "a user's token could not be made", {}, now, effects);
  } else if (error && !(watch.step == Step::deleting && error->code == 404)) {
    const bool forbidden = error->code == 403 || error->code == 401;
    std::string sentence = "the PBX makes no token for him (" + std::to_string(error->code) + ')';
    if (forbidden) sentence += ": the service user needs the permission users, update";
    fail(watch, forbidden ? Errc::permission_denied : Errc::pbx_refused, std::move(sentence),
         forbidden ? std::optional<std::chrono::milliseconds>(kRetryMost) : std::nullopt, now,
         effects);
  } else if (watch.step == Step::listing) {
    if (const auto tokens = parse_tokens(reply->body)) {
      for (const TokenRow& token : tokens->items) {
        if (token.usage == kOwnUsage) watch.stale.push_back(token.id);
      }
      delete_next(watch, effects);
    } else {
      fail(watch, tokens.error(), "a user's tokens could not be read", {}, now, effects);
    }
  } else if (watch.step == Step::deleting) {
    delete_next(watch, effects);
  } else if (watch.step == Step::minting) {
    if (const auto token = parse_token(reply->body)) {
      watch.token = token->token;
      watch.token_id = token->id;
      open(watch, effects);
    } else {
      fail(watch, token.error(), "the PBX made a token, and did not show it", {}, now, effects);
    }
  }
  begin_next(now, effects);
  return true;
}

void UserSockets::open(Watch& watch, Effects& effects) {
  watch.step = Step::opening;
  watch.link = ++last_link_;
  links_[watch.link] = watch.extension.empty() ? key_of(watch.user) : watch.extension;
  watch.socket = std::make_unique<Socket>(watch.link);
  Line::Options options = options_.line;
  options.token = watch.token;
  watch.line = std::make_unique<Line>(std::move(options), *watch.socket);
  effects.push_back(OpenLink{watch.link, options_.where});
}

UserSockets::Watch* UserSockets::of_link(LinkId link) {
  const auto it = links_.find(link);
  if (it == links_.end()) return nullptr;
  const auto watch = watches_.find(it->second);
  return watch == watches_.end() || watch->second.link != link ? nullptr : &watch->second;
}

void UserSockets::on_link_open(LinkId link, TimePoint now, Effects& effects) {
  Watch* watch = of_link(link);
  if (watch == nullptr || watch->step != Step::opening) return;
  watch->step = Step::open;
  watch->line->on_open(now, effects);
}

void UserSockets::on_link_closed(LinkId link, const base::Error& why, const std::string& detail,
                                 TimePoint now, Effects& effects) {
  Watch* watch = of_link(link);
  if (watch == nullptr) return;
  links_.erase(link);
  watch->link = kPrimary;
  fail(*watch, why, detail.empty() ? "a user's socket has ended" : detail, {}, now, effects);
  begin_next(now, effects);
}

UserSockets::Heard UserSockets::on_text(LinkId link, std::string_view text, TimePoint now,
                                        Effects& effects) {
  Heard heard;
  Watch* watch = of_link(link);
  if (watch == nullptr || watch->step != Step::open) return heard;
  heard.what = watch->line->on_text(text, now, effects);
  if (heard.what.failed) {
    const Line::Failed failed = std::move(*heard.what.failed);
    heard = {};
    // Whoever has revoked one that we made, does not keep us from making another one.
    if (watch->extension.empty() && failed.why == Errc::login_rejected) watch->token.clear();
    fail(*watch, failed.why, failed.detail, failed.retry_after, now, effects);
    begin_next(now, effects);
    return heard;
  }
  const Hello& hello = watch->line->hello();
  heard.user = hello.user;
  if (std::holds_alternative<Line::LoggedIn>(heard.what.what)) {
    heard.what = {};
    if (hello.domain != domain_) {
      fail(*watch, Errc::login_rejected, "a user's token is of another tenant", kRetryRefused, now,
           effects);
      return heard;
    }
    if (!watch->user.empty() && watch->user != hello.user) {
      effects.push_back(Note{Errc::login_rejected, "the token of " + watch->extension +
                                                       " in user_tokens is another user's"});
    }
    const Person* person = directory_.by_user(hello.user);
    watch->line->subscribe(person == nullptr ? "" : person->agent, now, effects);
  } else if (std::holds_alternative<Line::OwnLegs>(heard.what.what)) {
    watch->failures = 0;
    watch->told.reset();
    legs_.set_watched(hello.user, true);
    begin_next(now, effects);
  }
  return heard;
}

void UserSockets::fail(Watch& watch, const base::Error& why, std::string detail,
                       std::optional<std::chrono::milliseconds> retry_after, TimePoint now,
                       Effects& effects) {
  const Person* person = directory_.by_user(watch.user);
  const std::string whose = !watch.extension.empty() ? watch.extension
                            : person != nullptr      ? person->extension.str()
                                                     : "user " + watch.user;
  // Once, until it is right again: a tenant's users may all fail for one reason, each minute.
  if (watch.told != why) effects.push_back(Note{why, whose + ": " + std::move(detail)});
  watch.told = why;
  close(watch, effects);
  const auto wait = kRetryFirst * (1u << std::min(watch.failures, 5u));
  ++watch.failures;
  watch.due = now + std::min<std::chrono::milliseconds>(wait, kRetryMost);
  if (retry_after) watch.due = std::max(watch.due, now + *retry_after);
}

void UserSockets::close(Watch& watch, Effects& effects) {
  if (watch.line != nullptr && watch.line->up()) {
    const std::string& user = watch.line->hello().user;
    const bool others =
        user == own_ || std::any_of(watches_.begin(), watches_.end(), [&](const auto& it) {
          const Watch& other = it.second;
          return &other != &watch && other.line != nullptr && other.line->up() &&
                 other.line->hello().user == user;
        });
    if (!others) legs_.set_watched(user, false);
  }
  if (watch.link != kPrimary) {
    effects.push_back(CloseLink{watch.link});
    links_.erase(watch.link);
  }
  watch.link = kPrimary;
  watch.line.reset();
  watch.socket.reset();
  watch.request = 0;
  watch.stale.clear();
  watch.step = Step::waiting;
}

void UserSockets::on_tick(TimePoint now, Effects& effects) {
  for (auto& [key, watch] : watches_) {
    if (watch.step != Step::open || watch.line->deadline() > now) continue;
    if (const auto failed = watch.line->on_tick(now, effects)) {
      fail(watch, failed->why, failed->detail, failed->retry_after, now, effects);
    }
  }
  begin_next(now, effects);
}

TimePoint UserSockets::deadline() const {
  TimePoint first = TimePoint::max();
  std::size_t busy = 0;
  for (const auto& [key, watch] : watches_) {
    if (watch.step == Step::open) first = std::min(first, watch.line->deadline());
    if (watch.step != Step::waiting && !(watch.step == Step::open && watch.line->up())) ++busy;
  }
  if (busy >= kBeginningMax) return first;
  for (const auto& [key, watch] : watches_) {
    if (watch.step == Step::waiting) first = std::min(first, watch.due);
  }
  return first;
}

std::size_t UserSockets::live() const {
  return static_cast<std::size_t>(std::count_if(
      watches_.begin(), watches_.end(),
      [](const auto& it) { return it.second.line != nullptr && it.second.line->up(); }));
}

}  // namespace pbx::webitel
