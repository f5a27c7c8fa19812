#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.h"
#include "bus/handles.h"
#include "bus/worker.h"

namespace bus {

class Link;
struct Identity;

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

// How to trust NATS servers, and who we are to them. Files are PEM.
struct Tls {
  std::string ca_file;           // empty: the system's trust store
  std::string certificate_file;  // ours, with key_file, if the servers verify clients
  std::string key_file;
  bool verify = true;  // false only for tests: anybody could be the server then
};

// Of several ways to log in, use one. Every file is read anew for each attempt to connect, and
// looked at while connected: see Connection.
struct Options {
  std::vector<std::string> urls{"nats://127.0.0.1:4222"};
  std::string name = "pbxgw";  // what `nats server report connections` shows
  std::optional<Tls> tls;
  std::string creds_file;  // a user's JWT and seed, as nsc writes them
  std::string nkey_seed_file;
  std::string nkey_public;  // of the seed; empty: whichever it is. Given, it cannot be rotated
  std::string user, password, token;
  std::string password_file, token_file;  // instead of `password` and `token`
  // What every subject for replies to this connection begins with, so that a server can let it
  // receive these and nobody else's.
  std::string inbox_prefix = "_INBOX";
  Duration connect_timeout{2'000};
  // A server that was silent for so long is asked for a sign of life; after twice as long the
  // connection is given up and made anew.
  Duration ping_interval{5'000};
  Duration reconnect_wait{250}, reconnect_jitter{250};
  Duration files_interval{2'000};  // how often it is looked whether a file has changed
};

enum class ConnectionEvent {
  connected,      // for the first time, or again; detail: the URL
  disconnected,   // and connecting again, for ever
  renewed,        // another connection has taken the place of the last: the files' content is new
  lame_duck,      // the server will shut down, and close the connection in its own time
  failed,         // detail: an attempt to connect, new files that cannot be used, …
  not_permitted,  // detail: what the server does not let us publish or subscribe to
  closed,         // by close()
};

struct ConnectionStatistics {
  std::uint64_t connects = 0;  // the first one included
  std::uint64_t disconnects = 0;
  std::uint64_t failures = 0;  // events of the kind `failed`
  std::uint64_t refusals = 0;  // of our login, by a server: attempts, and connections it has ended
  std::uint64_t violations = 0;        // events of the kind `not_permitted`
  std::uint64_t renewals = 0;          // events of the kind `renewed`
  std::uint64_t renewal_failures = 0;  // attempts to use new files that failed
};

// 22 letters and digits that nobody else has.
std::string new_unique();

// A connection to NATS that is kept up for ever, driven by the one executor it belongs to: all its
// sockets are read and written there, and everything else of this library that uses it reports
// there. So the executor must run one handler at a time (an io_context with one thread, or a
// strand), and its context must outlive the connection.
//
// Secrets and certificates may change while it lives (Options: the files). New ones that a server
// takes replace the connection by another at once (`renewed`); until one does, the old connection
// goes on, and it is tried again. A server that ends the connection because of what it believes is
// asked with the files' content of that time, or else with what was right before, for ever:
// whichever side is changed first, the other may follow.
//
// Held by shared_ptr by what uses it. Destroyed without close(), it drops what is not written yet,
// and waits for what its worker is doing; do that after the io_context has stopped.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `why` tells what the error was about, to an operator.
  using OnEvent = std::function<void(ConnectionEvent event, const std::string& why)>;

  // Waits for the first attempt to connect, up to connect_timeout for each URL, so it is for
  // start-up. If no server answers, `why` tells so, and the connection goes on trying. Fails only
  // with options or files that cannot be used (invalid_argument) and with credentials that are
  // refused at once (permission_denied). Once it is connected its executor has to run for
  // connected() to say so.
  static base::Result<std::shared_ptr<Connection>> open(boost::asio::any_io_executor executor,
                                                        const Options& options, std::string& why);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const boost::asio::any_io_executor& executor() const { return executor_; }

  // Any thread. Exact on the executor, on which a broken connection is found to be broken.
  bool connected() const { return *up_ != 0; }
  // Any thread.
  ConnectionStatistics statistics() const;
  // What we show to servers that ask who we are, in PEM: of the connection there is, or else of the
  // last one. Empty: nothing. Any thread.
  std::string certificate() const;

  // Waits until the server has all that was published, but not beyond `deadline`; then closes.
  // Nothing that uses the connection will hear from it again, apart from the event `closed`. Await
  // it on any executor while this connection's own runs.
  boost::asio::awaitable<void> close(Duration deadline);

  // Events are reported to all listeners, on the executor. Call both functions there, or before it
  // runs.
  std::uint64_t listen(OnEvent listener);
  void forget(std::uint64_t listener);

  // A subject that nobody else uses, for replies: the prefix, "." and 22 characters. Any thread.
  std::string new_inbox() const;

  // For the rest of this library.

  // What is connected right now, or null. Any thread.
  std::shared_ptr<Link> link() const;
  // The same on the executor while connected(), where it cannot go away.
  natsConnection* handle() const { return handle_; }
  Worker& worker() { return worker_; }
  // Calls `restore` with every new link, on the executor, before anybody learns of it. Any thread;
  // not called any more once drop_restorer() has returned, unless it is being called.
  using Restore = std::function<void(Link&)>;
  std::uint64_t add_restorer(Restore restore);
  void drop_restorer(std::uint64_t id);
  // Calls `poll` on the executor each time something was received. Both there, or before it runs.
  using Poll = std::function<void()>;
  std::uint64_t add_poller(Poll poll);
  void drop_poller(std::uint64_t id);
  // As if the network had failed. Any thread.
  void drop();

 private:
  using IdentityPointer = std::shared_ptr<const Identity>;
  struct Attempt {
    std::shared_ptr<Link> link;  // null if it failed
    IdentityPointer identity;
    natsStatus status = NATS_OK;
    std::string why;
  };

  Connection(boost::asio::any_io_executor executor, const Options& options);
  Attempt attempt(IdentityPointer identity);
  Attempt attempt_any();
  void try_again();
  void on_attempt(const Attempt& attempt);
  void adopt(const Attempt& attempt);
  void watch_files();
  void look_at_files();
  void on_renewal(const Attempt& attempt);
  void on_link_event(std::uint64_t link, ConnectionEvent event, const std::string& why);
  void report(ConnectionEvent event, const std::string& why);
  void watch_silence();
  void poll();

  const boost::asio::any_io_executor executor_;
  const Options options_;
  // The id of the link that is connected, or 0.
  const std::shared_ptr<std::atomic<std::uint64_t>> up_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  std::atomic<bool> closing_ = false;
  std::atomic<std::uint64_t> connects_ = 0, disconnects_ = 0, failures_ = 0, refusals_ = 0,
                             violations_ = 0, renewals_ = 0, renewal_failures_ = 0;

  mutable std::mutex mutex_;  // for the next four
  std::shared_ptr<Link> link_;
  IdentityPointer identity_;  // the last that was accepted, or the first
  std::map<std::uint64_t, std::shared_ptr<const Restore>> restorers_;
  std::uint64_t last_restorer_ = 0;

  // On the executor.
  natsConnection* handle_ = nullptr;
  std::map<std::uint64_t, OnEvent> listeners_;
  std::uint64_t last_listener_ = 0;
  std::vector<std::pair<std::uint64_t, std::shared_ptr<const Poll>>> pollers_;  // null: dropped
  std::uint64_t last_poller_ = 0;
  boost::asio::steady_timer silence_, retry_, files_;
  unsigned unanswered_ = 0;
  unsigned refused_ = 0;        // attempts one after the other
  unsigned renewal_waits_ = 0;  // after new files that did not work, one after the other
  std::string renewal_told_;    // why, the last time
  bool renewing_ = false;

  std::uint64_t links_ = 0;  // counts them, for the worker
  Worker worker_;
};

}  // namespace bus
