#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "google/rpc/status.pb.h"

namespace control {

// One RPC that is under way.
class Pending {
 public:
  virtual ~Pending() = default;
  // Ends it now, without its answer, and tells the caller `why`, even if nobody runs its handler
  // any more. Does nothing if it has ended. Any thread.
  virtual void abandon(const google::rpc::Status& why) = 0;
};

// Who is let in: so many commands, watches, media clients and downloads of recordings at a time,
// and nobody once the process is draining. Knows all that are under way. Any thread; lives as long
// as the process.
class Admission {
 public:
  enum class Kind { command, watch, signal, recording };
  struct Limits {
    std::size_t commands_max = 1'000;
    std::size_t watches_max = 1'000;
    std::size_t signals_max = 1'000;
    std::size_t recordings_max = 100;
  };
  explicit Admission(Limits limits) : limits_(limits) {}

  // Why not: SHUTTING_DOWN or TOO_MANY_REQUESTS. If let in, leave() has to follow.
  std::optional<google::rpc::Status> enter(Kind kind, std::shared_ptr<Pending> one);
  void leave(Kind kind, const std::shared_ptr<Pending>& one);

  // Nobody is let in any more. `on_empty` is called once nobody of any kind is left, on
  // whatever thread sees the last one leave; perhaps at once.
  void close(std::function<void()> on_empty);
  bool is_closed() const;
  // Ends all of a kind, since the process shuts down.
  void abandon(Kind kind);
  std::size_t count(Kind kind) const;

 private:
  using Those = std::set<std::shared_ptr<Pending>>;
  Those& those(Kind kind) { return those_[static_cast<std::size_t>(kind)]; }
  const Those& those(Kind kind) const { return those_[static_cast<std::size_t>(kind)]; }
  std::function<void()> take_on_empty();

  const Limits limits_;
  mutable std::mutex mutex_;
  std::array<Those, 4> those_;  // by kind
  bool closed_ = false;
  std::function<void()> on_empty_;
};

}  // namespace control
