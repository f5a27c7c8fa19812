#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/result.h"
#include "bus/await.h"

namespace bus {

// One thread for calls into cnats that wait for the server. A job must not own anything whose
// destructor stops the worker: it would wait for itself.
class Worker {
 public:
  // Beyond `jobs_max` waiting jobs run() fails with too_many_requests.
  explicit Worker(std::size_t jobs_max = 10'000) : jobs_max_(jobs_max), pool_(1) {}
  ~Worker() { finish(); }

  // Waits until every job has run; close the connection first, and those that wait fail at once.
  // Takes no further ones. Not on the worker's own thread.
  void finish() { pool_.join(); }

  // Runs `job`, which returns a base::Result<T>; resumes on the caller's executor with what it
  // returned. Job has to be a named object, moved in.
  template <class Job>
  boost::asio::awaitable<std::invoke_result_t<Job&>> run(Job job) {
    using Returned = std::invoke_result_t<Job&>;
    std::function<void(std::function<void(Returned)>)> start = [this, &job](auto done) {
      submit(std::move(job), std::move(done));
    };
    auto pending = await_callback<Returned>(std::move(start));
    co_return co_await std::move(pending);
  }

  // The same without a coroutine. `done` is called on the worker's thread.
  template <class Job, class Done>
  void submit(Job job, Done done) {
    using Returned = std::invoke_result_t<Job&>;
    if (jobs_.fetch_add(1) >= jobs_max_) {
      --jobs_;
      done(Returned(base::Error(base::Errc::too_many_requests)));
      return;
    }
    boost::asio::post(pool_, [this, job = std::move(job), done = std::move(done)]() mutable {
      auto result = job();
      --jobs_;
      done(std::move(result));
    });
  }

  // Not counted, never refused: for putting things away.
  template <class Job>
  void post(Job job) {
    boost::asio::post(pool_, std::move(job));
  }

 private:
  const std::size_t jobs_max_;
  std::atomic<std::size_t> jobs_ = 0;
  boost::asio::thread_pool pool_;
};

}  // namespace bus
