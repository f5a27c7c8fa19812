#include "simulator/door.h"

#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace simulator {

namespace asio = boost::asio;
using engine::HttpAnswer;
using net::HttpServer;

namespace {

// Clients that wait longer for an answer that never comes are cut off, so that they do not pile up.
constexpr std::chrono::minutes kSilenceMax{5};

asio::awaitable<void> pause(engine::Millis span) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, span);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

engine::HttpRequest request_of(const net::HttpRequest& from) {
  return {from.method, from.target, from.body, from.headers, from.upgrade};
}

asio::awaitable<HttpServer::Answer> ask(Host& host, engine::HttpRequest asked) {
  auto pending = host.request(std::move(asked), kSilenceMax);
  const std::shared_ptr<HttpAnswer> answer = co_await std::move(pending);
  HttpServer::Answer out = HttpServer::Drop{};
  switch (answer->kind) {
    case HttpAnswer::Kind::never: co_await pause(kSilenceMax); break;
    case HttpAnswer::Kind::drop: break;
    case HttpAnswer::Kind::later: break;  // request() has waited for it
    case HttpAnswer::Kind::accept:
    case HttpAnswer::Kind::reply:
      if (answer->after.count() > 0) co_await pause(answer->after);
      if (answer->kind == HttpAnswer::Kind::accept) {
        out = HttpServer::Accept{std::move(answer->reply.headers)};
      } else {
        net::HttpReply reply;
        reply.status = answer->reply.status;
        reply.body = std::move(answer->reply.body);
        reply.headers = std::move(answer->reply.headers);
        out = std::move(reply);
      }
      break;
  }
  co_return out;
}

}  // namespace simulator
