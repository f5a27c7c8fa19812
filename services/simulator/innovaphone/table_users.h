#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "simulator/innovaphone/pbx.h"

namespace simulator::innovaphone {

// The PbxTableUsers API: a client's copy of the users. One row per ReplicateNext, whole rows, and
// changes at any time once it has begun. Never a password.
class TableUsers {
 public:
  TableUsers(Pbx& pbx, Outlet& outlet) : pbx_(pbx), outlet_(outlet) {}

  // False: no request of this API.
  bool answer(Socket& socket, const Message& request, engine::TimePoint now);
  void on_change(const engine::Change& change, engine::TimePoint now);
  void on_closed(engine::ConnectionId connection) { copies_.erase(connection); }

 private:
  struct Copy {
    std::vector<std::string> columns;
    json::value src;    // of the last request
    bool users = true;  // ordinary ones are wanted at all
    engine::ExtensionIndex next = 0;
  };
  void start(Socket& socket, const Message& request, engine::TimePoint now);
  void continue_with(Socket& socket, const Message& request, engine::TimePoint now);
  json::object row(const Copy& copy, engine::ExtensionIndex user) const;

  Pbx& pbx_;
  Outlet& outlet_;
  std::map<engine::ConnectionId, Copy> copies_;
};

// An extension's forwardings, as rows of users show them.
json::array diversions_of(const engine::Forwarding& forwarding);

}  // namespace simulator::innovaphone
