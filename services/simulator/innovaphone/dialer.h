#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulator/innovaphone/pbx.h"

namespace simulator::innovaphone {

// Where an App object's socket goes: its URL without the last part of the path, which is the `app`
// of the login.
struct AppUrl {
  std::string socket;  // "wss://gw.example.net/acme"
  std::string app;     // "inbound"
};
AppUrl app_url(std::string_view url);

// The sockets this PBX opens: one for each of the tenant's PBXs and each App object with the box
// "Websocket" ticked, tried again for ever. Here the PBX is who logs in, and nevertheless whose
// APIs are used: it asks for a challenge, logs in, and once it is let in says PbxInfo and AppInfo.
// Whoever refuses it is left, and dialled again.
class Dialer {
 public:
  Dialer(Pbx& pbx, Outlet& outlet, engine::Wire& wire, engine::TimePoint start);

  // Whether it was one of those; then the socket is there.
  bool on_open(engine::ConnectionId connection, engine::TimePoint now);
  // Whether it was one that is not logged in yet, or an answer to what a PBX asks.
  bool on_message(Socket& socket, const Message& message, engine::TimePoint now);
  void on_closed(engine::ConnectionId connection, engine::TimePoint now);
  void set_faults(engine::TimePoint now);  // those of the Pbx are others now

  bool is_connected(const AppObject& app) const;
  engine::TimePoint deadline() const;
  void advance(engine::TimePoint now);

 private:
  struct Line {
    std::size_t pbx = 0;
    const AppObject* app = nullptr;
    bool spare = false;  // a duplicate
    engine::ConnectionId connection = 0;
    engine::TimePoint due{};  // of the next attempt
    json::object last_login;  // of an earlier challenge
    bool logged_in = false;
  };

  Line* line_of(engine::ConnectionId connection);
  void log_in(Line& line, const Socket& socket, const std::string& challenge,
              engine::TimePoint now);
  json::object login_for(const Line& line, const std::string& challenge, bool person);
  void introduce(const Line& line, const Socket& socket, engine::TimePoint now);

  Pbx& pbx_;
  Outlet& outlet_;
  engine::Wire& wire_;
  std::vector<Line> lines_;
};

}  // namespace simulator::innovaphone
