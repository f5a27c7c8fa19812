#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "pbx/session.h"
#include "pbx/vodia/http.h"
#include "pbx/vodia/login.h"
#include "pbx/vodia/phone_calls.h"

namespace pbx::vodia {

// One media client's stream: a socket of its own at the PBX, as its extension.
//
//   token login as the extension → cookie → WebSocket → the extension's calls [→ sip-register]
//
// The monitoring extension itself needs no login: it has the session's cookie. A phone that
// receives calls is ready when the PBX has confirmed that it is registered; up to 68 no answer is
// documented, so there it is ready at once. The registration is renewed at half of its time.
//
// Lives from the stream's opening to its end, whoever ends it. After EndSignal or close() it is
// over, and takes nothing any more.
class Phone {
 public:
  struct Options {
    call::SignalId stream = 0;
    LinkId link = 0;
    call::SignalOptions wanted;
    Login::Options login;  // of the extension
    bool logs_in = true;   // false: `http` has a cookie that will do
    std::string path;      // of the WebSocket
    std::chrono::milliseconds login_limit{};
    bool legacy = false;
  };

  Phone(Options options, Http http);
  Phone(const Phone&) = delete;
  Phone& operator=(const Phone&) = delete;

  void begin(TimePoint now, Effects& effects);
  bool waits_for(HttpId id) const { return phase_ == Phase::logging_in && login_.waits_for(id); }
  void on_http(HttpId id, const base::Result<HttpReply>& reply, const std::string& detail,
               TimePoint now, Effects& effects);
  void on_link_open(TimePoint now, Effects& effects);
  void on_link_closed(const base::Error& why, const std::string& detail, Effects& effects);
  void on_text(std::string_view text, TimePoint now, Effects& effects);
  void on_client(const call::FromClient& message, Effects& effects);
  // The client is gone.
  void close(Effects& effects);
  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

  bool over() const { return phase_ == Phase::over; }
  LinkId link() const { return options_.link; }

 private:
  enum class Phase { logging_in, opening, registering, ready, over };

  void go_on(Login::Outcome outcome, TimePoint now, Effects& effects);
  void open(Effects& effects);
  void register_again(TimePoint now, Effects& effects);
  void registered(unsigned expires, TimePoint now, Effects& effects);
  void become_ready(Effects& effects);
  void end(const base::Error& why, std::string detail, Effects& effects);

  Options options_;
  Http http_;
  Login login_;
  PhoneCalls calls_;
  Phase phase_ = Phase::logging_in;
  TimePoint due_ = TimePoint::max();  // of the present step
  TimePoint keep_alive_ = TimePoint::max(), refresh_ = TimePoint::max(),
            expires_ = TimePoint::max();  // of the registration
};

}  // namespace pbx::vodia
