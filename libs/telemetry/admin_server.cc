#include "telemetry/admin_server.h"

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <httplib.h>
#include <sys/socket.h>

namespace telemetry {
namespace {

constexpr std::size_t kThreads = 2;
constexpr std::size_t kWaitingMax = 64;
constexpr auto kReadLimitSeconds = 2;
constexpr std::size_t kBodyBytesMax = 1 << 10;

constexpr auto kIndex = R"(<!doctype html>
<title>pbxgw</title>
<ul>
<li><a href="/metrics">/metrics</a>: for Prometheus
<li><a href="/startupz">/startupz</a>: is it up?
<li><a href="/livez">/livez</a>: do its event loops turn?
<li><a href="/readyz">/readyz</a>: can it do its job?
</ul>
)";

// httplib's own pool has a queue without end. This one makes the accepting thread wait, and with it
// the kernel's backlog, which then refuses.
class BoundedPool final : public httplib::TaskQueue {
 public:
  BoundedPool() {
    for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { work(); });
  }

  void enqueue(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    space_.wait(lock, [&] { return tasks_.size() < kWaitingMax; });
    tasks_.push_back(std::move(task));
    work_.notify_one();
  }

  void shutdown() override {
    std::unique_lock lock(mutex_);
    closing_ = true;
    lock.unlock();
    work_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

 private:
  // Even when closing, the tasks left are done: each owns a socket, and closes it.
  void work() {
    while (true) {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [&] { return closing_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      space_.notify_one();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable work_, space_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  bool closing_ = false;
};

constexpr std::pair<const char*, Probe> kProbes[] = {
    {"startup", Probe::startup}, {"liveness", Probe::liveness}, {"readiness", Probe::readiness}};

void answer_probe(const Health& health, Probe probe, httplib::Response& response) {
  const auto results = health.results(probe);
  response.status = all_well(results) ? 200 : 503;
  response.set_content(json_of(results), "application/json");
}

}  // namespace

struct AdminServer::Impl {
  httplib::Server server;
  std::promise<void> running;
  std::uint16_t port = 0;
  std::thread thread;
};

AdminServer::AdminServer(const AdminOptions& options, const Metrics& metrics, const Health& health)
    : impl_(std::make_unique<Impl>()) {
  auto& server = impl_->server;
  // httplib's default is SO_REUSEPORT, with which a second process would quietly take half of our
  // scrapes instead of failing.
  server.set_socket_options([](int socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server.set_keep_alive_max_count(1);  // an idle scraper would hold one of few threads
  server.set_read_timeout(kReadLimitSeconds);
  server.set_write_timeout(kReadLimitSeconds);
  server.set_payload_max_length(kBodyBytesMax);
  server.set_tcp_nodelay(true);
  server.new_task_queue = [this] {
    impl_->running.set_value();  // httplib calls this once stop() has an effect, and not before
    return new BoundedPool;
  };

  server.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(kIndex, "text/html");
  });
  server.Get("/metrics", [&](const httplib::Request&, httplib::Response& response) {
    for (const auto& [name, probe] : kProbes) {
      metrics.probes().at({name}).set(all_well(health.results(probe)) ? 1 : 0);
    }
    response.set_content(metrics.exposition(), "text/plain; version=0.0.4; charset=utf-8");
  });
  for (const auto& [path, probe] :
       {std::pair("/startupz", Probe::startup), std::pair("/livez", Probe::liveness),
        std::pair("/readyz", Probe::readiness)}) {
    server.Get(path, [&health, it = probe](const httplib::Request&, httplib::Response& response) {
      answer_probe(health, it, response);
    });
  }
  server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (response.status == 404) response.set_content("not found\n", "text/plain");
  });

  errno = 0;
  const int port = options.port == 0 ? server.bind_to_any_port(options.address)
                   : server.bind_to_port(options.address, options.port) ? options.port
                                                                        : -1;
  if (port <= 0) {
    const std::string reason = errno ? std::strerror(errno) : "not an address of this machine";
    throw std::runtime_error("cannot listen on " + options.address + ":" +
                             std::to_string(options.port) + " (admin): " + reason);
  }
  impl_->port = static_cast<std::uint16_t>(port);
  impl_->thread = std::thread([this] { impl_->server.listen_after_bind(); });
  impl_->running.get_future().wait();
}

AdminServer::~AdminServer() {
  impl_->server.stop();
  impl_->thread.join();
}

std::uint16_t AdminServer::port() const { return impl_->port; }

}  // namespace telemetry
