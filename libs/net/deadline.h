#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.h"
#include "net/stream.h"

namespace net {

// Resets a connection whose current step takes too long. Belongs to the connection's executor.
class Deadline {
 public:
  Deadline(const boost::asio::any_io_executor& executor, Stream::Handle connection)
      : timer_(executor), connection_(std::move(connection)) {}

  void set(std::chrono::steady_clock::duration limit) {
    set(std::chrono::steady_clock::now() + limit);
  }
  void set(std::chrono::steady_clock::time_point when) {
    *passed_ = false;
    timer_.expires_at(when);
    timer_.async_wait([connection = connection_, passed = passed_](base::Error error) {
      if (error) return;
      *passed = true;
      connection.reset();
    });
  }
  void clear() { timer_.cancel(); }
  // Whether it was this that ended the connection.
  bool passed() const { return *passed_; }

 private:
  boost::asio::steady_timer timer_;
  Stream::Handle connection_;
  std::shared_ptr<bool> passed_ = std::make_shared<bool>(false);
};

}  // namespace net
