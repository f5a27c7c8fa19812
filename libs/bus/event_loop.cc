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
  const int duplicate = ::dup(socket);
  if (duplicate < 0) return NATS_SYS_ERROR;
  polling_ = true;
  asio::post(executor_, [self = shared_from_this(), connection, duplicate] {
    const std::lock_guard lock(self->mutex_);
    if (self->stopped_) {
      ::close(duplicate);
      return;
    }
    self->connection_ = connection;
    self->descriptor_.emplace(self->executor_, duplicate);
    self->wait_read();
  });
  return NATS_OK;
}

natsStatus EventLoop::want_read(bool wanted) {
  // cnats asks for reading by attach() alone.
  if (!wanted) broken();
  return NATS_OK;
}

void EventLoop::broken() {
  polling_ = false;
  auto mine = id_;
  up_->compare_exchange_strong(mine, 0);
}

natsStatus EventLoop::want_write(bool wanted) {
  const bool was = writing_.exchange(wanted);
  // Posted after attach() has posted, so there is a descriptor by the time this has its turn.
  if (wanted && !was) asio::post(executor_, [self = shared_from_this()] { self->flush(); });
  return NATS_OK;
}

void EventLoop::wait_read() {
  descriptor_->async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](auto error) {
                            if (!error) self->on_readable();
                          });
}

void EventLoop::on_readable() {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || !polling_) return;
    heard_ = true;
    natsConnection_ProcessReadEvent(connection_);
    polling_ ? wait_read() : descriptor_.reset();
  }
  after_read_();
}

void EventLoop::flush() {
  const std::lock_guard lock(mutex_);
  if (stopped_ || !polling_ || !writing_) return;
  natsConnection_ProcessWriteEvent(connection_);
  if (!polling_) {
    descriptor_.reset();
  } else if (writing_) {  // the peer reads slowly
    descriptor_->async_wait(asio::posix::stream_descriptor::wait_write,
                            [self = shared_from_this()](auto error) {
                              if (!error) self->flush();
                            });
  }
}

void EventLoop::drop() {
  const std::lock_guard lock(mutex_);
  if (descriptor_) ::shutdown(descriptor_->native_handle(), SHUT_RDWR);
}

void EventLoop::stop() {
  const std::lock_guard lock(mutex_);
  // What the socket takes at once; otherwise cnats would wait half a second for us to write it.
  if (polling_ && writing_ && connection_) natsConnection_ProcessWriteEvent(connection_);
  stopped_ = true;
  broken();
  descriptor_.reset();
  connection_ = nullptr;
}

}  // namespace bus
