#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bus {

// Awaits a callback: calls `start(done)`, suspends, and resumes on the caller's own executor with
// what was given to `done(T)`, which has to be called exactly once, on any thread. `start` must be
// a named object, moved in: gcc 12 destroys a temporary lambda twice here.
template <class T>
boost::asio::awaitable<T> await_callback(std::function<void(std::function<void(T)> done)> start) {
  namespace asio = boost::asio;
  auto initiate = [&start]<class Handler>(Handler&& handler) {
    auto executor = asio::prefer(asio::get_associated_executor(handler),
                                 asio::execution::outstanding_work.tracked);
    auto shared = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler));
    start([executor = std::move(executor), shared = std::move(shared)](T value) {
      asio::post(executor,
                 [shared, value = std::move(value)]() mutable { (*shared)(std::move(value)); });
    });
  };
  auto pending =
      asio::async_initiate<const asio::use_awaitable_t<>&, void(T)>(initiate, asio::use_awaitable);
  co_return co_await std::move(pending);
}

}  // namespace bus
