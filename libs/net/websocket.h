#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "net/endpoint.h"
#include "net/tls.h"

namespace net {

// How long each stage of a connection may take, and how large what arrives may be.
struct WebSocketLimits : DialLimits {
  std::chrono::milliseconds upgrade{10'000};
  std::chrono::milliseconds close{3'000};  // waiting for the other side's close frame
  // A ping goes out after this long without hearing anything, and the link is given up (with
  // ping_timed_out) after as long again: a half-open link is found within twice the interval. Time
  // in which nobody reads does not count. 0: no pings, and a half-open link is never found.
  std::chrono::milliseconds ping_interval{15'000};
  std::size_t message_bytes_max = 4 << 20;  // message_too_big beyond it
};

// One WebSocket, either side of it, over TCP or TLS. Beast stays behind the pimpl, so that
// including this costs little. Belongs to one executor; no member may be called from elsewhere.
class WebSocket {
 public:
  // Resolve, connect, TLS, upgrade. The error tells which stage failed and how (resolve_failed,
  // connect_failed, tls_failed, certificate_…, upgrade_refused, link_lost during the upgrade,
  // timed_out, or operation_aborted if cancelled); `detail`, which has to live as long, gets a
  // sentence about it for operators. `tls` is needed if endpoint.tls.
  static boost::asio::awaitable<base::Result<WebSocket>> connect(Endpoint endpoint,
                                                                 WebSocketLimits limits,
                                                                 std::shared_ptr<TlsContext> tls,
                                                                 std::string* detail = nullptr);
  WebSocket(WebSocket&&) noexcept;
  WebSocket& operator=(WebSocket&&) noexcept;
  ~WebSocket();  // drops the TCP connection, if close() did not end it before

  // One reader and one writer at a time; close() may be called while a reader runs.

  // The next text (or binary) message. The view holds until the next read. Pings and close frames
  // are answered inside, so only while somebody reads. Errors: link_closed, link_lost, bad_frame,
  // ping_timed_out, message_too_big, or operation_aborted if cancelled; after any of them the
  // socket is of no more use.
  boost::asio::awaitable<base::Result<std::string_view>> read();
  // One text message, which has to stay as it is until this returns. Errors as for read().
  boost::asio::awaitable<base::Error> write(std::string_view text);
  // The close handshake, bounded by limits.close. A reader that still runs ends with link_closed.
  // At most 123 bytes of `reason` are sent.
  boost::asio::awaitable<void> close(std::uint16_t code = 1000, std::string reason = {});

  // The largest message from here on, instead of limits.message_bytes_max.
  void limit_messages(std::size_t bytes_max);

  // Whether the other side has closed its TCP connection, whatever it has said before and nobody
  // has read yet. For who waits without reading: a reader hears of it by itself.
  bool has_hung_up() const;

  // For logs: "203.0.113.7:9090".
  std::string peer() const;
  // For logs: what the other side's close frame said ("1001 restarting"); empty without one.
  std::string close_reason() const;

  // Faults, for the simulator.

  // A TCP reset, at once.
  void drop();
  // From here on this side neither reads nor answers, not even pings, while its TCP connection
  // stays open: what the other side sees when a firewall forgets a link. Reads never complete,
  // writes go nowhere.
  void go_silent();

  struct Impl;
  explicit WebSocket(std::shared_ptr<Impl> impl);

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace net
