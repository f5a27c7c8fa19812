#include "simulator/host.h"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/dispatch.hpp>

namespace simulator {

namespace asio = boost::asio;

Host::Host(TenantSettings settings, const asio::any_io_executor& executor, engine::TimePoint start)
    : name_(settings.name),
      executor_(executor),
      timer_(executor),
      last_(start),
      stage_(std::move(settings), *this, start) {}

engine::TimePoint Host::advance() {
  last_ = std::max(last_, std::chrono::steady_clock::now());
  stage_.advance(last_);
  return last_;
}

void Host::arm() {
  const auto due = stage_.deadline();
  if (due == armed_) return;
  armed_ = due;
  if (due == engine::TimePoint::max()) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(due);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    armed_ = engine::TimePoint::max();
    advance();
    arm();
  });
}

template <class Work>
void Host::soon(Work work) {
  asio::dispatch(executor_, [this, work = std::move(work)]() mutable {
    work(advance());
    arm();
  });
}

void Host::start() {
  soon([](engine::TimePoint) {});
}

void Host::open(std::shared_ptr<Connection> connection, std::function<void()> logged_in,
                std::string target, bool welcomed) {
  soon([this, connection = std::move(connection), logged_in = std::move(logged_in),
        target = std::move(target), welcomed](engine::TimePoint now) mutable {
    const auto id = connection->id();
    clients_[id] = {std::move(connection), std::move(logged_in)};
    stage_.dialect().on_open(id, target, welcomed, now);
  });
}

void Host::text(engine::ConnectionId connection, std::string_view text) {
  soon([this, connection, copy = std::string(text)](engine::TimePoint now) {
    stage_.dialect().on_text(connection, copy, now);
  });
}

void Host::closed(engine::ConnectionId connection) {
  soon([this, connection](engine::TimePoint now) {
    stage_.dialect().on_closed_at(connection, now);
    clients_.erase(connection);
  });
}

void Host::start_run(RunId id, std::shared_ptr<const scenario::Scenario> scenario) {
  soon([this, id, scenario = std::move(scenario)](engine::TimePoint now) {
    stage_.start_run(id, scenario, now);
  });
}

void Host::stop_run(RunId id) {
  soon([this, id](engine::TimePoint) { stage_.stop_run(id); });
}

void Host::send(engine::ConnectionId connection, const engine::Frame& frame) {
  const auto it = clients_.find(connection);
  if (it != clients_.end()) it->second.connection->push(frame);
}

void Host::logged_in(engine::ConnectionId connection) {
  const auto it = clients_.find(connection);
  if (it != clients_.end()) it->second.logged_in();
}

// The socket's end is reported by closed() all the same.
void Host::drop(engine::ConnectionId connection) {
  const auto it = clients_.find(connection);
  if (it != clients_.end()) it->second.connection->drop();
}

void Host::close(engine::ConnectionId connection, std::uint16_t code, std::string_view reason) {
  const auto it = clients_.find(connection);
  if (it != clients_.end()) it->second.connection->close(code, reason);
}

void Host::go_silent(engine::ConnectionId connection) {
  const auto it = clients_.find(connection);
  if (it != clients_.end()) it->second.connection->go_silent();
}

engine::ConnectionId Host::dial(std::string_view url) {
  return on_dial_ ? on_dial_(std::string(url)) : 0;
}

void Host::answer(std::uint64_t ticket, engine::HttpReply reply) {
  const auto it = promises_.find(ticket);
  if (it == promises_.end()) return;
  it->second->reply = std::move(reply);
  it->second->timer.cancel();
}

asio::awaitable<std::shared_ptr<engine::HttpAnswer>> Host::request(engine::HttpRequest asked,
                                                                   engine::Millis most) {
  auto task = [this, &asked, most]() -> asio::awaitable<std::shared_ptr<engine::HttpAnswer>> {
    const auto now = advance();
    const auto answer = std::make_shared<engine::HttpAnswer>(stage_.dialect().on_http(asked, now));
    std::shared_ptr<Promise> promise;
    if (answer->kind == engine::HttpAnswer::Kind::later) {
      promise = std::make_shared<Promise>(Promise{asio::steady_timer(executor_, most), {}});
      promises_[answer->ticket] = promise;
    }
    arm();
    if (promise) {
      co_await promise->timer.async_wait(asio::as_tuple(asio::use_awaitable));
      promises_.erase(answer->ticket);
      answer->kind = engine::HttpAnswer::Kind::never;
      if (promise->reply) {
        answer->kind = engine::HttpAnswer::Kind::reply;
        answer->reply = std::move(*promise->reply);
      }
    }
    co_return answer;
  };
  auto pending = asio::co_spawn(executor_, task, asio::use_awaitable);
  auto answer = co_await std::move(pending);
  co_return answer;
}

void Host::refuse(bool on) {
  if (on_refuse_) on_refuse_(on);
}

}  // namespace simulator
