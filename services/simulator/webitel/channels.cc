#include "simulator/webitel/channels.h"

#include <algorithm>
#include <array>
#include <utility>

#include "simulator/engine/random.h"

namespace simulator::webitel {

using engine::Cause;
using engine::Change;
using engine::kOutside;
using engine::Leg;
using engine::LegId;
using engine::LegState;
using engine::Manner;
using engine::Millis;
using engine::TimePoint;

namespace {

// Of causes that clients name: the SIP code that goes with them.
constexpr std::array<std::pair<std::string_view, unsigned>, 14> kSipCodes{{
    {"NORMAL_CLEARING", 200},
    {"USER_BUSY", 486},
    {"NO_ANSWER", 487},
    {"ORIGINATOR_CANCEL", 487},
    {"CALL_REJECTED", 603},
    {"NO_USER_RESPONSE", 408},
    {"USER_NOT_REGISTERED", 480},
    {"BLIND_TRANSFER", 200},
    {"ATTENDED_TRANSFER", 200},
    {"PICKED_OFF", 200},
    {"REDIRECTION_TO_NEW_DESTINATION", 302},
    {"UNALLOCATED_NUMBER", 404},
    {"NORMAL_TEMPORARY_FAILURE", 503},
    {"SYSTEM_SHUTDOWN", 501},
}};

unsigned sip_code_of(std::string_view cause) {
  for (const auto& [name, code] : kSipCodes) {
    if (name == cause) return code;
  }
  return 200;
}

bool talks(const Leg& leg) { return leg.state == LegState::up && leg.connected; }

json::object variables_object(const std::map<std::string, std::string>& variables) {
  json::object all;
  for (const auto& [name, value] : variables) all[name] = value;
  return all;
}

std::int64_t seconds(Millis span) {
  return std::chrono::duration_cast<std::chrono::seconds>(span).count();
}

}  // namespace

json::object Party::object() const {
  return {{"type", type}, {"number", number}, {"name", name}, {"id", id}};
}

Millis Channel::held_for(TimePoint now) const {
  TimePoint::duration all{};
  for (const auto& [begin, end] : holds) all += end - begin;
  if (held_since) all += now - *held_since;
  return std::chrono::duration_cast<Millis>(all);
}

// ---- Looking.

Channel* Channels::channel_of(LegId leg) {
  const auto it = channels_.find(leg);
  return it == channels_.end() ? nullptr : &it->second;
}

Channel* Channels::find(LegId leg) {
  Channel* channel = channel_of(leg);
  return channel && channel->announced ? channel : nullptr;
}

Channel* Channels::find(std::string_view id) {
  for (auto& [leg, channel] : channels_) {
    if (channel.id == id) return channel.announced ? &channel : nullptr;
  }
  for (Extra& extra : extra_) {
    if (extra.channel.id == id) return &extra.channel;
  }
  return nullptr;
}

const Channel* Channels::find(std::string_view id) const {
  return const_cast<Channels*>(this)->find(id);
}

const Channel* Channels::find_any(std::string_view id) const {
  if (const Channel* channel = find(id)) return channel;
  for (auto it = ended_.rbegin(); it != ended_.rend(); ++it) {
    if (it->id == id) return &*it;
  }
  return nullptr;
}

const Channel& Channels::root_of(const Channel& channel) const {
  constexpr int kDepthMax = 100;
  const Channel* root = &channel;
  for (int i = 0; i < kDepthMax && !root->parent.empty(); ++i) {
    const Channel* above = find_any(root->parent);
    if (!above) break;
    root = above;
  }
  return *root;
}

std::vector<const Channel*> Channels::live() const {
  std::vector<const Channel*> all;
  for (const auto& [leg, channel] : channels_) {
    if (channel.announced) all.push_back(&channel);
  }
  for (const Extra& extra : extra_) all.push_back(&extra.channel);
  std::stable_sort(all.begin(), all.end(),
                   [](const Channel* a, const Channel* b) { return a->created < b->created; });
  return all;
}

const User* Channels::user_of(const Channel& channel) const {
  return channel.extension == kOutside ? nullptr : accounts_.user_at(channel.extension);
}

// Nobody can guess one from another, and the same seed gives the same.
std::string Channels::id_of(LegId leg) const {
  engine::Random random(settings_.seed * 0x100000001b3 + leg * 0x9e3779b97f4a7c15 +
                        tenant_.generation() * 0x85ebca77c2b2ae63);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id = "xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx";
  for (char& c : id) {
    if (c == 'x') c = kDigits[random.below(kDigits.size())];
  }
  return id;
}

void Channels::rename() {
  std::map<std::string, std::string, std::less<>> names;
  for (auto& [leg, channel] : channels_) {
    names[channel.id] = id_of(leg);
    channel.id = id_of(leg);
  }
  const auto renamed = [&](std::string& id) {
    const auto it = names.find(id);
    if (it != names.end()) id = it->second;
  };
  for (auto& [leg, channel] : channels_) {
    renamed(channel.parent);
    renamed(channel.bridged);
  }
  for (Extra& extra : extra_) {
    renamed(extra.channel.parent);
    renamed(extra.channel.bridged);
  }
}

Party Channels::party_of(std::string_view number) const {
  const auto index = tenant_.find_extension(number);
  const User* user = index == kOutside ? nullptr : accounts_.user_at(index);
  if (user) return {"user", std::string(number), user->name, std::to_string(user->id)};
  return {"dest", std::string(number), std::string(number), ""};
}

// ---- What happens.

void Channels::tell(const Channel& channel, std::string_view event, json::object data,
                    TimePoint at) const {
  if (tell_) tell_(channel, event, std::move(data), at);
}

void Channels::on_change(const Change& change) {
  if (!change.leg) return;
  if (change.kind == Change::Kind::leg_added) return add(change);
  Channel* channel = channel_of(change.leg->id);
  if (!channel) return;
  const bool on_its_way_out =
      change.manner == Manner::transferred || change.manner == Manner::parked;
  switch (change.kind) {
    case Change::Kind::dialled: channel->destination = change.leg->to; return;
    case Change::Kind::leg_state: return on_state(*channel, change);
    case Change::Kind::held:
      channel->held_since = change.at;
      channel->state = "hold";
      channel->at = change.at;
      return tell(*channel, "hold", {}, change.at);
    case Change::Kind::retrieved:
      if (channel->held_since) channel->holds.emplace_back(*channel->held_since, change.at);
      channel->held_since.reset();
      if (on_its_way_out) return;  // it ends right after this
      channel->state = "active";
      channel->at = change.at;
      return tell(*channel, "active", {}, change.at);
    case Change::Kind::joined:
      // A phone that makes a conference keeps its two calls as they are.
      if (change.manner != Manner::conference) bridge_call(*change.call, change.at);
      return;
    case Change::Kind::record_started:
      channel->recordings.push_back({++last_file_, change.at, change.at, false});
      return;
    case Change::Kind::record_stopped:
      if (channel->recordings.empty()) return;
      channel->recordings.back().to = change.at;
      channel->recordings.back().over = true;
      return;
    case Change::Kind::leg_ended: return on_end(change);
    default: return;
  }
}

// A queue or a park position is no device: who is there just has nobody to talk to.
void Channels::add(const Change& change) {
  const Leg& leg = *change.leg;
  const bool outside = leg.extension == kOutside;
  if (!outside && tenant_.extension(leg.extension).orbit) return;
  Channel& channel = channels_[leg.id];
  channel.id = id_of(leg.id);
  channel.leg = leg.id;
  channel.extension = leg.extension;
  channel.number = leg.number;
  channel.outbound = leg.outgoing != outside;
  channel.created = channel.at = change.at;
  channel.destination = leg.outgoing ? leg.to : leg.number;
  channel.from = party_of(leg.outgoing ? leg.number : leg.from);
  if (!leg.outgoing) {
    channel.to = party_of(leg.number);
    for (const LegId other : change.call->legs) {
      const Channel* parent = other == leg.id ? nullptr : channel_of(other);
      if (!parent) continue;
      channel.parent = parent->id;
      break;
    }
  }
  if (leg.callback) {
    channel.requested = true;
    if (expected_) {
      channel.auto_answer = expected_->auto_answer;
      channel.display = expected_->display;
      channel.variables = expected_->variables;
      expected_.reset();
    }
  }
  const bool dials = leg.outgoing && !leg.callback && !leg.to.empty();
  if (dials) announce(channel, leg, change.at);
}

void Channels::announce(Channel& channel, const Leg& leg, TimePoint at) {
  if (std::exchange(channel.announced, true)) return;
  if (leg.outgoing) channel.destination = leg.to;
  channel.state = "ringing";
  channel.at = at;
  json::object data{{"direction", channel.outbound ? "outbound" : "inbound"},
                    {"destination", channel.destination},
                    {"from", channel.from.object()},
                    {"sip_id", channel.id.substr(0, 8) + "@" + settings_.media_node}};
  if (channel.to) data["to"] = channel.to->object();
  if (!channel.parent.empty()) data["parent_id"] = channel.parent;
  if (channel.requested) {
    data["originate"] = true;
    json::object params{{"video", false}, {"screen", false}, {"disableStun", false}};
    if (channel.auto_answer) params["autoAnswer"] = "true";
    data["params"] = std::move(params);
  }
  if (!channel.variables.empty()) data["payload"] = variables_object(channel.variables);
  const Channel* parent = channel.parent.empty() ? nullptr : find(channel.parent);
  if (parent && parent->extension == kOutside) data["gateway_id"] = 1;
  tell(channel, "ringing", std::move(data), at);
}

void Channels::on_state(Channel& channel, const Change& change) {
  const Leg& leg = *change.leg;
  announce(channel, leg, change.at);
  if (leg.state == LegState::ring_back && settings_.variants.progress) {
    channel.state = "progress";
    channel.at = change.at;
    tell(channel, "progress", {}, change.at);
  }
  if (leg.state != LegState::up) return;
  if (!channel.answered) {
    channel.answered = change.at;
    channel.state = "active";
    channel.at = change.at;
    tell(channel, "active", {}, change.at);
  }
  if (talks(leg)) bridge_call(*change.call, change.at);
}

// Whoever talks in a call of two; each is told whom to.
void Channels::bridge_call(const engine::Call& call, TimePoint at, LegId without) {
  std::vector<LegId> talking;
  for (const LegId id : call.legs) {
    const Leg* leg = tenant_.find_leg(id);
    if (id == without || !leg || !talks(*leg)) continue;
    if (channel_of(id)) {
      talking.push_back(id);
    } else {
      for (const LegId each : call.legs) {  // parked, or queued: with nobody
        if (Channel* channel = channel_of(each)) channel->bridged.clear();
      }
    }
  }
  if (talking.size() < 2) return;
  bridge(talking[0], talking[1], at);
  bridge(talking[1], talking[0], at);
}

void Channels::bridge(LegId one, LegId other, TimePoint at) {
  Channel& channel = *channel_of(one);
  const Channel& partner = *channel_of(other);
  if (channel.bridged == partner.id) return;
  channel.bridged = partner.id;
  if (!channel.first_bridged) channel.first_bridged = at;
  channel.bridged_at = at;
  if (!channel.held_since) {
    channel.state = "bridge";
    channel.at = at;
  }
  const User* user = user_of(partner);
  json::object to{{"type", ""},
                  {"number", partner.number},
                  {"name", user ? user->name : partner.number},
                  {"id", ""}};
  tell(channel, "bridge",
       {{"bridged_id", channel.bridged},
        {"to", std::move(to)},
        {"direction", channel.outbound ? "outbound" : "inbound"}},
       at);
}

// ---- The end.

void Channels::on_end(const Change& change) {
  const Leg& leg = *change.leg;
  const auto it = channels_.find(leg.id);
  Channel channel = std::move(it->second);
  channels_.erase(it);
  if (change.manner == Manner::conference) {
    // The device's first leg is in the call that both are in from now on.
    for (const LegId other : tenant_.extension(leg.extension).legs) {
      if (other == leg.id) continue;
      channel.leg = 0;
      extra_.push_back({other, std::move(channel)});
      return;
    }
  }
  const std::string id = channel.id;
  const End end = end_of(channel, change);
  const std::string by = ended_by(channel, change);
  if (channel.announced) finish(std::move(channel), end, by, change.at);

  // What that means for conferences.
  const End cleared{"NORMAL_CLEARING", 200};
  for (std::size_t i = 0; i < extra_.size();) {
    Extra& extra = extra_[i];
    Channel* first = channel_of(extra.owner);
    if (extra.owner == leg.id) {  // its phone has left: the others talk to one another
      finish(std::move(extra.channel), end, by, change.at);
      extra_.erase(extra_.begin() + static_cast<std::ptrdiff_t>(i));
      bridge_call(*change.call, change.at, leg.id);
    } else if (extra.channel.bridged == id) {
      finish(std::move(extra.channel), cleared, by, change.at);
      extra_.erase(extra_.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (first && first->bridged == id) {  // of its two calls the second is left
      Channel gone = std::exchange(*first, std::move(extra.channel));
      first->leg = extra.owner;
      extra_.erase(extra_.begin() + static_cast<std::ptrdiff_t>(i));
      finish(std::move(gone), cleared, by, change.at);
    } else {
      ++i;
    }
  }
}

Channels::End Channels::end_of(Channel& channel, const Change& change) {
  const auto named = [](std::string_view cause) {
    return End{std::string(cause), sip_code_of(cause)};
  };
  if (!forced_cause_.empty()) {
    return named(forced_once_ ? std::exchange(forced_cause_, {}) : forced_cause_);
  }
  switch (change.cause) {
    case Cause::unallocated: return named("UNALLOCATED_NUMBER");
    case Cause::busy: return named("USER_BUSY");
    case Cause::no_answer: return named("NO_ANSWER");
    case Cause::absent: return named("USER_NOT_REGISTERED");
    case Cause::rejected: return named("CALL_REJECTED");
    case Cause::congestion: return named("NORMAL_TEMPORARY_FAILURE");
    case Cause::elsewhere:
      return named(change.manner == Manner::diverted ? "REDIRECTION_TO_NEW_DESTINATION"
                                                     : "PICKED_OFF");
    case Cause::normal: break;
  }
  if (change.leg->state == LegState::busy) return named("USER_BUSY");
  if (change.manner == Manner::parked) return named("BLIND_TRANSFER");
  if (change.manner != Manner::transferred) {
    return named(channel.answered ? "NORMAL_CLEARING" : "ORIGINATOR_CANCEL");
  }
  return named(is_attended(channel, change) ? "ATTENDED_TRANSFER" : "BLIND_TRANSFER");
}

// Of the two legs of a device that leaves, the first knows of the second's partner, and the second
// of the first's.
bool Channels::is_attended(Channel& channel, const Change& change) {
  const Leg& leg = *change.leg;
  if (transfer_second_ == leg.id) {
    channel.transfer_to = std::exchange(transfer_to_, {});
    transfer_second_ = 0;
    return true;
  }
  if (leg.extension == kOutside) return false;
  const auto id_at = [&](const Leg* partner) {
    const Channel* found = partner ? channel_of(partner->id) : nullptr;
    return found ? found->id : std::string();
  };
  for (const LegId other : tenant_.extension(leg.extension).legs) {
    const Leg* second = tenant_.find_leg(other);
    const engine::Call* its = second ? tenant_.find_call(second->call) : nullptr;
    if (!its || its->id == leg.call || its->transferred || its->transferred_to.empty()) continue;
    transfer_second_ = other;
    transfer_to_ = id_at(tenant_.partner_of(leg));
    channel.transfer_from = id_at(tenant_.partner_of(*second));
    return true;
  }
  return false;
}

std::string Channels::ended_by(const Channel& channel, const Change& change) {
  if (change.manner != Manner::plain) {
    ended_call_ = change.call->id;
    ended_by_ = channel.parent.empty() ? "A" : "B";
    return ended_by_;
  }
  return change.call->id == ended_call_ ? ended_by_ : "F";
}

void Channels::finish(Channel channel, const End& end, std::string by, TimePoint at) {
  channel.leg = 0;
  channel.state = "hangup";
  channel.at = at;
  channel.ended = at;
  channel.cause = end.cause;
  channel.sip = end.sip;
  channel.hangup_by = std::move(by);
  if (channel.held_since) channel.holds.emplace_back(*channel.held_since, at);
  channel.held_since.reset();
  const auto talked = channel.first_bridged
                          ? std::chrono::duration_cast<Millis>(at - *channel.first_bridged)
                          : Millis(0);
  json::object data{{"cause", channel.cause},
                    {"sip", channel.sip},
                    {"hangup_by", channel.hangup_by},
                    {"originate_success", channel.first_bridged.has_value()},
                    {"talk_sec", std::to_string(seconds(talked))}};
  if (!channel.transfer_to.empty()) data["transfer_to"] = channel.transfer_to;
  if (!channel.transfer_from.empty()) data["transfer_from"] = channel.transfer_from;
  if (!channel.parent.empty()) data["is_parent"] = true;
  if (!channel.variables.empty()) data["payload"] = variables_object(channel.variables);
  if (!channel.recordings.empty()) {
    data["record_start"] = std::to_string(millis(channel.recordings.front().from));
    data["record_stop"] = std::to_string(millis(channel.recordings.back().to));
  }
  tell(channel, "hangup", std::move(data), at);
  if (ended_.size() >= kEndedMax) ended_.pop_front();
  ended_.push_back(std::move(channel));
}

}  // namespace simulator::webitel
