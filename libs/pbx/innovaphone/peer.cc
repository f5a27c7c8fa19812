#include "pbx/innovaphone/peer.h"

#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "pbx/innovaphone/texts.h"

namespace pbx::innovaphone {
namespace {

using base::Errc;
using namespace std::chrono_literals;

constexpr std::string_view kInitialize = "i";
constexpr std::string_view kOfUser = "u/";  // and the guid
constexpr std::string_view kEnd = "e", kProbe = "k";
constexpr std::size_t kEarlyMax = 1'000;
// Never answer a KeepAlive within this of having sent one: it may be the answer.
constexpr auto kNoEcho = 1s;

}  // namespace

Peer::Peer(LinkId link, const Options& options, Users& users, bool arrived)
    : link_(link),
      options_(options),
      users_(users),
      arrived_(arrived),
      login_(options.login),
      round_(std::uint64_t{link} + 1) {}

void Peer::say(std::string text, TimePoint now, Effects& effects) {
  said_ = now;
  effects.push_back(SendText{link_, std::move(text)});
}

void Peer::begin(TimePoint now, Effects& effects) {
  heard_ = said_ = now;
  say(login_.begin(now), now, effects);
}

void Peer::welcome(const Arrival& arrival, TimePoint now, Effects& effects) {
  heard_ = said_ = now;
  name_ = arrival.pbx;
  via_ = arrival.via;
  phase_ = Phase::introducing;
  due_ = now + options_.request_limit;
  if (!arrival.welcome.empty()) say(arrival.welcome, now, effects);
}

bool Peer::is_home_of(const UserInfo& user) const {
  return !arrived_ || user.pbx.empty() || name_.empty() || user.pbx == name_;
}

bool Peer::may_use(std::string_view api) const { return !arrived_ || apis_.contains(api); }

std::string Peer::user_of(int handle, std::string_view src) const {
  const auto found = handles_.find(handle);
  if (found != handles_.end()) return found->second;
  // A call may be told before the answer that has the handle.
  if (!src.starts_with(kOfUser)) return {};
  std::string guid(src.substr(kOfUser.size()));
  return asked_.contains(guid) ? guid : std::string();
}

bool Peer::on_frame(const Frame& frame, TimePoint now, Effects& effects, Output& out) {
  if (login_.running()) {
    Login::Outcome outcome = login_.on_frame(frame, now);
    if (!std::holds_alternative<Login::Other>(outcome)) {
      take_login(std::move(outcome), now, effects, out);
      return true;
    }
    if (!std::holds_alternative<KeepAlive>(frame.body)) {
      if (early_.size() < kEarlyMax) early_.push_back(frame);
      return true;
    }
  }
  return std::visit(base::overloaded{
                        [&](const PbxInfo& it) {
                          introduce(it, now, effects, out);
                          return true;
                        },
                        [&](const AppInfo& it) {
                          say(message("AppInfoResult", "", frame.src,
                                      {{"app", it.app},
                                       Field::json("info", R"({"hidden":true,"apis":{}})"),
                                       Field::json("serviceInfo", "{}")}),
                              now, effects);
                          return true;
                        },
                        [&](const CheckBuild&) {
                          say(message("CheckBuildResult", "", frame.src), now, effects);
                          return true;
                        },
                        [&](const KeepAlive&) {
                          if (alive_ != TimePoint::min() && now - alive_ < kNoEcho) return true;
                          alive_ = now;
                          say(message("KeepAlive", "", ""), now, effects);
                          return true;
                        },
                        [&](const UserInfo& it) {
                          take_user(it, now, effects, out);
                          return true;
                        },
                        [&](const Result& it) {
                          const bool own = frame.src == kInitialize || frame.src == kEnd ||
                                           frame.src == kProbe || frame.src.starts_with(kOfUser);
                          if (!own) return false;
                          take_result(it, frame.src, now, effects, out);
                          return true;
                        },
                        [](const auto&) { return false; },
                    },
                    frame.body);
}

void Peer::take_login(Login::Outcome outcome, TimePoint now, Effects& effects, Output& out) {
  std::visit(base::overloaded{
                 [&](Login::GoesOn& it) {
                   if (!it.text.empty()) say(std::move(it.text), now, effects);
                 },
                 [](Login::Other&) {},
                 [&](Login::Done&) {
                   out.logged_in = true;
                   start_list(now, effects);
                   for (const Frame& frame : std::exchange(early_, {})) {
                     on_frame(frame, now, effects, out);
                   }
                 },
                 [&](Login::Failed& it) {
                   out.lost = GiveUp{it.why, std::move(it.detail), it.retry_after};
                 },
             },
             outcome);
}

void Peer::introduce(const PbxInfo& info, TimePoint now, Effects& effects, Output& out) {
  if (!arrived_) return;
  if (!info.pbx.empty()) name_ = info.pbx;
  apis_ = {info.apis.begin(), info.apis.end()};
  if (phase_ != Phase::introducing) return;
  if (!apis_.contains(kRcc)) {
    out.lost = GiveUp{Errc::login_rejected,
                      "the App object does not grant RCC: tick it under \"Grant access to APIs\"",
                      kRetryRefused};
    return;
  }
  out.logged_in = true;
  start_list(now, effects);
}

void Peer::start_list(TimePoint now, Effects& effects) {
  phase_ = Phase::listing;
  due_ = now + options_.initialize_limit;
  say(message("Initialize", kRcc, kInitialize, {{"grp", options_.groups}}), now, effects);
}

void Peer::take_user(const UserInfo& info, TimePoint now, Effects& effects, Output& out) {
  if (phase_ < Phase::listing) return;
  if (info.deleted()) {
    User* user = users_.find(info.guid);
    // Another PBX may know better.
    if (user == nullptr || (user->link && *user->link != link_)) return;
    if (user->handle != 0) {
      say(message("UserEnd", kRcc, kEnd, {{"user", user->handle}}), now, effects);
      handles_.erase(user->handle);
    }
    asked_.erase(info.guid);
    users_.remove(info.guid);
    out.removed.push_back(info.guid);
    return;
  }
  const bool home = is_home_of(info);
  User* user = users_.find(info.guid);
  // What another PBX has told of him does not count: it is here that he is to be followed.
  const bool ours = user != nullptr && user->link == link_;
  const std::string cn = ours ? user->info.cn : std::string();
  const call::DeviceId id = user != nullptr ? user->id : call::DeviceId();
  user = users_.put(info, home ? std::optional(link_) : std::nullopt);
  if (user == nullptr) {
    if (left_out_++ == 0) {
      effects.push_back(
          Note{Errc::too_many_requests, "more users than users_max: some are left out"});
    }
    return;
  }
  if (user->link == link_) user->round = round_;  // the others list him too, at the same time
  out.changed.push_back(info.guid);
  out.renamed = out.renamed || (!id.empty() && id != user->id);
  if (!user->link || *user->link != link_) return;
  // Another Long Name is another address; the handle stays good.
  if (phase_ >= Phase::initializing && user->handle == 0 && (cn.empty() || cn != info.cn)) {
    want(*user);
    pump(now, effects, out);
  }
}

void Peer::want(User& user) {
  if (!user.is_person() || user.handle != 0 || user.info.cn.empty()) return;
  wanted_.push_back(user.info.guid);
}

void Peer::end_list(TimePoint now, Effects& effects, Output& out) {
  phase_ = Phase::initializing;
  out.listed = true;
  std::vector<std::string> gone;
  users_.for_each([&](User& user) {
    // Without a link: he was here once, and his PBX has come back without him.
    if (user.link ? *user.link != link_ : !is_home_of(user.info)) return;
    if (user.round != round_) {
      gone.push_back(user.info.guid);
    } else {
      want(user);
    }
  });
  std::sort(gone.begin(), gone.end());
  for (const std::string& guid : gone) {
    users_.remove(guid);
    out.removed.push_back(guid);
  }
  std::sort(wanted_.begin(), wanted_.end());
  due_ = now + options_.request_limit;
  pump(now, effects, out);
}

// As many as may wait at once.
void Peer::pump(TimePoint now, Effects& effects, Output& out) {
  while (asked_.size() < options_.batch && !wanted_.empty()) {
    const std::string guid = std::move(wanted_.front());
    wanted_.pop_front();
    const User* user = users_.find(guid);
    if (user == nullptr || user->handle != 0 || !asked_.insert(guid).second) continue;
    if (asked_.size() == 1) due_ = now + options_.request_limit;
    say(message("UserInitialize", kRcc, std::string(kOfUser) + guid,
                {{"cn", user->info.cn}, {"xfer", true}}),
        now, effects);
  }
  if (!asked_.empty()) return;
  due_ = TimePoint::max();
  if (phase_ != Phase::initializing) return;
  phase_ = Phase::ready;
  out.initialized = true;
}

void Peer::take_result(const Result& result, const std::string& src, TimePoint now,
                       Effects& effects, Output& out) {
  if (src == kInitialize && result.mt == "Initialize" && phase_ == Phase::listing) {
    if (!result.error.empty()) {
      out.lost = GiveUp{Errc::pbx_refused, "the PBX refused RCC's Initialize", {}};
      return;
    }
    end_list(now, effects, out);
    return;
  }
  if (result.mt != "UserInitialize" || !src.starts_with(kOfUser)) return;
  const std::string guid = src.substr(kOfUser.size());
  User* user = users_.find(guid);
  // A late answer is one all the same.
  const bool asked = asked_.erase(guid) != 0;
  const bool taken = user != nullptr && (user->link != link_ || user->handle != 0);
  if (!asked && (result.user == 0 || taken)) return;
  if (!asked_.empty()) due_ = now + options_.request_limit;
  if (result.user == 0) {
    effects.push_back(Note{Errc::device_not_found, "the PBX does not let us watch a user"});
  } else if (user == nullptr) {
    say(message("UserEnd", kRcc, kEnd, {{"user", result.user}}), now, effects);
  } else {
    user->handle = result.user;
    handles_[result.user] = guid;
    out.changed.push_back(guid);
  }
  pump(now, effects, out);
}

void Peer::on_tick(TimePoint now, Effects& effects, Output& out) {
  if (login_.running() && login_.deadline() <= now) {
    take_login(login_.on_tick(now), now, effects, out);
    if (out.lost) return;
  }
  if (now - heard_ >= options_.silence_limit) {
    out.lost = GiveUp{Errc::ping_timed_out, "the PBX has said nothing for too long", {}};
    return;
  }
  if (probe() <= now) {
    probed_ = true;
    const User* user = users_.find(handles_.begin()->second);
    say(message("Devices", kRcc, kProbe, {{"cn", user != nullptr ? user->info.cn : std::string()}}),
        now, effects);
  }
  if (phase_ != Phase::logging_in && now - said_ >= options_.keep_alive) {
    alive_ = now;
    say(message("KeepAlive", "", ""), now, effects);
  }
  if (due_ > now) return;
  switch (phase_) {
    case Phase::introducing:
      out.lost = GiveUp{Errc::timed_out, "the PBX did not say who it is in time", {}};
      break;
    case Phase::listing:
      out.lost = GiveUp{Errc::timed_out,
                        "the PBX did not list its users in time; does the App object grant RCC?",
                        {}};
      break;
    default:
      // Some may never be answered; the rest is tried all the same.
      if (!asked_.empty()) {
        effects.push_back(Note{Errc::timed_out, std::to_string(asked_.size()) +
                                                    " users could not be watched in time"});
      }
      asked_.clear();
      due_ = TimePoint::max();
      pump(now, effects, out);
      break;
  }
}

TimePoint Peer::probe() const {
  return probed_ || handles_.empty() ? TimePoint::max() : heard_ + options_.silence_limit * 2 / 3;
}

TimePoint Peer::deadline() const {
  TimePoint first = std::min({due_, probe(), heard_ + options_.silence_limit});
  if (login_.running()) first = std::min(first, login_.deadline());
  if (phase_ != Phase::logging_in) first = std::min(first, said_ + options_.keep_alive);
  return first;
}

}  // namespace pbx::innovaphone
