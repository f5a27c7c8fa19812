#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simulator/innovaphone/pbx.h"

namespace simulator::innovaphone {

// The PbxApi: presence, and from 14r1 on diversions.
class Presence {
 public:
  Presence(Pbx& pbx, Outlet& outlet) : pbx_(pbx), outlet_(outlet) {}

  // False: no request of this API.
  bool answer(Socket& socket, const Message& request, engine::TimePoint now);
  void on_change(const engine::Change& change);
  void on_closed(engine::ConnectionId connection);

  engine::TimePoint deadline() const;
  void advance(engine::TimePoint now);

 private:
  struct Note {
    std::string activity, note;
  };
  // Updates name nobody: only `src` tells whose they are.
  struct Watch {
    engine::ConnectionId connection = 0;
    json::value src;
  };
  struct Watched {
    std::vector<Watch> watches;
    std::string last;  // what they were told
  };

  void subscribe(Socket& socket, const Message& request, engine::TimePoint now);
  void unsubscribe(Socket& socket, const Message& request, engine::TimePoint now);
  void set(Socket& socket, const Message& request, engine::TimePoint now);
  void divert(Socket& socket, const Message& request, engine::TimePoint now);
  engine::ExtensionIndex named(const Socket& socket, const Message& request) const;
  json::array items_of(engine::ExtensionIndex user) const;

  Pbx& pbx_;
  Outlet& outlet_;
  std::map<engine::ExtensionIndex, Note> notes_;
  std::map<engine::ExtensionIndex, Watched> watched_;
  std::map<engine::ExtensionIndex, engine::TimePoint> dirty_;
};

}  // namespace simulator::innovaphone
