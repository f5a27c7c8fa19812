#pragma once

#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "net/http_server.h"
#include "simulator/host.h"

namespace simulator {

// A WebSocket that a tenant has accepted, and what on_open() is to be told of it. (Not an
// aggregate: gcc 12 destroys those twice in co_await.)
struct Visit {
  Host* host;
  std::string target;

  Visit(Host& its_host, std::string its_target) : host(&its_host), target(std::move(its_target)) {}
};

engine::HttpRequest request_of(const net::HttpRequest& from);

// What the tenant says to a request, when and as it says it.
boost::asio::awaitable<net::HttpServer::Answer> ask(Host& host, engine::HttpRequest request);

}  // namespace simulator
