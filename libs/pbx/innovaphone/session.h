#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pbx/innovaphone/commands.h"
#include "pbx/innovaphone/directory.h"
#include "pbx/innovaphone/legs.h"
#include "pbx/innovaphone/peer.h"
#include "pbx/innovaphone/users.h"
#include "pbx/session.h"

namespace pbx::innovaphone {

// The dialogue with one tenant, which is one PBX that we dial, or all the PBXs of a system that
// dial us: a socket (Peer) for each, and one picture of them all. Users are followed on the socket
// of the PBX where they live; a call may have legs on several.
//
// The first Ready waits until every user with a call has told it, and, of PBXs that dial, until
// those that are named (in the settings, or as the home of a user) are there; both not for ever.
class Session final : public pbx::Session {
 public:
  struct Options {
    bool inbound = false;
    Handshake where;                // outbound
    std::vector<std::string> pbxs;  // inbound: that are waited for
    std::size_t users_max = 0;
    Peer::Options peer;
    Directory::Options directory;
    Commands::Options commands;
    Legs::Options legs;
    std::chrono::milliseconds gather{}, confirm_limit{};
  };

  explicit Session(Options options);

  Effects on_start(TimePoint now) override;
  Effects on_link_open(LinkId link, TimePoint now) override;
  Effects on_link_arrived(LinkId link, const Arrival& arrival, TimePoint now) override;
  Effects on_text(LinkId link, std::string_view text, TimePoint now) override;
  Effects on_link_closed(LinkId link, const base::Error& why, const std::string& detail,
                         TimePoint now) override;
  Effects on_command(call::CommandId id, const call::Command& command, TimePoint limit,
                     TimePoint now) override;
  Effects on_tick(TimePoint now) override;
  TimePoint deadline() const override;

 private:
  struct Line {
    Line(LinkId link, const Options& options, Users& users, bool arrived)
        : peer(link, options.peer, users, arrived), directory(link, options.directory, users) {}
    Peer peer;
    Directory directory;
    TimePoint confirm = TimePoint::max();  // until when its calls may take to be told
    std::set<std::string> untold;          // who has a call that is not told yet
    bool settled = false;
  };
  using Lines = std::map<LinkId, Line>;

  Peer* peer(LinkId link);
  void take(Line& line, const Frame& frame, TimePoint now, Effects& effects);
  void take_call(Line& line, const CallInfo& info, const std::string& src, TimePoint now,
                 Effects& effects);
  void follow(LinkId link, Peer::Output out, TimePoint now, Effects& effects);
  void tell(Line& line, Directory::Output out, TimePoint now, Effects& effects);
  void drop(LinkId link, Effects& effects);
  void lose(LinkId link, const base::Error& why, std::string detail,
            std::optional<std::chrono::milliseconds> retry_after, Effects& effects);
  void settle(Line& line, TimePoint now, Effects& effects);
  bool all_there() const;
  bool is_told(const User& user) const;
  void become_ready_if_complete(Effects& effects);
  void observe(Legs::Views views, TimePoint now, Effects& effects);
  void observe_user(const std::string& guid, Effects& effects);
  void observe_all(Effects& effects);

  Options options_;
  Users users_;
  Legs legs_;
  Commands commands_;
  Lines lines_;
  bool ready_ = false, over_ = false;
  TimePoint gathered_ = TimePoint::max();  // the first one is there, and the others are waited for
  bool gather_over_ = false;
  unsigned generation_ = 0;      // of the users, when calls were last looked at
  std::set<std::string> homes_;  // PBXs where users live
};

}  // namespace pbx::innovaphone
