#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pbx/session.h"
#include "pbx/vodia/calls.h"
#include "pbx/vodia/codec.h"
#include "pbx/vodia/commands.h"
#include "pbx/vodia/directory.h"
#include "pbx/vodia/history.h"
#include "pbx/vodia/holders.h"
#include "pbx/vodia/http.h"
#include "pbx/vodia/login.h"
#include "pbx/vodia/phones.h"
#include "pbx/vodia/portals.h"

namespace pbx::vodia {

// The dialogue with one tenant, through the socket of one extension of its own, which has no phone
// (media clients have sockets of their own: phones.h):
//
//   login over HTTP → cookie → WebSocket → subscriptions → accounts and calls → changes
//
// Calls come as lists, whole at every change (calls.h). Accounts are pushed by legacy servers and
// read over REST, again and again, from modern ones. The login's session is checked from time to
// time; if it has expired we log in again beside the living socket, and end the dialogue only if
// the socket then says nothing any more.
class Session final : public pbx::Session {
 public:
  struct Options {
    Handshake where;    // host, port, tls
    std::string path;   // of the WebSocket
    std::string basic;  // the administrator's authorization; empty: there is none
    Login::Options login;
    Calls::Options calls;
    Commands::Options commands;
    Portals::Options portals;
    Phones::Options phones;
    std::chrono::milliseconds login_limit{}, snapshot_limit{}, poll{}, check{};
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
  Effects on_signal_open(call::SignalId id, const call::SignalOptions& options,
                         TimePoint now) override;
  Effects on_signal(call::SignalId id, const call::FromClient& message, TimePoint now) override;
  Effects on_signal_close(call::SignalId id, TimePoint now) override;
  Effects on_inquiry(call::InquiryId id, const call::Inquiry& inquiry, TimePoint limit,
                     TimePoint now) override;
  Effects on_tick(TimePoint now) override;
  TimePoint deadline() const override;

 private:
  enum class Phase { logging_in, opening, synchronizing, ready, over };

  void give_up(const base::Error& why, std::string detail,
               std::optional<std::chrono::milliseconds> retry_after, Effects& effects);
  void go_on(Login::Outcome outcome, TimePoint now, Effects& effects);
  void log_in_again(TimePoint now, Effects& effects);
  void take(const Frame& frame, std::string_view text, TimePoint now, Effects& effects);
  void take_calls(Calls::Source source, const CallList& list, std::string_view text, TimePoint now,
                  Effects& effects);
  void take_devices(Directory::Seen seen, TimePoint now, Effects& effects);
  void take_accounts(const base::Result<HttpReply>& reply, TimePoint now, Effects& effects);
  void take_users(const base::Result<HttpReply>& reply, TimePoint now, Effects& effects);
  void take_check(const base::Result<HttpReply>& reply, TimePoint now, Effects& effects);
  void learn_scope(const Calls::Output& out);
  void tell(Calls::Output out, TimePoint now, Effects& effects);
  void become_ready_if_complete(bool late, TimePoint now, Effects& effects);
  void subscribe(Effects& effects) const;
  void ask_again(TimePoint now, Effects& effects);
  void read_accounts(Effects& effects);
  void watch_new_lamps(Effects& effects);
  TimePoint after_poll(TimePoint now);
  bool legacy() const { return login_.legacy(); }
  // Whether the server pushes accounts, so that we need not read them.
  bool accounts_are_pushed() const { return legacy() && domain_state_seen_; }

  Options options_;
  Http http_;
  Login login_;
  Directory directory_;
  Calls calls_;
  Portals portals_;
  Commands commands_;
  Holders holders_;
  Phones phones_;
  History history_;
  Phase phase_ = Phase::logging_in;
  TimePoint due_ = TimePoint::max();  // of the present step
  TimePoint keep_alive_ = TimePoint::max(), resubscribe_ = TimePoint::max(),
            poll_ = TimePoint::max(), check_ = TimePoint::max(), ask_ = TimePoint::max(),
            explain_ = TimePoint::max(),
            proof_ = TimePoint::max();  // that the socket outlived its session
  TimePoint asked_{};
  HttpId accounts_request_ = 0, users_request_ = 0, check_request_ = 0;  // 0: none is open
  bool accounts_seen_ = false, domain_state_seen_ = false, domain_calls_seen_ = false,
       call_state_seen_ = false;
  bool renewed_ = false;  // logged in again, and no request has worked since
  // call-state lists are of the whole tenant, as calls have shown that are not our extension's.
  bool tenant_wide_ = false;
  unsigned strangers_ = 0;
  std::set<std::string> unexplained_;  // lamps that are lit without a call
  std::vector<Calls::Doubt> doubts_;   // from before Ready
  std::string held_list_;              // a list that came before the accounts
  unsigned directory_generation_ = 0;
  std::size_t lamps_ = 0;
  std::uint64_t random_;
};

}  // namespace pbx::vodia
