#include "pbxctl/stopper.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace pbxctl {
namespace {

// What a signal handler may touch: it writes here, and a thread does the rest. Never closed,
// because a handler that another thread runs may be late.
std::atomic<int> wake_fd = -1;
static_assert(std::atomic<int>::is_always_lock_free);

int make_wake_fd() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::system_category(), "eventfd");
  return fd;
}

void wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_fd, &one, sizeof one);
}

// Whatever woke a former Stopper.
void forget_wakes() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = ::read(wake_fd, &count, sizeof count);
}

void on_signal(int) {
  const int kept = errno;
  wake();
  errno = kept;
}

constexpr int kSignals[] = {SIGINT, SIGTERM};

}  // namespace

Stopper::Stopper(std::optional<std::chrono::milliseconds> after) {
  static const int fd = make_wake_fd();
  wake_fd = fd;
  forget_wakes();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  for (int signal : kSignals) ::sigaction(signal, &action, nullptr);
  thread_ = std::thread([this, after] { wait_for_end(after); });
}

Stopper::~Stopper() {
  for (int signal : kSignals) ::signal(signal, SIG_DFL);
  wake();
  thread_.join();
}

void Stopper::wait_for_end(std::optional<std::chrono::milliseconds> after) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + after.value_or(std::chrono::milliseconds(0));
  pollfd readable{.fd = wake_fd, .events = POLLIN, .revents = 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (after && left <= 0) break;
    // Longer waits than poll() can say are waited in parts.
    constexpr long long kLongest = 1'000'000'000;
    const int limit = after ? static_cast<int>(left < kLongest ? left : kLongest) : -1;
    if (::poll(&readable, 1, limit) > 0) break;
  }
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  if (context_) context_->TryCancel();
  changed_.notify_all();
}

bool Stopper::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void Stopper::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return stopped_; });
}

Stopper::Guard::Guard(Stopper& stopper, grpc::ClientContext& context) : stopper_(stopper) {
  const std::lock_guard lock(stopper_.mutex_);
  stopper_.context_ = &context;
  if (stopper_.stopped_) context.TryCancel();
}

Stopper::Guard::~Guard() {
  const std::lock_guard lock(stopper_.mutex_);
  stopper_.context_ = nullptr;
}

}  // namespace pbxctl
