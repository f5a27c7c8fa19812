#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/websocket.h"
#include "simulator/engine/dialect.h"

namespace simulator {

// One client's socket and what is still to be written to it. The socket belongs to the executor
// that run() was spawned on; push(), drop() and go_silent() may be called from any thread, and
// after the end. A client that does not read loses its connection once `outbox_bytes_max` wait.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // May be called at any time on the connection's executor.
  using OnText = std::function<void(std::string_view)>;

  Connection(engine::ConnectionId id, net::WebSocket socket,
             const boost::asio::any_io_executor& executor, std::size_t outbox_bytes_max);

  engine::ConnectionId id() const { return id_; }

  // Until the connection ends, for whatever reason.
  boost::asio::awaitable<void> run(OnText on_text);

  void push(engine::Frame frame);
  // Ends without a close frame, once what was pushed before is written, or a second later.
  void drop();
  // With a close frame, once what was pushed before is written.
  void close(std::uint16_t code, std::string_view reason);
  void go_silent();

 private:
  boost::asio::awaitable<void> write_frames();
  void append(engine::Frame frame);

  const engine::ConnectionId id_;
  const std::size_t outbox_bytes_max_;
  boost::asio::any_io_executor executor_;
  net::WebSocket socket_;
  boost::asio::steady_timer more_;    // cancelled when there is something to write
  boost::asio::steady_timer linger_;  // until a drop does not wait any longer

  std::mutex mutex_;
  std::deque<engine::Frame> outbox_;  // null: drop
  std::size_t bytes_ = 0;             // of the outbox and of what is being written
  bool waiting_ = false;              // the writer is, for more_
  bool ended_ = false;                // nothing is taken any more
  std::uint16_t close_code_ = 0;      // of the end; 0: without a close frame
  std::string close_reason_;
};

}  // namespace simulator
