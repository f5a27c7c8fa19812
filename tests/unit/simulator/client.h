#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "net/websocket.h"
#include "support.h"

namespace simulator {

// A WebSocket client that blocks.
class Client {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit Client(std::uint16_t port, std::string path, std::shared_ptr<net::TlsContext> tls = {},
                  Headers headers = {}) {
    net::Endpoint endpoint;
    endpoint.host = tls ? "localhost" : "127.0.0.1";
    endpoint.port = std::to_string(port);
    endpoint.target = std::move(path);
    endpoint.tls = tls != nullptr;
    endpoint.headers = std::move(headers);
    net::WebSocketLimits limits;
    limits.ping_interval = 200ms;
    limits.message_bytes_max = 64 << 20;
    auto connect = [&]() -> boost::asio::awaitable<void> {
      auto pending = net::WebSocket::connect(endpoint, limits, tls);
      auto opened = co_await std::move(pending);
      if (opened) {
        socket_.emplace(std::move(*opened));
      } else {
        error_ = opened.error();
      }
    };
    run(connect);
  }

  bool connected() const { return socket_.has_value(); }
  base::Error error() const { return error_; }

  // The next message; empty at the end, and then error() says which.
  std::string read() {
    std::string text;
    auto next = [&]() -> boost::asio::awaitable<void> {
      auto got = co_await socket_->read();
      if (got) {
        text = std::string(*got);
      } else {
        error_ = got.error();
      }
    };
    run(next);
    return text;
  }
  void write(std::string text) {
    auto say = [&]() -> boost::asio::awaitable<void> { error_ = co_await socket_->write(text); };
    run(say);
  }
  std::string log_in(const std::string& user, const std::string& password) {
    write(R"({"type":"auth-plain","user":")" + user + R"(","passwd":")" + password + "\"}");
    return read();
  }
  // What the other side's close frame said.
  std::string close_reason() const { return socket_ ? socket_->close_reason() : ""; }
  std::string brief() { return Scene::brief(read()); }

 private:
  template <class Task>
  void run(Task& task) {
    bool done = false;
    boost::asio::co_spawn(io_, task, [&](const std::exception_ptr& thrown) {
      done = true;
      if (thrown) std::rethrow_exception(thrown);
    });
    io_.restart();
    while (!done) io_.run_one();
  }

  boost::asio::io_context io_{1};
  std::optional<net::WebSocket> socket_;
  base::Error error_;
};

}  // namespace simulator
