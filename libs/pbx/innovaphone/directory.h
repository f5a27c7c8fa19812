#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "pbx/innovaphone/presence.h"
#include "pbx/innovaphone/replication.h"
#include "pbx/innovaphone/users.h"
#include "pbx/session.h"

namespace pbx::innovaphone {

// What other APIs than RCC tell of the users who live on a PBX: names and forwardings
// (PbxTableUsers), presence and do-not-disturb (PbxApi). RCC alone says who is there; what is told
// here is put into Users. Neither API need be granted, and nothing waits for them. Lives as long as
// the socket.
class Directory {
 public:
  struct Options {
    bool table = true;                  // to be read, if it is granted
    bool required = false;              // that it is not is worth a note where nothing else is
    std::chrono::milliseconds limit{};  // for each request
    std::size_t most = 0;               // users
    std::size_t outstanding = 50;       // subscriptions to presence that wait at once
  };
  struct Output {
    std::vector<std::string> texts;    // to be sent, in this order
    std::vector<std::string> changed;  // guids of users of whom there is something new
    std::vector<Note> notes;
  };

  Directory(LinkId link, const Options& options, Users& users);

  // RCC has listed the users. Which of the APIs may be used: where we have dialled, both are tried.
  void begin(bool table, bool presence, TimePoint now, Output& out);
  // RCC tells of a user: somebody new, or other names.
  void on_user(const std::string& guid, TimePoint now, Output& out);
  void on_user_gone(const std::string& guid, TimePoint now, Output& out);
  // False if it is none of its frames.
  bool on_frame(const Frame& frame, TimePoint now, Output& out);
  void on_tick(TimePoint now, Output& out);
  TimePoint deadline() const { return std::min(replication_.deadline(), presence_.deadline()); }

  // Whether forwardings are told by the table, and need not be believed from a command's answer.
  bool has_table() const { return replication_.state() == Replication::State::complete; }

 private:
  struct Row {
    std::string display;
    std::vector<Diversion> diversions;
  };

  void take(Replication::Step step, Output& out);
  void take(Presence::Step step, Output& out);
  User* own(const std::string& guid);
  void put(const std::string& guid, const Row& row, Output& out);

  LinkId link_;
  const Options& options_;
  Users& users_;
  Replication replication_;
  Presence presence_;
  bool watches_ = false;  // presence
  // By guid. The table knows everybody, also those whom RCC shows later, or again.
  std::unordered_map<std::string, Row> rows_;
};

}  // namespace pbx::innovaphone
