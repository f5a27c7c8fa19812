#include "pbx/innovaphone/session.h"

#include <algorithm>
#include <utility>

#include "base/overloaded.h"

namespace pbx::innovaphone {
namespace {

using base::Errc;

constexpr std::size_t kHomesMax = 1'000;

}  // namespace

Session::Session(Options options)
    : options_(std::move(options)),
      users_(options_.users_max),
      legs_(options_.legs, users_),
      commands_(options_.commands, users_, legs_, [this](LinkId link) { return peer(link); }) {}

Peer* Session::peer(LinkId link) {
  const auto found = lines_.find(link);
  return found == lines_.end() || found->second.peer.phase() < Peer::Phase::initializing
             ? nullptr
             : &found->second.peer;
}

// ---- Links.

Effects Session::on_start(TimePoint) {
  if (options_.inbound) return {Stage{call::LinkState::awaiting_pbx}};
  return {OpenLink{kPrimary, options_.where}};
}

Effects Session::on_link_open(LinkId link, TimePoint now) {
  Effects effects;
  if (over_ || options_.inbound || link != kPrimary || !lines_.empty()) return effects;
  effects.push_back(Stage{call::LinkState::logging_in});
  const auto made = lines_.try_emplace(link, link, options_, users_, false).first;
  made->second.peer.begin(now, effects);
  return effects;
}

Effects Session::on_link_arrived(LinkId link, const Arrival& arrival, TimePoint now) {
  Effects effects;
  if (over_ || !options_.inbound) return {CloseLink{link}};
  for (auto& [other, line] : lines_) {
    if (line.peer.name() != arrival.pbx) continue;
    if (line.peer.via() != arrival.via) {
      effects.push_back(
          Note{Errc::login_duplicated, "the PBX " + arrival.pbx +
                                           " has come as another App object too: only "
                                           "one may have Websocket ticked"});
      effects.push_back(CloseLink{link});
      return effects;
    }
    // Half of it may be open still.
    effects.push_back(CloseLink{other});
    drop(other, effects);
    break;
  }
  if (lines_.empty() && !ready_) effects.push_back(Stage{call::LinkState::logging_in});
  const auto made = lines_.try_emplace(link, link, options_, users_, true).first;
  made->second.peer.welcome(arrival, now, effects);
  return effects;
}

Effects Session::on_link_closed(LinkId link, const base::Error& why, const std::string& detail,
                                TimePoint) {
  Effects effects;
  if (over_ || !lines_.contains(link)) return effects;
  lose(link, why, detail, {}, effects);
  return effects;
}

// What it told stands, as far as anybody may believe it without a connection.
void Session::drop(LinkId link, Effects& effects) {
  commands_.on_link_lost(link, effects);
  legs_.on_link_lost(link);
  std::vector<std::string> left;
  users_.for_each([&](User& user) {
    if (!user.link || *user.link != link) return;
    user.link.reset();
    user.handle = 0;
    left.push_back(user.info.guid);
  });
  lines_.erase(link);
  std::sort(left.begin(), left.end());
  for (const std::string& guid : left) observe_user(guid, effects);
}

void Session::lose(LinkId link, const base::Error& why, std::string detail,
                   std::optional<std::chrono::milliseconds> retry_after, Effects& effects) {
  if (lines_.size() == 1) {
    over_ = true;
    effects.push_back(GiveUp{why, std::move(detail), retry_after});
    return;
  }
  effects.push_back(Note{why, "one of the PBXs is lost: " + detail});
  drop(link, effects);
  become_ready_if_complete(effects);
}

// ---- Messages.

Effects Session::on_text(LinkId link, std::string_view text, TimePoint now) {
  Effects effects;
  const auto found = lines_.find(link);
  if (over_ || found == lines_.end()) return effects;
  found->second.peer.heard(now);
  if (const auto frame = parse(text)) {
    take(found->second, *frame, now, effects);
  } else {
    effects.push_back(Note{frame.error(), "a message that could not be read"});
  }
  return effects;
}

void Session::take(Line& line, const Frame& frame, TimePoint now, Effects& effects) {
  Peer::Output out;
  const LinkId link = line.peer.link();
  if (line.peer.on_frame(frame, now, effects, out)) {
    follow(link, std::move(out), now, effects);
    return;
  }
  if (Directory::Output told; line.directory.on_frame(frame, now, told)) {
    tell(line, std::move(told), now, effects);
    return;
  }
  std::visit(base::overloaded{
                 [&](const CallInfo& it) { take_call(line, it, frame.src, now, effects); },
                 [&](const Result& it) { commands_.on_result(it, frame.src, now, effects); },
                 [&](const Unknown& it) {
                   effects.push_back(Note{Errc::unsupported, it.mt});
                 },
                 [](const auto&) {},
             },
             frame.body);
}

void Session::take_call(Line& line, const CallInfo& info, const std::string& src, TimePoint now,
                        Effects& effects) {
  const std::string guid = line.peer.user_of(info.user, src);
  if (guid.empty()) return;  // of somebody who has been given up
  const Legs::Handle handle{line.peer.link(), info.user, info.call};
  Legs::Views views = legs_.on_call(handle, guid, info, now);
  commands_.on_call(handle, guid, info);
  observe(std::move(views), now, effects);
  const User* user = users_.find(guid);
  if (user == nullptr || is_told(*user)) line.untold.erase(guid);
  if (!line.settled) settle(line, now, effects);
}

// What became of a socket's users, and of itself.
void Session::follow(LinkId link, Peer::Output out, TimePoint now, Effects& effects) {
  if (out.lost) {
    if (options_.inbound && lines_.size() > 1) effects.push_back(CloseLink{link});
    return lose(link, out.lost->why, std::move(out.lost->detail), out.lost->retry_after, effects);
  }
  if (out.logged_in && !ready_) {
    effects.push_back(Stage{call::LinkState::synchronizing});
    if (gathered_ == TimePoint::max() && !gather_over_) gathered_ = now + options_.gather;
  }
  if (out.listed) {
    if (options_.inbound) {
      users_.for_each([&](const User& user) {
        if (!user.info.pbx.empty() && homes_.size() < kHomesMax) homes_.insert(user.info.pbx);
      });
    }
    users_.name_all();
  }
  for (const std::string& guid : out.removed) {
    observe(legs_.on_user_gone(guid, now), now, effects);
  }
  if ((!out.removed.empty() || out.renamed) && ready_) {
    observe_all(effects);
  } else if (ready_) {
    for (const std::string& guid : out.changed) observe_user(guid, effects);
  }
  const auto found = lines_.find(link);
  if (found == lines_.end()) return;
  // Not for each of a list.
  const bool listing = found->second.peer.phase() == Peer::Phase::listing;
  if ((out.listed || (users_.generation() != generation_ && !listing)) && ready_) {
    generation_ = users_.generation();
    observe(legs_.on_users(), now, effects);
  }
  Line& line = found->second;
  Directory::Output told;
  for (const std::string& guid : out.removed) line.directory.on_user_gone(guid, now, told);
  for (const std::string& guid : out.changed) line.directory.on_user(guid, now, told);
  // Calls first: nothing waits for this.
  if (out.initialized) {
    line.directory.begin(line.peer.may_use(kTableUsers), line.peer.may_use(kPbxApi), now, told);
  }
  tell(line, std::move(told), now, effects);
  if (out.initialized) {
    line.confirm = now + options_.confirm_limit;
    users_.for_each([&](const User& user) {
      if (user.watched() && user.link == link && !is_told(user)) {
        line.untold.insert(user.info.guid);
      }
    });
  }
  for (const std::string& guid : out.changed) {
    const User* user = users_.find(guid);
    if (user == nullptr || is_told(*user)) line.untold.erase(guid);
  }
  for (const std::string& guid : out.removed) line.untold.erase(guid);
  if (!line.settled) settle(line, now, effects);
}

// Whether as many of his calls were told as his lamp counts.
bool Session::is_told(const User& user) const {
  const auto count = static_cast<std::size_t>(std::max({user.info.channel, user.info.alert, 0}));
  return legs_.legs_of(user.info.guid) >= count;
}

// Beside the calls: who has which name and forwarding, and is how present.
void Session::tell(Line& line, Directory::Output out, TimePoint now, Effects& effects) {
  for (std::string& text : out.texts) line.peer.say(std::move(text), now, effects);
  for (Note& note : out.notes) effects.push_back(std::move(note));
  for (const std::string& guid : out.changed) observe_user(guid, effects);
}

// After its initialisation: its calls are there, or have had their time.
void Session::settle(Line& line, TimePoint now, Effects& effects) {
  if (line.confirm == TimePoint::max()) return;
  if (line.confirm > now && !line.untold.empty()) return;
  line.settled = true;
  line.untold.clear();
  line.confirm = TimePoint::max();
  observe(legs_.confirm(line.peer.link(), now), now, effects);
  become_ready_if_complete(effects);
}

bool Session::all_there() const {
  if (!options_.inbound) return true;
  const auto there = [this](const std::string& name) {
    return std::any_of(lines_.begin(), lines_.end(),
                       [&](const auto& it) { return it.second.peer.name() == name; });
  };
  return std::all_of(options_.pbxs.begin(), options_.pbxs.end(), there) &&
         std::all_of(homes_.begin(), homes_.end(), there);
}

void Session::become_ready_if_complete(Effects& effects) {
  if (ready_ || lines_.empty()) return;
  const bool any =
      std::any_of(lines_.begin(), lines_.end(), [](const auto& it) { return it.second.settled; });
  const bool all =
      std::all_of(lines_.begin(), lines_.end(), [](const auto& it) { return it.second.settled; });
  if (!any || !((all && all_there()) || gather_over_)) return;
  ready_ = true;
  gathered_ = TimePoint::max();
  Legs::Views views = legs_.begin();
  observe_all(effects);
  effects.push_back(Observe{call::CallsSeen{std::move(views)}, {}});
  effects.push_back(Ready{});
}

// ---- What is told.

void Session::observe(Legs::Views views, TimePoint now, Effects& effects) {
  if (!ready_ || views.empty()) return;
  for (call::CallView& view : views) {
    const auto cause = commands_.cause_of(view);
    std::vector<call::DeviceId> devices;
    for (const call::Leg& leg : view.legs) {
      if (leg.party.kind == call::DeviceKind::extension) devices.push_back(leg.party.device);
    }
    effects.push_back(Observe{call::CallSeen{std::move(view)}, cause});
    for (const call::DeviceId& id : devices) {
      User* user = users_.find_device(id);
      if (user == nullptr) continue;
      const unsigned talking = user->talking, holding = user->holding;
      legs_.count(user->info.guid, user->talking, user->holding);
      if (talking != user->talking || holding != user->holding) {
        observe_user(user->info.guid, effects);
      }
    }
  }
  commands_.review(now, effects);
}

void Session::observe_user(const std::string& guid, Effects& effects) {
  const User* user = users_.find(guid);
  if (!ready_ || user == nullptr || user->id.empty()) return;
  effects.push_back(Observe{call::DeviceSeen{users_.device_of(*user)}, {}});
}

void Session::observe_all(Effects& effects) {
  users_.for_each([this](User& user) { legs_.count(user.info.guid, user.talking, user.holding); });
  effects.push_back(Observe{call::DevicesSeen{users_.all()}, {}});
}

// ---- Commands and time.

Effects Session::on_command(call::CommandId id, const call::Command& command, TimePoint limit,
                            TimePoint now) {
  Effects effects;
  if (!ready_ || over_) {
    effects.push_back(
        Answer{id, call::Refusal{Errc::pbx_disconnected, "the login is not complete"}});
  } else {
    commands_.ask(id, command, limit, now, effects);
  }
  return effects;
}

Effects Session::on_tick(TimePoint now) {
  Effects effects;
  std::vector<LinkId> links;
  for (const auto& [link, line] : lines_) links.push_back(link);
  for (const LinkId link : links) {
    const auto found = lines_.find(link);
    if (over_ || found == lines_.end()) continue;
    if (found->second.peer.deadline() <= now) {
      Peer::Output out;
      found->second.peer.on_tick(now, effects, out);
      follow(link, std::move(out), now, effects);
    }
  }
  if (over_) return effects;
  for (auto& [link, line] : lines_) {
    if (line.directory.deadline() > now) continue;
    Directory::Output told;
    line.directory.on_tick(now, told);
    tell(line, std::move(told), now, effects);
  }
  for (const LinkId link : links) {
    const auto found = lines_.find(link);
    if (found != lines_.end() && !found->second.settled) settle(found->second, now, effects);
  }
  if (gathered_ <= now) {
    gathered_ = TimePoint::max();
    gather_over_ = true;
    become_ready_if_complete(effects);
  }
  observe(legs_.on_tick(now), now, effects);
  commands_.on_tick(now, effects);
  return effects;
}

TimePoint Session::deadline() const {
  if (over_) return TimePoint::max();
  TimePoint first = std::min({gathered_, legs_.deadline(), commands_.deadline()});
  for (const auto& [link, line] : lines_) {
    first = std::min({first, line.peer.deadline(), line.directory.deadline(), line.confirm});
  }
  return first;
}

}  // namespace pbx::innovaphone
