#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>

#include "base/result.h"
#include "net/tls.h"

namespace net {

class TlsSession;

// A TCP connection, with or without TLS on it: the byte stream below Beast. asio::ssl::stream keeps
// 34 KB of buffers and two BIOs per connection; here OpenSSL reads and writes the socket itself and
// gives its buffers back whenever it has nothing in them, so an idle link costs a third of that.
//
// Lives as long as one connection; destroying it closes the socket, and whatever still waits ends
// with operation_aborted. Belongs to the socket's executor. One read and one write at a time.
class Stream {
  class Core;

 public:
  using executor_type = boost::asio::any_io_executor;

  explicit Stream(boost::asio::ip::tcp::socket socket);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  executor_type get_executor() const;
  boost::asio::ip::tcp::socket& socket();
  // Belongs to `executor` from here on, with whatever state TLS is in. Once at most, and while
  // nothing is under way. If the system refuses, the stream is closed, and the next operation
  // tells.
  void move_to(const boost::asio::any_io_executor& executor);

  // From here on everything goes through TLS, async_handshake() first. Host and port as TlsSession
  // takes them.
  void start_tls(std::shared_ptr<TlsContext> context, const std::string& host,
                 const std::string& port);
  bool has_tls() const;
  // After a failure of TLS, a sentence about it; otherwise empty.
  std::string why() const;

  // Errors: base::Errc of the TLS group, eof, or what the socket said.
  template <class Token>
  auto async_handshake(Token&& token) {
    return boost::asio::async_compose<Token, void(base::Error)>(Handshake{core_}, token, socket());
  }
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(base::Error, std::size_t)>(Start<Read>{this},
                                                                              token, buffers);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(base::Error, std::size_t)>(Start<Write>{this},
                                                                              token, buffers);
  }

  // Says goodbye (close_notify, FIN) as far as that is possible without waiting, and closes.
  void finish();
  // A reset instead: the other side's next operation fails.
  void reset();
  // Keeps the connection open, as far as the other side can see, and never touches it again.
  void go_silent();

  // What a server holds on to, to reset() the connection wherever the Stream was moved, be it to
  // another executor.
  class Handle {
   public:
    void reset() const;
    boost::asio::any_io_executor executor() const { return executor_; }

   private:
    friend class Stream;
    std::weak_ptr<Core> core_;
    boost::asio::any_io_executor executor_;
  };
  Handle handle() const;

 private:
  // How far one step of OpenSSL got.
  enum class Next { done, wait_read, wait_write };
  struct Step {
    Next next = Next::done;
    base::Error error{};
    std::size_t size = 0;
  };

  static boost::asio::ip::tcp::socket& socket_of(Core& core);
  static Step handshake(Core& core);
  static Step read(Core& core, boost::asio::mutable_buffer buffer);
  static Step write(Core& core, boost::asio::const_buffer buffer);

  // Waits for the socket, or completes; never within the initiating function.
  template <class Self>
  static void go_on(const std::shared_ptr<Core>& core, Next next, Self& self) {
    auto& socket = socket_of(*core);
    if (next == Next::done) {
      auto executor = socket.get_executor();
      boost::asio::post(executor, std::move(self));
    } else {
      const auto what = next == Next::wait_read ? socket.wait_read : socket.wait_write;
      socket.async_wait(what, std::move(self));
    }
  }

  // The first call tries at once, the later ones after a wait; what succeeds at once is completed
  // by a post, so that a busy peer cannot keep us from everybody else.
  struct Handshake {
    std::shared_ptr<Core> core;
    Step step{};
    bool is_first = true;

    template <class Self>
    void operator()(Self& self, base::Error error = {}) {
      if (!is_first && step.next == Next::done) return self.complete(step.error);
      if (error) return self.complete(error);
      step = handshake(*core);
      if (!is_first && step.next == Next::done) return self.complete(step.error);
      is_first = false;
      const auto kept = core;
      go_on(kept, step.next, self);
    }
  };

  // Sequences are cut to one record: Beast writes a frame's header and payload as two buffers,
  // which should not become two records.
  struct Read {
    template <class Buffers>
    static Step perform(Core& core, const Buffers& buffers) {
      for (auto it = boost::asio::buffer_sequence_begin(buffers);
           it != boost::asio::buffer_sequence_end(buffers); ++it) {
        const boost::asio::mutable_buffer buffer(*it);
        if (buffer.size() > 0) return read(core, buffer);
      }
      return {};
    }
    template <class Socket, class Buffers, class Handler>
    static void plain(Socket& socket, const Buffers& buffers, Handler&& handler) {
      socket.async_read_some(buffers, std::forward<Handler>(handler));
    }
  };
  struct Write {
    static constexpr std::size_t kRecordMax = 16'384;
    template <class Buffers>
    static Step perform(Core& core, const Buffers& buffers) {
      char record[kRecordMax];
      const auto size = boost::asio::buffer_copy(boost::asio::buffer(record), buffers);
      return size == 0 ? Step{} : write(core, boost::asio::const_buffer(record, size));
    }
    template <class Socket, class Buffers, class Handler>
    static void plain(Socket& socket, const Buffers& buffers, Handler&& handler) {
      socket.async_write_some(buffers, std::forward<Handler>(handler));
    }
  };

  template <class Direction, class Buffers>
  struct Transfer {
    std::shared_ptr<Core> core;
    Buffers buffers;
    Step step{};
    bool is_first = true;

    template <class Self>
    void operator()(Self& self, base::Error error = {}) {
      if (!is_first && step.next == Next::done) return self.complete(step.error, step.size);
      if (error) return self.complete(error, 0);
      // After a close the buffers may be gone, even if the wait still succeeded.
      if (!socket_of(*core).is_open()) {
        step = {Next::done, boost::asio::error::operation_aborted, 0};
      } else {
        step = Direction::perform(*core, buffers);
      }
      if (!is_first && step.next == Next::done) return self.complete(step.error, step.size);
      is_first = false;
      const auto kept = core;
      go_on(kept, step.next, self);
    }
  };

  template <class Direction>
  struct Start {
    Stream* stream;

    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const {
      if (!stream->has_tls()) {
        Direction::plain(stream->socket(), buffers, std::forward<Handler>(handler));
        return;
      }
      boost::asio::async_compose<std::decay_t<Handler>, void(base::Error, std::size_t)>(
          Transfer<Direction, Buffers>{stream->core_, buffers}, handler, stream->socket());
    }
  };

  std::shared_ptr<Core> core_;
};

// How Beast ends a connection: never waiting for the other side, which may never close.
void teardown(boost::beast::role_type role, Stream& stream, base::Error& error);
void beast_close_socket(Stream& stream);
template <class Handler>
void async_teardown(boost::beast::role_type, Stream& stream, Handler&& handler) {
  stream.finish();
  boost::asio::post(stream.get_executor(), boost::beast::bind_front_handler(
                                               std::forward<Handler>(handler), base::Error{}));
}

}  // namespace net
