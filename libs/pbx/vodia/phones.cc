#include "pbx/vodia/phones.h"

#include <algorithm>
#include <utility>

namespace pbx::vodia {

using base::Errc;

void Phones::open(call::SignalId id, const call::SignalOptions& wanted, bool legacy, TimePoint now,
                  Effects& effects) {
  if (phones_.contains(id)) return;
  const auto known = directory_.find(wanted.device.str());
  if (!known || known->kind != call::DeviceKind::extension) {
    effects.push_back(
        EndSignal{id, Errc::device_not_found, "device: the PBX shows no extension of this number"});
    return;
  }
  if (phones_.size() >= options_.most) {
    effects.push_back(EndSignal{id, Errc::too_many_requests,
                                "too many streams are open at this PBX (signals_max)"});
    return;
  }
  const bool own = *known->number == options_.user;
  if (!own && !http_.has_admin()) {
    effects.push_back(
        EndSignal{id, Errc::credentials_missing,
                  "only a system administrator can log in for other extensions: set admin_user"});
    return;
  }
  Phone::Options options;
  options.stream = id;
  options.link = ++last_link_;
  options.wanted = wanted;
  options.login.domain = options_.domain;
  options.login.user = *known->number;
  options.login.method = Method::token;
  options.login.generation = legacy ? Generation::legacy : Generation::modern;
  options.logs_in = !own;
  options.path = options_.path;
  options.login_limit = options_.login_limit;
  options.legacy = legacy;
  Http http = http_.another();
  if (own) http.set_cookie(http_.cookie());
  streams_[options.link] = id;
  const auto [it, added] = phones_.try_emplace(id, std::move(options), std::move(http));
  it->second.begin(now, effects);
  tidy(it);
}

void Phones::on_signal(call::SignalId id, const call::FromClient& message, Effects& effects) {
  const auto it = phones_.find(id);
  if (it != phones_.end()) it->second.on_client(message, effects);
}

void Phones::close(call::SignalId id, Effects& effects) {
  const auto it = phones_.find(id);
  if (it == phones_.end()) return;
  it->second.close(effects);
  tidy(it);
}

bool Phones::on_http(HttpId id, const base::Result<HttpReply>& reply, const std::string& detail,
                     TimePoint now, Effects& effects) {
  const auto it = std::find_if(phones_.begin(), phones_.end(),
                               [&](const auto& each) { return each.second.waits_for(id); });
  if (it == phones_.end()) return false;
  it->second.on_http(id, reply, detail, now, effects);
  tidy(it);
  return true;
}

void Phones::on_link_open(LinkId link, TimePoint now, Effects& effects) {
  if (const auto it = find(link); it != phones_.end()) it->second.on_link_open(now, effects);
}

void Phones::on_link_closed(LinkId link, const base::Error& why, const std::string& detail,
                            Effects& effects) {
  const auto it = find(link);
  if (it == phones_.end()) return;
  it->second.on_link_closed(why, detail, effects);
  tidy(it);
}

void Phones::on_text(LinkId link, std::string_view text, TimePoint now, Effects& effects) {
  if (const auto it = find(link); it != phones_.end()) it->second.on_text(text, now, effects);
}

void Phones::on_tick(TimePoint now, Effects& effects) {
  for (auto it = phones_.begin(); it != phones_.end();) {
    const auto next = std::next(it);
    if (it->second.deadline() <= now) it->second.on_tick(now, effects);
    tidy(it);
    it = next;
  }
}

TimePoint Phones::deadline() const {
  TimePoint first = TimePoint::max();
  for (const auto& [id, phone] : phones_) first = std::min(first, phone.deadline());
  return first;
}

Phones::Map::iterator Phones::find(LinkId link) {
  const auto it = streams_.find(link);
  return it == streams_.end() ? phones_.end() : phones_.find(it->second);
}

// Forgets it, if it is over.
void Phones::tidy(Map::iterator it) {
  if (!it->second.over()) return;
  streams_.erase(it->second.link());
  phones_.erase(it);
}

}  // namespace pbx::vodia
