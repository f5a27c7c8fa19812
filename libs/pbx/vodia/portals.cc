#include "pbx/vodia/portals.h"

#include <algorithm>

namespace pbx::vodia {

using base::Errc;

std::vector<Portals::Unsaid> Portals::say(const std::string& extension, call::CommandId command,
                                          std::string text, TimePoint now, Effects& effects) {
  if (const auto found = portals_.find(extension); found != portals_.end()) {
    Portal& portal = found->second;
    portal.idle_end = now + options_.idle;
    if (portal.socket.open()) {
      portal.socket.say(std::move(text), effects);
    } else {
      portal.waiting.emplace_back(command, std::move(text));
    }
    return {};
  }
  if (!make_room(effects)) {
    return {
        {command, {Errc::too_many_requests, "too many extensions act at this PBX (portals_max)"}}};
  }
  ExtensionSocket::Options options;
  options.link = ++last_link_;
  options.login.domain = options_.domain;
  options.login.user = extension;
  options.login.generation = Generation::legacy;
  options.login.method = Method::token;
  if (const auto account = options_.accounts.find(extension); account != options_.accounts.end()) {
    options.login.method = Method::password;
    options.login.password = account->second.password;
  }
  options.path = options_.path;
  options.login_limit = options_.login_limit;
  const auto it = portals_.try_emplace(extension, std::move(options), http_.another()).first;
  it->second.waiting.emplace_back(command, std::move(text));
  it->second.idle_end = now + options_.idle;
  if (const auto failure = it->second.socket.begin(now, effects)) return end(it, *failure);
  return {};
}

// The one that was not used for longest gives way, if nobody waits for it.
bool Portals::make_room(Effects& effects) {
  if (portals_.size() < options_.most) return true;
  auto oldest = portals_.end();
  for (auto it = portals_.begin(); it != portals_.end(); ++it) {
    if (!it->second.waiting.empty()) continue;
    if (oldest == portals_.end() || it->second.idle_end < oldest->second.idle_end) oldest = it;
  }
  if (oldest == portals_.end()) return false;
  oldest->second.socket.close(effects);
  portals_.erase(oldest);
  return true;
}

bool Portals::waits_for(HttpId id) const {
  return std::any_of(portals_.begin(), portals_.end(),
                     [&](const auto& it) { return it.second.socket.waits_for(id); });
}

std::vector<Portals::Unsaid> Portals::on_http(HttpId id, const base::Result<HttpReply>& reply,
                                              const std::string& detail, TimePoint now,
                                              Effects& effects) {
  for (auto it = portals_.begin(); it != portals_.end(); ++it) {
    if (!it->second.socket.waits_for(id)) continue;
    const auto failure = it->second.socket.on_http(id, reply, detail, now, effects);
    return failure ? end(it, *failure) : std::vector<Unsaid>();
  }
  return {};
}

void Portals::on_link_open(LinkId link, TimePoint now, Effects& effects) {
  for (auto& [extension, portal] : portals_) {
    if (portal.socket.link() != link) continue;
    portal.socket.on_link_open(now, effects);
    for (auto& [command, text] : portal.waiting) portal.socket.say(std::move(text), effects);
    portal.waiting.clear();
    portal.idle_end = now + options_.idle;
  }
}

std::vector<Portals::Unsaid> Portals::on_link_closed(LinkId link, const base::Error& why,
                                                     const std::string& detail) {
  const auto it = std::find_if(portals_.begin(), portals_.end(),
                               [&](const auto& each) { return each.second.socket.link() == link; });
  if (it == portals_.end()) return {};
  return end(it, it->second.socket.on_link_closed(why, detail));
}

std::vector<Portals::Unsaid> Portals::end(Map::iterator it, const ExtensionSocket::Failure& why) {
  // Whoever could not log in with its own password knows what to mend.
  const bool refused = why.why == Errc::login_rejected;
  std::vector<Unsaid> unsaid;
  for (const auto& [command, text] : it->second.waiting) {
    unsaid.push_back(
        {command,
         {refused ? base::Error(Errc::credentials_refused) : base::Error(Errc::pbx_disconnected),
          "extension " + it->first + ": " + why.detail}});
  }
  portals_.erase(it);
  return unsaid;
}

std::vector<Portals::Unsaid> Portals::on_tick(TimePoint now, Effects& effects) {
  std::vector<Unsaid> unsaid;
  for (auto it = portals_.begin(); it != portals_.end();) {
    const auto next = std::next(it);
    Portal& portal = it->second;
    if (const auto failure = portal.socket.on_tick(now, effects)) {
      for (Unsaid& each : end(it, *failure)) unsaid.push_back(std::move(each));
    } else if (portal.waiting.empty() && portal.idle_end <= now) {
      portal.socket.close(effects);
      portals_.erase(it);
    }
    it = next;
  }
  return unsaid;
}

TimePoint Portals::deadline() const {
  TimePoint first = TimePoint::max();
  for (const auto& [extension, portal] : portals_) {
    first = std::min(first, portal.socket.deadline());
    if (portal.waiting.empty()) first = std::min(first, portal.idle_end);
  }
  return first;
}

}  // namespace pbx::vodia
