#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "call/command.h"
#include "pbx/innova360/codec.h"
#include "pbx/session.h"
#include "pbx/settings.h"

namespace pbx::innova360 {

// A leg that an action names: by the supervisor's id, and by what an agent's connection would know
// it by if it had ids of its own.
struct LegRef {
  std::string callid;
  Ends ends;
  Step step = Step::unknown;
};

struct Job {
  call::CommandId command = 0;
  Action action;
  std::vector<LegRef> legs;  // that `action` names, in its order
};

// What became of a job. Sent comes first; after failed or refused nothing else does.
struct Report {
  enum class What {
    sent,
    lost,    // the connection was lost after it was sent
    failed,  // it was not sent, or the PBX refused it
  };
  call::CommandId command = 0;
  What what = What::sent;
  base::Error why;
  std::string detail;
};

// The connections that act: Innova360 takes actions only from the extension that acts, logged in
// with credentials of its own. They are opened when needed, and kept for a while.
//
// Lives as long as a session. One action at a time for each extension, because nothing in an answer
// says which action it means: the next one is sent when release() says that the last is settled.
// What agents hear of calls is the supervisor's to publish; here it only serves to translate ids.
class Agents {
 public:
  struct Options {
    Handshake where;
    std::map<std::string, Account> accounts;  // by extension
    std::chrono::milliseconds idle{};         // a connection is closed when unused for this long
    std::chrono::milliseconds login_limit{};  // from opening to the snapshot, for all of it
    std::size_t most = 0;                     // open at once
    std::uint64_t random = 0;
  };
  struct Output {
    Effects effects;
    std::vector<Report> reports;
  };

  explicit Agents(Options options) : options_(std::move(options)) {}

  bool has_account(const std::string& extension) const {
    return options_.accounts.contains(extension);
  }
  // Why `extension` cannot act now; nothing if it can be tried.
  std::optional<call::Refusal> hindrance(const std::string& extension, TimePoint now) const;

  // The supervisor is logged in: opens the pinned connections.
  void start(TimePoint now, Output& out);
  // Precondition: hindrance(extension) is nothing. Reports follow, in `out` already or later.
  void ask(const std::string& extension, Job job, TimePoint now, Output& out);
  // The command is settled: its jobs are done, or not wanted any more. No reports follow.
  void release(call::CommandId command, TimePoint now, Output& out);

  void on_link_open(LinkId link, TimePoint now);
  void on_frame(LinkId link, const base::Result<Frame>& frame, TimePoint now, Output& out);
  void on_link_closed(LinkId link, const base::Error& why, TimePoint now, Output& out);
  void on_tick(TimePoint now, Output& out);
  TimePoint deadline() const { return deadline_; }

 private:
  // The login's steps in their order, then ready.
  enum class Phase { closed, opening, welcoming, authenticating, initializing, ready };

  struct Agent {
    std::string extension;
    const Account* account = nullptr;
    Phase phase = Phase::closed;
    LinkId link = 0;
    TimePoint due = TimePoint::max();  // closed: open a pinned one again; ready: idle; else: login
    TimePoint used{};
    TimePoint refused_until{};   // the PBX does not take these credentials
    std::optional<Job> current;  // sent, and not settled
    std::deque<Job> waiting;
    unsigned failures = 0;
    std::map<std::string, LegState> legs;  // as this connection tells them
  };

  Agent* agent_of(LinkId link);
  void open(Agent& agent, TimePoint now, Output& out);
  bool make_room(Output& out);
  void close(Agent& agent, Output& out);
  void fail(Agent& agent, const base::Error& why, const std::string& detail, TimePoint now,
            Output& out);
  void refuse_credentials(Agent& agent, const std::string& detail, TimePoint now, Output& out);
  void send_next(Agent& agent, TimePoint now, Output& out);
  void take(Agent& agent, const Frame& frame, TimePoint now, Output& out);
  void log_in(Agent& agent, const AuthResp& answer, TimePoint now, Output& out);
  void update_deadline();

  Options options_;
  std::map<std::string, Agent> agents_;  // by extension
  std::unordered_map<LinkId, Agent*> by_link_;
  LinkId last_link_ = kPrimary;
  TimePoint deadline_ = TimePoint::max();
};

}  // namespace pbx::innova360
