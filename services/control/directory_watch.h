#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bus/kv.h"
#include "bus/requests.h"
#include "control/directory.h"

namespace control {

// Keeps a Directory up to date from the buckets of tenants and leases, for ever: a bucket that does
// not exist yet, or a NATS that is away, is tried again. One for the process, on the connection's
// executor.
class DirectoryWatch {
 public:
  DirectoryWatch(std::shared_ptr<bus::Connection> connection,
                 std::shared_ptr<bus::Requests> requests, Directory& directory);
  ~DirectoryWatch();  // once stopped, or never started
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  void start();
  // The directory stays as it is. Takes a turn or two of the executor, until which this has to
  // live.
  void stop();

 private:
  // One bucket, and what the coroutine that follows it waits on.
  struct Followed {
    bus::KvBucket bucket;
    boost::asio::steady_timer wake;
  };

  boost::asio::awaitable<void> follow_tenants();
  boost::asio::awaitable<void> follow_leases();
  boost::asio::awaitable<base::Error> show(Followed& what, bus::KvBucket::WatchHandlers handlers);
  boost::asio::awaitable<void> pause(Followed& what);

  std::shared_ptr<bus::Connection> connection_;
  Directory& directory_;
  Followed tenants_, leases_;
  std::uint64_t listener_ = 0;
  bool stopped_ = false;
};

}  // namespace control
