#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "call/model.h"
#include "pbx/innovaphone/codec.h"
#include "pbx/session.h"

namespace pbx::innovaphone {

// One user of the PBX, or one of its objects that is none.
struct User {
  UserInfo info;
  call::DeviceId id;                  // empty until name_all(), or while nobody may see it
  std::optional<LinkId> link;         // where it is followed; nothing: its PBX is not connected
  int handle = 0;                     // there; 0: not, or not yet
  std::uint64_t round = 0;            // the list of his own PBX that he was last in
  unsigned talking = 0, holding = 0;  // its legs, for what UserInfo does not tell
  // What other APIs tell of it: directory.h.
  std::string display;  // name for people
  std::optional<std::string> presence;
  std::optional<bool> do_not_disturb;
  std::vector<Diversion> diversions;

  // Whether it has calls that can be watched: executives are users too.
  bool is_person() const { return info.pseudo.empty() || info.pseudo == "executive"; }
  // Its calls are told by the PBX.
  bool watched() const { return handle != 0; }
};

// Everybody whom the PBXs of a tenant show to our App object: by whatever a message names them. A
// user's device id is the extension number, unless another one has the same (in another node):
// then the login name, else the Long Name.
//
// Lives as long as a session. Everything is O(1) in the number of users but all() and name_all().
class Users {
 public:
  explicit Users(std::size_t most) : most_(most) {}

  // Takes what a PBX shows of a user. `link`: the socket on which it is followed, if that is the
  // one that says so. nullptr if there are too many.
  User* put(const UserInfo& info, std::optional<LinkId> link);
  void remove(const std::string& guid);
  // The first list is complete: everybody gets an id. Later ones get theirs in put().
  void name_all();

  User* find(const std::string& guid);
  const User* find(const std::string& guid) const;
  const User* find_device(const call::DeviceId& id) const;
  User* find_device(const call::DeviceId& id);
  // Whom a call names; nullptr if it is nobody of ours.
  const User* resolve(const Connector& party) const;
  // By the names that commands and diversions use.
  const User* resolve_number(std::string_view number) const;

  call::Device device_of(const User& user) const;
  std::vector<call::Device> all() const;
  std::size_t size() const { return users_.size(); }
  // Grows whenever somebody comes, goes or is named anew.
  unsigned generation() const { return generation_; }

  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [guid, user] : users_) visit(*user);
  }

 private:
  using Index = std::unordered_multimap<std::string, User*>;

  void index(User& user);
  void unindex(User& user);
  void name(User& user, bool by_number);

  std::size_t most_;
  unsigned generation_ = 0;
  bool named_ = false;
  std::unordered_map<std::string, std::unique_ptr<User>> users_;
  Index by_cn_, by_h323_, by_e164_;
  std::unordered_map<std::string, User*> by_id_;
};

}  // namespace pbx::innovaphone
