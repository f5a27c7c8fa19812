#include "bus/event_loop.h"

#include <utility>

#include <boost/asio/post.hpp>
#include <sys/socket.h>
#include <unistd.h>

namespace bus {

namespace asio = boost::asio;

natsStatus EventLoop::bind(natsOptions* options) {
  return natsOptions_SetEventLoop(
      options, this,
      [](void** data, void* loop, natsConnection* connection, natsSock socket) {
        *data = loop;
        return static_cast<EventLoop*>(loop)->attach(connection, socket);
      },
      [](void* data, bool wanted) { return static_cast<EventLoop*>(data)->want_read(wanted); },
      [](void* data, bool wanted) { return static_cast<EventLoop*>(data)->want_write(wanted); },
      [](void* data) { return static_cast<EventLoop*>(data)->want_read(false); });
}

natsStatus EventLoop::attach(natsConnection* connection, natsSock socket) {
  if (stopped_) return NATS_CONNECTION_CLOSED;
  const int duplicate = ::dup(socket);
  if (duplicate < 0) return NATS_SYS_ERROR;
  writing_ = false;
  polling_ = true;
  asio::post(executor_, [self = shared_from_this(), connection, duplicate] {
    const std::lock_guard lock(self->mutex_);
    if (self->stopped_) {
      ::close(duplicate);
      return;
    }
    self->connection_ = connection;
    self->start(duplicate);
  });
  return NATS_OK;
}

natsStatus EventLoop::want_read(bool wanted) {
  // cnats asks for reading by attach() alone.
  if (!wanted) polling_ = false;
  return NATS_OK;
}

natsStatus EventLoop::want_write(bool wanted) {
  const bool was = writing_.exchange(wanted);
  if (wanted && !was && !stopped_) {
    asio::post(executor_, [self = shared_from_this()] { self->flush(); });
  }
  return NATS_OK;
}

void EventLoop::start(int socket) {
  ++sockets_;
  descriptor_.emplace(executor_, socket);
  wait_read();
}

void EventLoop::wait_read() {
  descriptor_->async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this(), socket = sockets_](auto error) {
                            if (!error && socket == self->sockets_) self->on_readable();
                          });
}

void EventLoop::on_readable() {
  const std::lock_guard lock(mutex_);
  if (stopped_ || !polling_) return;
  heard_ = true;
  natsConnection_ProcessReadEvent(connection_);
  if (polling_) {
    wait_read();
  } else {
    descriptor_.reset();  // cnats found it closed
  }
}

void EventLoop::flush() {
  const std::lock_guard lock(mutex_);
  // While attach() still waits for its turn, flush() does as well: it was posted later.
  if (stopped_ || !polling_ || !writing_ || !descriptor_) return;
  natsConnection_ProcessWriteEvent(connection_);
  if (!polling_) {
    descriptor_.reset();
  } else if (writing_) {  // the peer reads slowly
    descriptor_->async_wait(asio::posix::stream_descriptor::wait_write,
                            [self = shared_from_this(), socket = sockets_](auto error) {
                              if (!error && socket == self->sockets_) self->flush();
                            });
  }
}

void EventLoop::drop() {
  const std::lock_guard lock(mutex_);
  if (descriptor_ && descriptor_->is_open()) ::shutdown(descriptor_->native_handle(), SHUT_RDWR);
}

void EventLoop::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  polling_ = false;
  descriptor_.reset();
  connection_ = nullptr;
}

}  // namespace bus
