#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "net/tls.h"

namespace net {

// Where to open a WebSocket, and what to say in the upgrade request.
struct Endpoint {
  std::string host, port, target = "/";
  bool tls = false;
  std::vector<std::pair<std::string, std::string>> headers;  // further ones: User-Agent, Cookie, …
};

// How long each stage of a connection may take, and how large what arrives may be.
struct WebSocketLimits {
  std::chrono::milliseconds resolve{5'000};
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds tls{10'000};
  std::chrono::milliseconds upgrade{10'000};
  std::chrono::milliseconds close{3'000};  // waiting for the other side's close frame
  // A ping goes out after this long without hearing anything, and the link is given up (with
  // ping_timed_out) after as long again: a half-open link is found within twice the interval.
  std::chrono::milliseconds ping_interval{15'000};
  std::size_t message_bytes_max = 4 << 20;  // message_too_big beyond it
};

// One WebSocket, either side of it, over TCP or TLS. Beast stays behind the pimpl, so that
// including this costs little. Belongs to one executor; no member may be called from elsewhere.
class WebSocket {
 public:
  // Resolve, connect, TLS, upgrade. The error tells which stage failed and why (resolve_failed,
  // connect_failed, certificate_…, upgrade_refused, timed_out, …); `stage` of the options' `report`
  // says where it was. `tls` is needed if endpoint.tls, and outlives the socket.
  static boost::asio::awaitable<base::Result<WebSocket>> connect(Endpoint endpoint,
                                                                 WebSocketLimits limits,
                                                                 std::shared_ptr<TlsContext> tls,
                                                                 std::string* detail = nullptr);
  WebSocket(WebSocket&&) noexcept;
  WebSocket& operator=(WebSocket&&) noexcept;
  ~WebSocket();  // drops the TCP connection, if close() did not end it before

  // One reader and one writer at a time; close() may be called while a reader runs.

  // The next text (or binary) message. The view holds until the next read. Pings and close frames
  // are answered inside. Errors: link_closed, link_lost, ping_timed_out, message_too_big, or a
  // system error if cancelled.
  boost::asio::awaitable<base::Result<std::string_view>> read();
  // True if another whole message is there already: for "handle all there is, then flush once".
  boost::asio::awaitable<base::Error> write(std::string_view text);
  // The close handshake, bounded by limits.close. A reader that still runs ends with link_closed.
  boost::asio::awaitable<void> close();

  // For logs: "203.0.113.7:9090".
  std::string peer() const;

  struct Impl;
  explicit WebSocket(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace net
