#include "net/websocket.h"

#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <poll.h>

#include "net/accept.h"
#include "net/dial.h"
#include "net/stream.h"

namespace net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
// What a socket keeps to read into. Larger messages get a larger buffer, for as long as they last.
constexpr std::size_t kBufferBytes = 2'048;
// A client masks what it writes in a buffer of its own; a longer message goes out in pieces.
constexpr std::size_t kWriteBufferBytes = 2'048;

using Headers = std::vector<std::pair<std::string, std::string>>;
}  // namespace

// Shared by the WebSocket and its operations under way, so that one may be destroyed while the
// others have yet to notice.
struct WebSocket::Impl : std::enable_shared_from_this<Impl> {
  Impl(Stream stream, const WebSocketLimits& its_limits)
      : ws(std::move(stream)), timer(ws.get_executor()), limits(its_limits) {
    ws.read_message_max(limits.message_bytes_max);
    ws.write_buffer_bytes(kWriteBufferBytes);
    ws.auto_fragment(false);
    ws.text(true);
    ws.control_callback([this](websocket::frame_type, boost::beast::string_view) { hear(); });
  }

  Stream& stream() { return ws.next_layer(); }

  // One timer for all that has to happen in time; arming it for the next purpose disarms the last.
  void arm(milliseconds limit, void (Impl::*late)()) {
    timer.expires_after(limit);
    timer.async_wait([weak = weak_from_this(), round = ++armed, late](base::Error error) {
      const auto self = weak.lock();
      if (error || !self || self->armed != round) return;
      ((*self).*late)();
    });
  }
  void disarm() {
    ++armed;
    timer.cancel();
  }
  void expire() {
    expired = true;
    stream().reset();
  }

  void hear() { heard_at = steady_clock::now(); }

  // Beast has keep-alive of its own, which sets a timer for every message, and which takes a link
  // for dead when it is we who do not read.
  void keep_alive() {
    hear();
    if (limits.ping_interval.count() > 0) arm(limits.ping_interval, &Impl::check_alive);
  }
  void check_alive() {
    const auto now = steady_clock::now();
    if (!reading) heard_at = now;
    if (pinged_at && heard_at <= *pinged_at) {
      // Called late, it was we who stood still, and the answer may be there, waiting to be read.
      if (now > *pinged_at + 3 * limits.ping_interval / 2) {
        pinged_at = now;
        arm(limits.ping_interval, &Impl::check_alive);
        return;
      }
      verdict = base::Errc::ping_timed_out;
      stream().reset();
      return;
    }
    pinged_at.reset();
    const auto due = heard_at + limits.ping_interval;
    if (now < due) {
      arm(std::chrono::ceil<milliseconds>(due - now), &Impl::check_alive);
      return;
    }
    pinged_at = now;
    if (ws.is_open() && !pinging) {
      pinging = true;
      ws.async_ping({}, [self = shared_from_this()](base::Error) { self->pinging = false; });
    }
    arm(limits.ping_interval, &Impl::check_alive);
  }

  void abandon() {
    disarm();
    stream().finish();
  }

  void start_message() {
    size = 0;
    if (capacity == kBufferBytes) return;
    capacity = kBufferBytes;
    buffer = std::make_unique_for_overwrite<char[]>(capacity);
  }
  void make_room() {
    if (size < capacity) return;
    auto larger = std::make_unique_for_overwrite<char[]>(2 * capacity);
    std::copy_n(buffer.get(), size, larger.get());
    buffer = std::move(larger);
    capacity *= 2;
  }

  // What an operation's failure means. The first one is remembered: whatever is tried afterwards
  // only fails because of it.
  base::Error judge(base::Error error, bool is_cancelled) {
    if (verdict) return *verdict;
    if (closing || error == websocket::error::closed) {
      verdict = base::Errc::link_closed;
    } else if (error == asio::error::operation_aborted && is_cancelled) {
      verdict = error;
    } else if (error == websocket::error::message_too_big) {
      verdict = base::Errc::message_too_big;
    } else if (error.category() == base::category()) {
      verdict = error;
    } else if (error.category() == make_error_code(websocket::error::closed).category()) {
      verdict = base::Errc::bad_frame;
    } else {
      verdict = base::Errc::link_lost;
    }
    return *verdict;
  }

  asio::awaitable<base::Error> upgrade(const Endpoint& endpoint, std::string& why);

  websocket::stream<Stream, false> ws;  // false: no permessage-deflate, and no zlib
  asio::steady_timer timer;
  const WebSocketLimits limits;
  tcp::endpoint peer;
  unsigned armed = 0;
  bool expired = false;

  std::unique_ptr<char[]> buffer;
  std::size_t size = 0, capacity = 0;

  bool reading = false, pinging = false, closing = false, silent = false;
  steady_clock::time_point heard_at;
  std::optional<steady_clock::time_point> pinged_at;  // and nothing heard since
  std::optional<base::Error> verdict;
};

asio::awaitable<base::Error> WebSocket::Impl::upgrade(const Endpoint& endpoint, std::string& why) {
  ws.set_option(websocket::stream_base::decorator([&endpoint](websocket::request_type& request) {
    for (const auto& [name, value] : endpoint.headers) request.set(name, value);
  }));
  websocket::response_type response;
  const auto host = endpoint.host_header();
  arm(limits.upgrade, &Impl::expire);
  const auto [error] = co_await ws.async_handshake(response, host, endpoint.target, kTuple);
  disarm();
  ws.set_option(websocket::stream_base::decorator([](websocket::request_type&) {}));

  // Queries may hold tokens.
  const auto what = "upgrade to WebSocket at " + endpoint.name() +
                    endpoint.target.substr(0, endpoint.target.find('?'));
  if (expired) {
    why = what + ": no answer within " + text_of(limits.upgrade);
    co_return base::Errc::timed_out;
  }
  if (!error || error == asio::error::operation_aborted) co_return error;
  if (error.category() == base::category()) {
    why = "TLS with " + endpoint.name() + ": " + stream().why();
    co_return error;
  }
  if (error == websocket::error::upgrade_declined) {
    why = what + " refused: HTTP " + std::to_string(response.result_int());
    if (const auto to = response[http::field::location]; !to.empty()) {
      why.append(" to ").append(to.data(), to.size());
    }
    co_return base::Errc::upgrade_refused;
  }
  why = what + ": " + error.message();
  const bool is_lost = error.category() == boost::system::system_category() ||
                       error == asio::error::eof || error == http::error::end_of_stream ||
                       error == http::error::partial_message;
  co_return is_lost ? base::Errc::link_lost : base::Errc::upgrade_refused;
}

asio::awaitable<base::Result<WebSocket>> WebSocket::connect(Endpoint endpoint,
                                                            WebSocketLimits limits,
                                                            std::shared_ptr<TlsContext> tls,
                                                            std::string* detail) {
  const auto executor = co_await asio::this_coro::executor;
  WebSocket opened(std::make_shared<Impl>(Stream(tcp::socket(executor)), limits));
  Impl& impl = *opened.impl_;
  std::string why;
  auto dialling = dial(impl.stream(), endpoint, limits, std::move(tls), impl.peer, why);
  base::Error error = co_await std::move(dialling);
  if (!error) error = co_await impl.upgrade(endpoint, why);
  if (error) {
    if (detail) *detail = std::move(why);
    co_return error;
  }
  opened.impl_->keep_alive();
  co_return opened;
}

asio::awaitable<base::Result<WebSocket>> accept(Stream stream,
                                                http::request<http::string_body>& request,
                                                Headers headers, WebSocketLimits limits) {
  const auto impl = std::make_shared<WebSocket::Impl>(std::move(stream), limits);
  base::Error ignored;
  impl->peer = impl->stream().socket().remote_endpoint(ignored);
  WebSocket accepted(impl);
  impl->ws.set_option(
      websocket::stream_base::decorator([&headers](websocket::response_type& response) {
        for (const auto& [name, value] : headers) response.insert(name, value);
      }));
  impl->arm(limits.upgrade, &WebSocket::Impl::expire);
  const auto [error] = co_await impl->ws.async_accept(request, kTuple);
  impl->disarm();
  impl->ws.set_option(websocket::stream_base::decorator([](websocket::response_type&) {}));
  if (error) co_return error;
  impl->keep_alive();
  co_return accepted;
}

WebSocket::WebSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebSocket::WebSocket(WebSocket&&) noexcept = default;
WebSocket& WebSocket::operator=(WebSocket&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}
WebSocket::~WebSocket() {
  if (impl_) impl_->abandon();
}

asio::awaitable<base::Result<std::string_view>> WebSocket::read() {
  const auto impl = impl_;  // `this` may be gone once the read ends
  impl->start_message();
  do {
    impl->make_room();
    impl->reading = true;
    const auto [error, size] = co_await impl->ws.async_read_some(
        asio::buffer(impl->buffer.get() + impl->size, impl->capacity - impl->size), kTuple);
    impl->reading = false;
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    const bool is_cancelled = cancellation.cancelled() != asio::cancellation_type::none;
    if (impl->silent && !is_cancelled) {
      impl->timer.expires_at(steady_clock::time_point::max());
      co_await impl->timer.async_wait(kTuple);
      co_return asio::error::operation_aborted;
    }
    if (error) co_return impl->judge(error, is_cancelled);
    impl->hear();
    impl->size += size;
  } while (!impl->ws.is_message_done());
  co_return std::string_view(impl->buffer.get(), impl->size);
}

asio::awaitable<base::Error> WebSocket::write(std::string_view text) {
  const auto impl = impl_;
  if (impl->silent) co_return base::Error{};
  if (impl->closing) co_return base::Errc::link_closed;
  const auto [error, size] = co_await impl->ws.async_write(asio::buffer(text), kTuple);
  if (!error || impl->silent) co_return base::Error{};
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  co_return impl->judge(error, cancellation.cancelled() != asio::cancellation_type::none);
}

asio::awaitable<void> WebSocket::close(std::uint16_t code, std::string reason) {
  const auto impl = impl_;
  if (impl->closing || impl->silent || !impl->ws.is_open()) co_return;
  impl->closing = true;
  impl->arm(impl->limits.close, &Impl::expire);
  constexpr std::size_t kReasonMax = 123;
  websocket::close_reason why(static_cast<websocket::close_code>(code));
  reason.resize(std::min(reason.size(), kReasonMax));
  why.reason.assign(reason.data(), reason.size());
  co_await impl->ws.async_close(why, kTuple);
  impl->disarm();
  impl->stream().finish();
}

void WebSocket::limit_messages(std::size_t bytes_max) { impl_->ws.read_message_max(bytes_max); }

bool WebSocket::has_hung_up() const {
  auto& socket = impl_->stream().socket();
  if (!socket.is_open()) return true;
  pollfd it{socket.native_handle(), POLLRDHUP, 0};
  return ::poll(&it, 1, 0) > 0;
}

std::string WebSocket::peer() const { return text_of(impl_->peer); }

std::string WebSocket::close_reason() const {
  const auto& reason = impl_->ws.reason();
  if (reason.code == websocket::close_code::none) return "";
  std::string text = std::to_string(reason.code);
  if (!reason.reason.empty()) text.append(" ").append(reason.reason.data(), reason.reason.size());
  return text;
}

void WebSocket::drop() {
  impl_->disarm();
  impl_->stream().reset();
}

void WebSocket::go_silent() {
  impl_->disarm();
  impl_->silent = true;
  impl_->stream().go_silent();
}

}  // namespace net
