#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "bus/connection.h"
#include "bus/requests.h"
#include "support/nats_server.h"
#include "support/patience.h"

namespace bus {

// A real nats-server, and one executor, which the test's own thread runs while it waits for
// something.
struct BusFixture : testing::Test {
  explicit BusFixture(support::NatsServer::Options options = {}) : server(std::move(options)) {}

  // `io` before whatever lives on it.
  boost::asio::io_context io{1};
  support::NatsServer server;

  Options options_for(const std::string& url) const {
    Options options;
    options.urls = {url};
    options.name = "bus_test";
    options.reconnect_wait = Duration(20);
    options.reconnect_jitter = Duration(10);
    return options;
  }

  // A connection that may not be connected yet.
  std::shared_ptr<Connection> open(const Options& options) {
    std::string why;
    auto opened = Connection::open(io.get_executor(), options, why);
    EXPECT_TRUE(opened) << why;
    return opened ? std::move(*opened) : nullptr;
  }
  std::shared_ptr<Connection> connect(const Options& options) {
    auto connection = open(options);
    EXPECT_TRUE(run_until([&] { return connection->connected(); }));
    return connection;
  }
  std::shared_ptr<Connection> connect() { return connect(options_for(server.url())); }

  // Runs the executor until `done()`: false if it was not within the deadline.
  template <class Done>
  bool run_until(Done done) {
    return run_until(io, std::move(done));
  }
  template <class Done>
  static bool run_until(boost::asio::io_context& which, Done done) {
    const auto end = std::chrono::steady_clock::now() + support::kPatience;
    while (!done()) {
      if (std::chrono::steady_clock::now() >= end) return false;
      which.restart();
      which.run_one_for(std::chrono::milliseconds(50));
    }
    return true;
  }

  // Runs the executor until the coroutine has ended.
  template <class T>
  T await(boost::asio::awaitable<T> pending) {
    std::optional<T> result;
    boost::asio::co_spawn(io, std::move(pending), [&](std::exception_ptr thrown, T value) {
      EXPECT_EQ(thrown, nullptr);
      result.emplace(std::move(value));
    });
    if (!run_until([&] { return result.has_value(); })) {
      throw std::runtime_error("the coroutine has not ended in time");
    }
    return std::move(*result);
  }
  void await(boost::asio::awaitable<void> pending) {
    bool ended = false;
    boost::asio::co_spawn(io, std::move(pending), [&](std::exception_ptr) { ended = true; });
    EXPECT_TRUE(run_until([&] { return ended; }));
  }
};

}  // namespace bus
