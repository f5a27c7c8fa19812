#pragma once

#include <map>
#include <string>

#include "simulator/engine/tenant.h"
#include "simulator/webitel/accounts.h"
#include "simulator/webitel/outlet.h"

namespace simulator::webitel {

// What can be seen of users: `sip` while the phone is registered, `web` while a socket of theirs is
// open, `dlg` in a call, and `dnd`. Whoever has subscribed is told of its own user when it changes.
class Presence {
 public:
  Presence(const Settings& settings, engine::Tenant& tenant, const Accounts& accounts,
           Outlet& outlet)
      : settings_(settings), tenant_(tenant), accounts_(accounts), outlet_(outlet) {}

  // "sip,web"; empty: offline
  std::string status_of(const User& user) const;
  bool has_phone(const User& user) const;  // that is registered

  // The extension's user, if it has one.
  void on_change(engine::ExtensionIndex extension, engine::TimePoint now);
  void look_at(const User& user, engine::TimePoint now);
  // "dnd" sets it, anything else takes it back.
  void set(const User& user, std::string_view status, std::string note, engine::TimePoint now);

 private:
  const Settings& settings_;
  engine::Tenant& tenant_;
  const Accounts& accounts_;
  Outlet& outlet_;
  std::map<UserId, std::string> told_, notes_;
  std::map<UserId, bool> refusing_;  // of users without a phone
};

}  // namespace simulator::webitel
