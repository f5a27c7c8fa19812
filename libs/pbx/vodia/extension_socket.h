#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "pbx/session.h"
#include "pbx/vodia/http.h"
#include "pbx/vodia/login.h"

namespace pbx::vodia {

// A socket that is one extension's own, beside the monitoring one:
//
//   login as the extension → cookie → WebSocket, kept alive
//
// Lives from begin() until it fails, is closed by the PBX, or by us. What fails is returned once;
// after that it is over.
class ExtensionSocket {
 public:
  struct Options {
    LinkId link = 0;
    Login::Options login;
    bool logs_in = true;  // false: `http` has a cookie that will do
    std::string path;     // of the WebSocket
    std::chrono::milliseconds login_limit{};
  };
  struct Failure {
    base::Error why;
    std::string detail;  // a sentence; never a secret
  };

  ExtensionSocket(Options options, Http http);
  // The login knows where `http` is.
  ExtensionSocket(const ExtensionSocket&) = delete;
  ExtensionSocket& operator=(const ExtensionSocket&) = delete;

  std::optional<Failure> begin(TimePoint now, Effects& effects);
  bool waits_for(HttpId id) const { return phase_ == Phase::logging_in && login_.waits_for(id); }
  std::optional<Failure> on_http(HttpId id, const base::Result<HttpReply>& reply,
                                 const std::string& detail, TimePoint now, Effects& effects);
  void on_link_open(TimePoint now, Effects& effects);
  Failure on_link_closed(const base::Error& why, const std::string& detail);
  // Precondition: open().
  void say(std::string text, Effects& effects) const;
  void close(Effects& effects);
  std::optional<Failure> on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

  bool open() const { return phase_ == Phase::open; }
  bool over() const { return phase_ == Phase::over; }
  LinkId link() const { return options_.link; }
  const std::string& extension() const { return options_.login.user; }

 private:
  enum class Phase { logging_in, opening, open, over };

  std::optional<Failure> go_on(Login::Outcome outcome, TimePoint now, Effects& effects);
  void connect(Effects& effects);

  Options options_;
  Http http_;
  Login login_;
  Phase phase_ = Phase::logging_in;
  TimePoint due_ = TimePoint::max();  // of the login
  TimePoint keep_alive_ = TimePoint::max();
};

}  // namespace pbx::vodia
