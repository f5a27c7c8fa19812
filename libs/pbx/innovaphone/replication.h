#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "pbx/innovaphone/codec.h"
#include "pbx/session.h"

namespace pbx::innovaphone {

// The `src` of all messages of a Replication.
inline constexpr std::string_view kReplicationSrc = "dir";

// The directory of a PBX, read with PbxTableUsers and kept up to date by it:
//
//   ReplicateStart → its result → (ReplicateNext → a row) … → no row: the list is complete
//   meanwhile and for ever after: ReplicateAdd, ReplicateUpdate, ReplicateDel
//
// One request waits at a time. On a socket that we have opened nothing tells whether the API is
// granted, and one that is not does not answer: then there is no directory, and it is said once.
// Keeps no row: what each step brings is for the caller to put into its own table. Lives as long as
// the socket.
class Replication {
 public:
  struct Options {
    std::chrono::milliseconds limit{};  // for each request
    std::size_t most = 0;               // rows; a longer list is no list of users
  };
  enum class State { idle, listing, complete, unavailable };

  // What to do now. At most one of `row` and `deleted` is there.
  struct Step {
    std::string text;  // to be sent, if not empty
    // Somebody is there, or is different: all that is known of it.
    std::optional<UserRow> row;
    std::string deleted;  // the guid of somebody who is no longer there
    // Once, one of them: the list has been told in whole; or there will be none, or no more of it,
    // and a sentence why. Rows can still follow both.
    bool complete = false;
    std::string unavailable;
  };

  explicit Replication(Options options) : options_(options) {}

  // Returns what is to be sent. On a socket that the PBX opened, only if PbxInfo grants the API.
  std::string begin(TimePoint now);
  // For frames with kReplicationSrc, or with the API's name if they have no src.
  Step on_frame(const Frame& frame, TimePoint now);
  Step on_tick(TimePoint now);
  TimePoint deadline() const { return deadline_; }
  State state() const { return state_; }
  std::size_t rows() const { return rows_; }  // of the list, until now

  static bool concerns(const Frame& frame);

 private:
  enum class Waits { nothing, start, next };

  std::string ask(Waits what, TimePoint now);
  Step give_up(std::string why);

  Options options_;
  State state_ = State::idle;
  Waits waits_ = Waits::nothing;
  TimePoint deadline_ = TimePoint::max();
  std::size_t rows_ = 0;
};

}  // namespace pbx::innovaphone
