#include "pbx/innovaphone/presence.h"

#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "pbx/innovaphone/diversions.h"
#include "pbx/innovaphone/texts.h"

namespace pbx::innovaphone {
namespace {

std::string src_of(const std::string& guid) { return std::string(kPresenceSrc) + guid; }

std::string request(std::string_view mt, const std::string& guid, const std::string& sip,
                    const std::string& number) {
  if (!sip.empty()) return message(mt, kPbxApi, src_of(guid), {{"sip", sip}});
  return message(mt, kPbxApi, src_of(guid), {{"num", number}});
}

constexpr int kUnknownContact = 3;

int rank_of(std::string_view contact) {
  constexpr std::string_view kContacts[] = {"tel", "im", "cal"};
  for (int i = 0; i < kUnknownContact; ++i) {
    if (contact.starts_with(kContacts[i])) return i;
  }
  return kUnknownContact;
}

}  // namespace

PresenceView view_of(const std::vector<PresenceItem>& items) {
  const PresenceItem* counts = nullptr;
  for (int rank = 0; rank <= kUnknownContact && !counts; ++rank) {
    // Of each contact the newest: it has replaced the older ones.
    const auto it = std::find_if(items.begin(), items.end(),
                                 [&](const auto& item) { return rank_of(item.contact) == rank; });
    if (it != items.end() && !it->activity.empty()) counts = &*it;
  }
  PresenceView view;
  if (counts) {
    view.text = counts->activity;
    view.note = counts->note;
  } else {
    const bool closed =
        !items.empty() && std::all_of(items.begin(), items.end(),
                                      [](const auto& it) { return it.status == "closed"; });
    view.text = closed ? "offline" : "available";
    const auto noted =
        std::find_if(items.begin(), items.end(), [](const auto& it) { return !it.note.empty(); });
    if (noted != items.end()) view.note = noted->note;
  }
  view.do_not_disturb = view.text == kDoNotDisturb;
  return view;
}

bool Presence::concerns(const Frame& frame) {
  return frame.api == kPbxApi && frame.src.starts_with(kPresenceSrc);
}

bool Presence::is_current(const Turn& it, Stage stage) const {
  const auto user = users_.find(it.guid);
  return user != users_.end() && user->second.turn == it.turn && user->second.stage == stage;
}

void Presence::settle(User& user) {
  if (user.stage == Stage::asked) --waiting_;
  user.stage = Stage::settled;
}

void Presence::forget_answered() {
  while (!asked_.empty() && !is_current(asked_.front(), Stage::asked)) asked_.pop_front();
}

void Presence::ask_more(Step& step, TimePoint now) {
  while (!queue_.empty() && waiting_ < options_.outstanding) {
    Turn turn = std::move(queue_.front());
    queue_.pop_front();
    if (!is_current(turn, Stage::queued)) continue;
    User& user = users_.find(turn.guid)->second;
    user.stage = Stage::asked;
    ++waiting_;
    step.texts.push_back(request("SubscribePresence", turn.guid, user.sip, user.number));
    turn.due = now + options_.limit;
    asked_.push_back(std::move(turn));
  }
}

Presence::Step Presence::add(const std::string& guid, const std::string& sip,
                             const std::string& number, TimePoint now) {
  Step step;
  if (unavailable_ || guid.empty() || (sip.empty() && number.empty())) return step;
  auto it = users_.find(guid);
  if (it == users_.end()) {
    if (users_.size() >= options_.most) return step;
    it = users_.emplace(guid, User()).first;
  } else {
    User& user = it->second;
    if (user.sip == sip && (!sip.empty() || user.number == number)) return step;
    if (user.stage != Stage::queued) {
      step.texts.push_back(request("UnsubscribePresence", guid, user.sip, user.number));
      settle(user);
    }
  }
  it->second.sip = sip;
  it->second.number = sip.empty() ? number : std::string();
  it->second.stage = Stage::queued;
  it->second.turn = ++turns_;
  queue_.push_back({guid, it->second.turn, {}});
  ask_more(step, now);
  return step;
}

Presence::Step Presence::remove(const std::string& guid, TimePoint now) {
  Step step;
  const auto it = users_.find(guid);
  if (it == users_.end()) return step;
  if (it->second.stage != Stage::queued) {
    step.texts.push_back(request("UnsubscribePresence", guid, it->second.sip, it->second.number));
    settle(it->second);
  }
  users_.erase(it);
  ask_more(step, now);
  return step;
}

Presence::Step Presence::on_frame(const Frame& frame, TimePoint now) {
  Step step;
  if (!concerns(frame)) return step;
  std::string guid = frame.src.substr(kPresenceSrc.size());
  const auto user = users_.find(guid);
  if (user == users_.end()) return step;  // gone by now
  const auto tell = [&](std::optional<PresenceView> view) {
    step.change = Change{std::move(guid), std::move(view)};
  };
  std::visit(base::overloaded{
                 [&](const Result& it) {
                   if (it.mt != "SubscribePresence") return;
                   answered_ = true;
                   if (user->second.stage != Stage::asked) return;
                   settle(user->second);
                   if (!it.error.empty()) ++refused_;
                   forget_answered();
                   ask_more(step, now);
                 },
                 [&](const PresenceUpdate& it) {
                   answered_ = true;
                   tell(view_of(it.items));
                 },
                 [&](const PresenceState& it) {
                   answered_ = true;
                   if (!it.up) tell(std::nullopt);
                 },
                 [](const auto&) {},
             },
             frame.body);
  return step;
}

Presence::Step Presence::on_tick(TimePoint now) {
  Step step;
  for (forget_answered(); !asked_.empty() && asked_.front().due <= now; forget_answered()) {
    if (!answered_) {
      unavailable_ = true;
      users_.clear();
      queue_.clear();
      asked_.clear();
      waiting_ = 0;
      step.unavailable =
          "the PBX does not answer PbxApi: is it ticked on the App object? There is no presence";
      return step;
    }
    settle(users_.find(asked_.front().guid)->second);
    ++refused_;
  }
  ask_more(step, now);
  return step;
}

TimePoint Presence::deadline() const {
  return asked_.empty() ? TimePoint::max() : asked_.front().due;
}

}  // namespace pbx::innovaphone
