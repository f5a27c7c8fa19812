#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "pbx/session.h"
#include "pbx/webitel/commands.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/history.h"
#include "pbx/webitel/legs.h"
#include "pbx/webitel/line.h"
#include "pbx/webitel/lists.h"
#include "pbx/webitel/provisioning.h"
#include "pbx/webitel/rest.h"
#include "pbx/webitel/socket.h"
#include "pbx/webitel/user_sockets.h"

namespace pbx::webitel {

// The dialogue with one tenant, as one of its users, who may read all calls and people:
//
//   socket → authentication_challenge → hello → subscriptions → users, agents, calls over REST → …
//
// The control socket is alive or the session is over; it carries the commands, and events of its
// own user only. What the others do, the lists tell, which are read again and again, or sockets of
// their own (user_sockets.h). Legs puts both together.
class Session final : public pbx::Session {
 public:
  struct Options {
    Handshake where;       // host, port, tls
    std::string ws_path;   // of sockets, with its query
    std::string api_path;  // of REST, without a slash at its end
    std::string token;
    std::string domain;  // that the token has to be of, by name or id; empty: any
    UserSockets::Options users;
    Commands::Options commands;
    std::chrono::milliseconds login_limit{}, snapshot_limit{}, snapshot_interval{},
        people_interval{}, resubscribe{};
    std::uint64_t random = 0;
  };

  explicit Session(Options options);

  Effects on_start(TimePoint now) override;
  Effects on_link_open(LinkId link, TimePoint now) override;
  Effects on_text(LinkId link, std::string_view text, TimePoint now) override;
  Effects on_link_closed(LinkId link, const base::Error& why, const std::string& detail,
                         TimePoint now) override;
  Effects on_http(HttpId id, const base::Result<HttpReply>& reply, const std::string& detail,
                  TimePoint now) override;
  Effects on_command(call::CommandId id, const call::Command& command, TimePoint limit,
                     TimePoint now) override;
  Effects on_inquiry(call::InquiryId id, const call::Inquiry& inquiry, TimePoint limit,
                     TimePoint now) override;
  Effects on_order(call::OrderId id, const call::Order& order, TimePoint limit,
                   TimePoint now) override;
  Effects on_tick(TimePoint now) override;
  TimePoint deadline() const override;

 private:
  enum class Phase { opening, logging_in, synchronizing, ready, over };

  void give_up(const base::Error& why, std::string detail,
               std::optional<std::chrono::milliseconds> retry_after, Effects& effects);
  // What a socket brought; `user`: whose it is.
  void take(Line::Heard heard, const std::string& user, TimePoint now, Effects& effects);
  void go_on(TimePoint now, Effects& effects);
  void take(Lists::Done done, TimePoint now, Effects& effects);
  void take(const Lists::Failed& failed, TimePoint now, Effects& effects);
  void become_ready_if_complete(TimePoint now, Effects& effects);
  void tell(Legs::Output seen, TimePoint now, Effects& effects);
  void tell(Directory::Seen seen, TimePoint now, Effects& effects);
  void read_sooner(TimePoint now);
  void read_what_is_wanted(TimePoint now);
  void set_turn(Lists::What what, TimePoint at);
  TimePoint after(std::chrono::milliseconds interval, TimePoint now);

  Options options_;
  Rest rest_;
  Socket socket_;
  Line line_;
  Directory directory_;
  Legs legs_;
  Lists lists_;
  UserSockets users_;
  Commands commands_;
  History history_;
  Provisioning provisioning_;
  Phase phase_ = Phase::opening;
  TimePoint due_ = TimePoint::max();  // of synchronizing
  struct Turn {
    TimePoint at = TimePoint::max();  // when it is to be read
    bool again = false;               // it was to be read while it was being read
    // Since when it could not be read, as often as it was tried.
    std::optional<TimePoint> failing{};
  };
  std::array<Turn, 3> turns_;                // by Lists::What
  TimePoint calls_read_ = TimePoint::min();  // asked for last
  bool users_seen_ = false, agents_seen_ = false, calls_seen_ = false;
  bool agents_failed_ = false;
  unsigned directory_generation_ = 0;
  std::size_t left_out_ = 0;  // legs and people, as told last
  std::uint64_t random_;
};

}  // namespace pbx::webitel
