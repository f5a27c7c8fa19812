#include "pbx/innovaphone/users.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/innovaphone/diversions.h"

namespace pbx::innovaphone {
namespace {

// The only one of this name; nullptr if there is none, or if it says nothing.
User* only(const std::unordered_multimap<std::string, User*>& index, const std::string& name) {
  if (name.empty()) return nullptr;
  const auto [first, last] = index.equal_range(name);
  return first != last && std::next(first) == last ? first->second : nullptr;
}

void drop(std::unordered_multimap<std::string, User*>& index, const std::string& name,
          const User* user) {
  const auto [first, last] = index.equal_range(name);
  for (auto it = first; it != last; ++it) {
    if (it->second != user) continue;
    index.erase(it);
    return;
  }
}

call::DeviceKind kind_of(const User& user) {
  if (user.is_person()) return call::DeviceKind::extension;
  const std::string& pseudo = user.info.pseudo;
  if (pseudo == "waiting") return call::DeviceKind::queue;
  if (pseudo == "broadcast" || pseudo == "multicast") return call::DeviceKind::group;
  if (pseudo == "gw" || pseudo == "trunk" || pseudo == "sbc") return call::DeviceKind::trunk;
  return call::DeviceKind::unknown;
}

call::Activity activity_of(const User& user) {
  const bool rings = user.info.alert > 0, busy = user.info.channel > 0;
  if (rings) {
    // Whether `channel` counts the calls that ring is not documented: our own legs decide.
    return user.talking + user.holding > 0 ? call::Activity::busy_and_ringing
                                           : call::Activity::ringing;
  }
  if (busy) {
    return user.holding > 0 && user.talking == 0 ? call::Activity::holding : call::Activity::busy;
  }
  return user.info.registrations > 0 ? call::Activity::idle : call::Activity::unknown;
}

bool same_names(const UserInfo& one, const UserInfo& other) {
  return one.cn == other.cn && one.h323 == other.h323 && one.e164 == other.e164;
}

}  // namespace

User* Users::put(const UserInfo& info, std::optional<LinkId> link) {
  auto& place = users_[info.guid];
  if (!place) {
    if (users_.size() > most_) {
      users_.erase(info.guid);
      return nullptr;
    }
    place = std::make_unique<User>();
    place->info = info;
    place->link = link;
    index(*place);
    ++generation_;
    if (named_) name(*place, by_e164_.count(info.e164) == 1);
    return place.get();
  }
  User& user = *place;
  // Of a user who is at home elsewhere the other PBX knows better.
  if (user.link && link != user.link) return &user;
  if (link) user.link = link;
  if (!same_names(user.info, info)) {
    unindex(user);
    user.info = info;
    index(user);
    ++generation_;
    if (named_) name(user, by_e164_.count(info.e164) == 1);
  } else {
    user.info = info;
  }
  return &user;
}

void Users::remove(const std::string& guid) {
  const auto found = users_.find(guid);
  if (found == users_.end()) return;
  unindex(*found->second);
  users_.erase(found);
  ++generation_;
}

void Users::index(User& user) {
  const auto add = [&user](Index& index, const std::string& name) {
    if (!name.empty()) index.emplace(name, &user);
  };
  add(by_cn_, user.info.cn);
  add(by_h323_, user.info.h323);
  add(by_e164_, user.info.e164);
}

void Users::unindex(User& user) {
  drop(by_cn_, user.info.cn, &user);
  drop(by_h323_, user.info.h323, &user);
  drop(by_e164_, user.info.e164, &user);
  if (!user.id.empty()) by_id_.erase(user.id.str());
  user.id = {};
}

void Users::name(User& user, bool by_number) {
  const std::string none;
  const UserInfo& info = user.info;
  const std::string& number = by_number ? info.e164 : none;
  for (const std::string* name : {&number, &info.h323, &info.cn, &info.guid}) {
    if (name->empty() || !by_id_.emplace(*name, &user).second) continue;
    user.id = call::DeviceId(*name);
    return;
  }
}

// Numbers first, so that nobody's login name takes another one's number.
void Users::name_all() {
  named_ = true;
  std::vector<User*> rest;
  for (auto& [guid, user] : users_) {
    if (!user->id.empty()) continue;
    if (!user->info.e164.empty() && by_e164_.count(user->info.e164) == 1) {
      name(*user, true);
    } else {
      rest.push_back(user.get());
    }
  }
  std::sort(rest.begin(), rest.end(),
            [](const User* one, const User* other) { return one->info.guid < other->info.guid; });
  for (User* user : rest) name(*user, false);
  ++generation_;
}

const User* Users::find(const std::string& guid) const {
  const auto found = users_.find(guid);
  return found == users_.end() ? nullptr : found->second.get();
}
User* Users::find(const std::string& guid) {
  return const_cast<User*>(std::as_const(*this).find(guid));
}
const User* Users::find_device(const call::DeviceId& id) const {
  const auto found = by_id_.find(id.str());
  return found == by_id_.end() ? nullptr : found->second;
}
User* Users::find_device(const call::DeviceId& id) {
  return const_cast<User*>(std::as_const(*this).find_device(id));
}

const User* Users::resolve(const Connector& party) const {
  if (const User* user = only(by_cn_, party.cn)) return user;
  if (const User* user = only(by_h323_, party.h323)) return user;
  return only(by_e164_, party.e164);
}

const User* Users::resolve_number(std::string_view number) const {
  return only(by_e164_, std::string(number));
}

call::Device Users::device_of(const User& user) const {
  call::Device device;
  device.id = user.id;
  device.kind = kind_of(user);
  device.name = !user.info.dn.empty()   ? user.info.dn
                : !user.display.empty() ? user.display
                                        : user.info.cn;
  device.presence = user.presence;
  device.do_not_disturb = user.do_not_disturb;
  device.forwardings = forwardings_of(user.diversions);
  if (!user.link) return device;
  // An object that is no phone registers nowhere.
  if (user.is_person()) {
    device.availability = user.info.registrations > 0 ? call::Availability::in_service
                                                      : call::Availability::out_of_service;
  }
  device.activity = activity_of(user);
  device.controllable = user.watched();
  return device;
}

std::vector<call::Device> Users::all() const {
  std::vector<call::Device> devices;
  devices.reserve(users_.size());
  for (const auto& [guid, user] : users_) {
    if (!user->id.empty()) devices.push_back(device_of(*user));
  }
  std::sort(devices.begin(), devices.end(),
            [](const call::Device& one, const call::Device& other) { return one.id < other.id; });
  return devices;
}

}  // namespace pbx::innovaphone
