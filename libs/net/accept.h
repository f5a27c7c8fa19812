#pragma once

#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/result.h"
#include "net/stream.h"
#include "net/websocket.h"

namespace net {

// The server's side of an upgrade that HttpServer has read and wants to grant: answers 101 with
// these headers. Only for HttpServer; in websocket.cc, where Beast's WebSocket stream is compiled.
boost::asio::awaitable<base::Result<WebSocket>> accept(
    Stream stream, boost::beast::http::request<boost::beast::http::string_body>& request,
    std::vector<std::pair<std::string, std::string>> headers, WebSocketLimits limits);

}  // namespace net
