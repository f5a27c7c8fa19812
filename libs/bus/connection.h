#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.h"
#include "bus/event_loop.h"
#include "bus/handles.h"
#include "bus/worker.h"

namespace bus {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

// How to trust NATS servers, and who we are to them. Files are PEM.
struct Tls {
  std::string ca_file;           // empty: the system's trust store
  std::string certificate_file;  // ours, with key_file, if the servers verify clients
  std::string key_file;
  bool verify = true;  // false only for tests: anybody could be the server then
};

// Of several ways to log in, use one.
struct Options {
  std::vector<std::string> urls{"nats://127.0.0.1:4222"};
  std::string name = "pbxgw";  // what `nats server report connections` shows
  std::optional<Tls> tls;
  std::string creds_file;  // a user's JWT and seed, as nsc writes them
  std::string nkey_public, nkey_seed_file;
  std::string user, password, token;
  Duration connect_timeout{2'000};
  // A server that was silent for so long is asked for a sign of life; after twice as long the
  // connection is given up and made anew.
  Duration ping_interval{5'000};
  Duration reconnect_wait{250}, reconnect_jitter{250};
};

enum class ConnectionEvent {
  connected,     // for the first time, or again; detail: the URL
  disconnected,  // and connecting again, for ever
  lame_duck,     // the server will shut down, and close the connection in its own time
  failed,        // an asynchronous error; detail: which (slow consumer, permissions violation)
  closed,  // for good: by close(), or because the servers refuse our credentials. In the latter
           // case the process has to start over with others.
};

struct ConnectionStatistics {
  std::uint64_t connects = 0;  // the first one included
  std::uint64_t disconnects = 0;
  std::uint64_t failures = 0;  // events of the kind `failed`
};

// A subject that nobody else uses, for replies: "_INBOX." and 22 characters.
std::string new_inbox();

// A connection to NATS that is kept up for ever, driven by the one executor it belongs to: all its
// sockets are read and written there, and everything else of this library that uses it reports
// there. So the executor must run one handler at a time (an io_context with one thread, or a
// strand), and its context must outlive the connection.
//
// Held by shared_ptr by what uses it. Destroyed without close(), it drops what is not written yet,
// and waits for cnats' threads; do that after the io_context has stopped.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `why` tells what the error was about, to an operator.
  using OnEvent = std::function<void(ConnectionEvent event, const std::string& why)>;

  // Waits for the first attempt to connect, up to connect_timeout for each URL, so it is for
  // start-up. If no server answers, goes on trying and returns a connection that is not connected()
  // yet. Fails only with options that cannot be used: invalid_argument, and `why`.
  static base::Result<std::shared_ptr<Connection>> open(boost::asio::any_io_executor executor,
                                                        const Options& options, std::string& why);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const boost::asio::any_io_executor& executor() const { return executor_; }

  // Any thread. Exact on the executor, as EventLoop::polling() is.
  bool connected() const { return loop_->polling(); }
  // Any thread.
  ConnectionStatistics statistics() const;

  // Waits until the server has all that was published, but not beyond `deadline`; then closes.
  // Nothing that uses the connection will hear from it again, apart from the event `closed`. Await
  // it on any executor while this connection's own runs.
  boost::asio::awaitable<void> close(Duration deadline);

  // Events are reported to all listeners, on the executor. Call both functions there, or before it
  // runs. The first event may have come before the first listener: ask connected().
  std::uint64_t listen(OnEvent listener);
  void forget(std::uint64_t listener);

  // For the rest of this library. Calls that publish, subscribe or unsubscribe are made on the
  // executor and while connected(), or by the worker; calls that wait are made by the worker.
  natsConnection* handle() const { return handle_; }
  Worker& worker() { return worker_; }
  // As if the network had failed. Any thread.
  void drop() { loop_->drop(); }

 private:
  struct Callbacks;
  explicit Connection(boost::asio::any_io_executor executor, const Options& options);
  void report(ConnectionEvent event, std::string why);
  void watch_silence();
  void shut();

  boost::asio::any_io_executor executor_;
  const Duration ping_interval_;
  std::shared_ptr<EventLoop> loop_;
  std::unique_ptr<Callbacks> callbacks_;
  natsConnection* handle_ = nullptr;
  natsSubscription* ping_ = nullptr;  // hears what we publish to see whether the server lives
  std::string ping_inbox_;
  std::map<std::uint64_t, OnEvent> listeners_;
  std::uint64_t last_listener_ = 0;
  boost::asio::steady_timer silence_;
  unsigned unanswered_ = 0;
  std::atomic<std::uint64_t> connects_ = 0, disconnects_ = 0, failures_ = 0;
  std::atomic<bool> shut_ = false;
  Worker worker_;
};

}  // namespace bus
