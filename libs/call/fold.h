#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "call/event.h"
#include "call/tracker.h"

namespace call {

// The consumer's side of the contract: makes a state of events, and says what is wrong with them. A
// takeover rebuilds the tracker's book with it, from a checkpoint and the events after it; pbxctl
// shows it; and it is the oracle of our tests. Not thread-safe, pure.
//
// Delivery is at least once, so an event that was folded before is skipped without a word.
class Fold {
 public:
  // Knows nothing. If the first event is not the first of its epoch, calls and devices from before
  // are met as they come.
  Fold() = default;
  // Knows all there was up to the checkpoint.
  explicit Fold(Book checkpoint);

  // What is wrong with the event, as sentences; none if all is well. The event counts all the same,
  // unless it is from an epoch that is over.
  std::vector<std::string> apply(const Event& event);

  const Book& book() const { return book_; }
  const std::optional<LinkEvent>& link() const { return link_; }
  // All that were announced, or the last kGapsMax of them.
  const std::deque<StreamGap>& gaps() const { return gaps_; }
  static constexpr std::size_t kGapsMax = 100;
  // So many calls are remembered after their end, for an event that comes after it.
  static constexpr std::size_t kEndedMax = 10'000;

 private:
  using Violations = std::vector<std::string>;

  void follow(const Event& event, Violations& violations);
  void fold(const CallEvent& event, Violations& violations);
  void fold(const DeviceEvent& event, Violations& violations);
  void fold(const LinkEvent& event, Violations& violations);
  void fold(const StreamGap& gap, Violations& violations);

  Book book_;
  std::optional<LinkEvent> link_;
  std::deque<StreamGap> gaps_;
  std::map<CallId, std::set<unsigned>> ended_connections_;  // of live calls
  std::set<CallId> ended_calls_;
  std::deque<CallId> ended_in_order_;
  bool begun_ = false;     // there was an event, or a checkpoint
  bool complete_ = false;  // nothing was missed before the first event
};

}  // namespace call
