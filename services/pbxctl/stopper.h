#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <grpcpp/client_context.h>

namespace pbxctl {

// Ends a watch from outside: at the first SIGINT or SIGTERM while it lives, or when its time is up.
// A second such signal kills the process, as it would without this. One at a time in a process.
class Stopper {
 public:
  explicit Stopper(std::optional<std::chrono::milliseconds> after);
  ~Stopper();
  Stopper(const Stopper&) = delete;
  Stopper& operator=(const Stopper&) = delete;

  bool stopped() const;
  // Waits so long, or until stopped.
  void sleep(std::chrono::milliseconds time);

  // While it lives, stopping cancels `context`.
  class Guard {
   public:
    Guard(Stopper& stopper, grpc::ClientContext& context);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Stopper& stopper_;
  };

 private:
  void wait_for_end(std::optional<std::chrono::milliseconds> after);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  grpc::ClientContext* context_ = nullptr;
  std::thread thread_;
};

}  // namespace pbxctl
