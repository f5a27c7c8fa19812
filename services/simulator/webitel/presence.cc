#include "simulator/webitel/presence.h"

#include <utility>

namespace simulator::webitel {

using engine::kOutside;
using engine::TimePoint;

bool Presence::has_phone(const User& user) const {
  const auto index = accounts_.extension_of(user);
  return index != kOutside && tenant_.extension(index).registered;
}

std::string Presence::status_of(const User& user) const {
  std::string all;
  const auto add = [&](std::string_view token) {
    if (!all.empty()) all += ',';
    all += token;
  };
  const auto index = accounts_.extension_of(user);
  const engine::Extension* phone = index == kOutside ? nullptr : &tenant_.extension(index);
  const bool wss = settings_.variants.web_token == Variants::WebToken::wss;
  if (phone && phone->registered) add("sip");
  if (outlet_.is_online(user.id)) add(wss ? "wss" : "web");
  if (phone && !phone->legs.empty()) add("dlg");
  const auto refusing = refusing_.find(user.id);
  if (phone ? phone->do_not_disturb : refusing != refusing_.end() && refusing->second) add("dnd");
  return all;
}

void Presence::on_change(engine::ExtensionIndex extension, TimePoint now) {
  if (extension == kOutside) return;
  if (const User* user = accounts_.user_at(extension)) look_at(*user, now);
}

void Presence::look_at(const User& user, TimePoint now) {
  std::string status = status_of(user);
  std::string& told = told_[user.id];
  if (told == status) return;
  told = status;
  json::object state{{"id", std::to_string(user.id)},
                     {"timestamp", settings_.clock.unix_millis(now)},
                     {"domain_id", settings_.domain_id}};
  if (!status.empty()) state["status"] = std::move(status);
  const auto note = notes_.find(user.id);
  if (note != notes_.end() && !note->second.empty()) state["note"] = note->second;
  outlet_.push(user.id, Topic::presence, "user_state", {{"state", std::move(state)}}, now);
}

void Presence::set(const User& user, std::string_view status, std::string note, TimePoint now) {
  const bool on = status == "dnd";
  notes_[user.id] = std::move(note);
  const auto index = accounts_.extension_of(user);
  if (index != kOutside) {
    (void)tenant_.set_do_not_disturb(tenant_.extension(index).number, on, now);
  } else {
    refusing_[user.id] = on;
  }
  look_at(user, now);
}

}  // namespace simulator::webitel
