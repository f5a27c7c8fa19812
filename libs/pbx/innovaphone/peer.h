#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pbx/innovaphone/codec.h"
#include "pbx/innovaphone/login.h"
#include "pbx/innovaphone/users.h"
#include "pbx/session.h"

namespace pbx::innovaphone {

// One PBX on one socket, from the first word on it until it is lost:
//
//   login (if it is we who dialled; else it is done, and PbxInfo tells who it is and what we may)
//   → Initialize → UserInfo … → InitializeResult → UserInitialize for each user who lives here
//
// All handles are of this socket only. The session asks it what to do with each message and hears
// what became of its users.
class Peer {
 public:
  struct Options {
    Login::Options login;
    bool groups = false;    // the members of our groups, instead of those who have the App
    std::size_t batch = 0;  // UserInitialize at once
    std::chrono::milliseconds request_limit{}, initialize_limit{}, keep_alive{}, silence_limit{};
  };
  enum class Phase { logging_in, introducing, listing, initializing, ready };

  // What is to be told of.
  struct Output {
    std::vector<std::string> changed;  // users; guids
    std::vector<std::string> removed;
    bool logged_in = false, listed = false, initialized = false;  // just now
    bool renamed = false;        // somebody has another device's id now
    std::optional<GiveUp> lost;  // it is of no use any more
  };

  // Outbound: `arrived` is false, and begin() follows.
  Peer(LinkId link, const Options& options, Users& users, bool arrived);

  void begin(TimePoint now, Effects& effects);  // we dialled, and it is open
  void welcome(const Arrival& arrival, TimePoint now, Effects& effects);  // it dialled

  // What is of the socket's own, not of calls and commands; false if it is one of those.
  bool on_frame(const Frame& frame, TimePoint now, Effects& effects, Output& out);
  // Something was heard, whatever it was.
  void heard(TimePoint now) {
    heard_ = now;
    probed_ = false;
  }
  void say(std::string text, TimePoint now, Effects& effects);
  void on_tick(TimePoint now, Effects& effects, Output& out);
  TimePoint deadline() const;

  // Whose handle it is; empty if nobody's.
  std::string user_of(int handle, std::string_view src) const;
  bool is_home_of(const UserInfo& user) const;
  // Whether an API may be used: unknown where we dialled, and then it is tried.
  bool may_use(std::string_view api) const;

  LinkId link() const { return link_; }
  Phase phase() const { return phase_; }
  const std::string& name() const { return name_; }
  const std::string& via() const { return via_; }
  bool arrived() const { return arrived_; }

 private:
  void introduce(const PbxInfo& info, TimePoint now, Effects& effects, Output& out);
  void start_list(TimePoint now, Effects& effects);
  void take_user(const UserInfo& info, TimePoint now, Effects& effects, Output& out);
  void take_result(const Result& result, const std::string& src, TimePoint now, Effects& effects,
                   Output& out);
  void take_login(Login::Outcome outcome, TimePoint now, Effects& effects, Output& out);
  void end_list(TimePoint now, Effects& effects, Output& out);
  void want(User& user);
  void pump(TimePoint now, Effects& effects, Output& out);
  // When to ask for something that is surely answered: that a KeepAlive is, nobody promises.
  TimePoint probe() const;

  LinkId link_;
  const Options& options_;
  Users& users_;
  bool arrived_;
  Phase phase_ = Phase::logging_in;
  Login login_;
  std::string name_, via_;
  std::set<std::string, std::less<>> apis_;
  std::uint64_t round_;               // of its list
  TimePoint due_ = TimePoint::max();  // of the present step
  TimePoint heard_{}, said_{};
  bool probed_ = false;
  TimePoint alive_ = TimePoint::min();  // when we last sent a KeepAlive
  std::vector<Frame> early_;            // from before the login's verdict
  std::deque<std::string> wanted_;      // guids
  std::set<std::string> asked_;         // guids whose UserInitialize is not answered
  std::unordered_map<int, std::string> handles_;
  std::size_t left_out_ = 0;
};

}  // namespace pbx::innovaphone
