#include "simulator/connection.h"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace simulator {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kLinger = 1s;

}  // namespace

Connection::Connection(engine::ConnectionId id, net::WebSocket socket,
                       const asio::any_io_executor& executor, std::size_t outbox_bytes_max)
    : id_(id),
      outbox_bytes_max_(outbox_bytes_max),
      executor_(executor),
      socket_(std::move(socket)),
      more_(executor),
      linger_(executor) {}

asio::awaitable<void> Connection::run(OnText on_text) {
  auto writer = [self = shared_from_this()]() -> asio::awaitable<void> {
    co_await self->write_frames();
  };
  asio::co_spawn(executor_, writer, asio::detached);
  for (;;) {
    auto text = co_await socket_.read();
    if (!text) break;
    on_text(*text);
  }
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    outbox_.clear();
  }
  linger_.cancel();
  socket_.drop();  // a write that hangs ends as well
  more_.cancel();
}

asio::awaitable<void> Connection::write_frames() {
  std::deque<engine::Frame> batch;
  more_.expires_at(asio::steady_timer::time_point::max());
  for (;;) {
    {
      const std::scoped_lock lock(mutex_);
      if (ended_ && outbox_.empty()) co_return;
      batch.swap(outbox_);
      waiting_ = batch.empty();
    }
    if (batch.empty()) co_await more_.async_wait(kTuple);
    while (!batch.empty()) {
      const engine::Frame frame = std::move(batch.front());
      batch.pop_front();
      if (!frame) {
        if (close_code_ == 0) {
          socket_.drop();
        } else {
          const std::uint16_t code = close_code_ == engine::kNoStatus ? 0 : close_code_;
          co_await socket_.close(code, close_reason_);
        }
        co_return;
      }
      const base::Error error = co_await socket_.write(*frame);
      if (error) {
        socket_.drop();  // so that the reader ends as well
        co_return;
      }
      const std::scoped_lock lock(mutex_);
      bytes_ -= frame->size();
    }
  }
}

void Connection::append(engine::Frame frame) {
  bool notify = false;
  bool too_slow = false;
  {
    const std::scoped_lock lock(mutex_);
    if (ended_) return;
    if (frame) {
      bytes_ += frame->size();
      too_slow = bytes_ > outbox_bytes_max_ && bytes_ > frame->size();  // one always fits
    } else {
      ended_ = true;
    }
    if (too_slow) {
      ended_ = true;
      close_code_ = 0;
      outbox_.clear();
      outbox_.push_back(nullptr);
    } else {
      outbox_.push_back(std::move(frame));
    }
    notify = std::exchange(waiting_, false);
  }
  if (too_slow) {
    asio::post(executor_, [self = shared_from_this()] { self->socket_.drop(); });
  } else if (notify) {
    asio::post(executor_, [self = shared_from_this()] { self->more_.cancel(); });
  }
}

void Connection::push(engine::Frame frame) {
  if (frame) append(std::move(frame));
}

void Connection::close(std::uint16_t code, std::string_view reason) {
  {
    const std::scoped_lock lock(mutex_);
    if (ended_) return;
    close_code_ = code;
    close_reason_ = reason;
  }
  append(nullptr);
}

void Connection::drop() {
  append(nullptr);
  asio::post(executor_, [self = shared_from_this()] {
    self->linger_.expires_after(kLinger);
    self->linger_.async_wait([self](const boost::system::error_code& cancelled) {
      if (!cancelled) self->socket_.drop();
    });
  });
}

void Connection::go_silent() {
  asio::post(executor_, [self = shared_from_this()] { self->socket_.go_silent(); });
}

}  // namespace simulator
