#pragma once

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "net/endpoint.h"
#include "net/stream.h"
#include "net/tls.h"

namespace net {

// Resolves, connects and shakes hands, up to the first byte of HTTP. `stream` is not open before,
// and of no use after an error. The errors are those of WebSocket::connect(); `why` gets a sentence
// about it, `peer` the address reached. The arguments have to live as long.
boost::asio::awaitable<base::Error> dial(Stream& stream, const Endpoint& endpoint,
                                         DialLimits limits, std::shared_ptr<TlsContext> tls,
                                         boost::asio::ip::tcp::endpoint& peer, std::string& why);

// For sentences: "203.0.113.7:443", "1500 ms".
std::string text_of(const boost::asio::ip::tcp::endpoint& endpoint);
std::string text_of(std::chrono::milliseconds limit);

}  // namespace net
