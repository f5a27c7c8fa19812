#pragma once

#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace control {

// Runs all of `tasks` at once on the caller's executor, which runs one handler at a time. Returns
// their results, in order, when the last one has ended.
template <class T>
boost::asio::awaitable<std::vector<T>> gather(std::vector<boost::asio::awaitable<T>> tasks) {
  namespace asio = boost::asio;
  struct State {
    explicit State(const asio::any_io_executor& executor) : ended(executor) {}
    std::vector<T> results;
    std::size_t running = 0;
    std::exception_ptr failure;
    asio::steady_timer ended;
  };
  const auto executor = co_await asio::this_coro::executor;
  auto state = std::make_shared<State>(executor);
  state->results.resize(tasks.size());
  state->running = tasks.size();
  state->ended.expires_at(asio::steady_timer::time_point::max());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    auto finish = [state, i](std::exception_ptr failure, T result) {
      state->results[i] = std::move(result);
      if (failure) state->failure = failure;
      if (--state->running == 0) state->ended.cancel();
    };
    asio::co_spawn(executor, std::move(tasks[i]), std::move(finish));
  }
  while (state->running > 0) {
    co_await state->ended.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (state->failure) std::rethrow_exception(state->failure);
  co_return std::move(state->results);
}

}  // namespace control
