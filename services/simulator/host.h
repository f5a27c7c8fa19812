#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "simulator/connection.h"
#include "simulator/stage.h"

namespace simulator {

// Gives a Stage its time and its sockets. The stage lives on the host's executor; the public
// members may be called from any thread, and take effect there, in the order of the calls. Outlives
// every connection and every call that is under way: the server stops its threads first.
class Host final : private engine::Wire {
 public:
  // What the tenant's own listeners, if it has any, do about new connections.
  using OnRefuse = std::function<void(bool refuse)>;

  Host(TenantSettings settings, const boost::asio::any_io_executor& executor,
       engine::TimePoint start);

  const std::string& name() const { return name_; }
  const TenantSettings& settings() const { return stage_.settings(); }  // constant
  std::size_t extension_count() const { return stage_.tenant().extensions().size(); }
  // Extensions neither come nor go, so any thread may look.
  bool has_extension(std::string_view number) const {
    return stage_.tenant().find_extension(number) != engine::kOutside;
  }

  // Opens a WebSocket, of which open() and closed() tell; zero if that is no URL.
  using OnDial = std::function<engine::ConnectionId(const std::string& url)>;

  // Before the threads start.
  void on_refuse(OnRefuse refuse) { on_refuse_ = std::move(refuse); }
  void on_dial(OnDial dial) { on_dial_ = std::move(dial); }
  // From then on what is due by itself is done in time; before, only once somebody comes.
  void start();

  // `logged_in` is called on the host's executor.
  void open(std::shared_ptr<Connection> connection, std::function<void()> logged_in,
            std::string target, bool welcomed);
  void text(engine::ConnectionId connection, std::string_view text);
  void closed(engine::ConnectionId connection);

  void start_run(RunId id, std::shared_ptr<const scenario::Scenario> scenario);
  void stop_run(RunId id);

  // What the tenant says to a request, waiting for what it says later: at most `most`, and then
  // `never`.
  boost::asio::awaitable<std::shared_ptr<engine::HttpAnswer>> request(engine::HttpRequest asked,
                                                                      engine::Millis most);

  // Does something with the stage, and hands its result to the caller's coroutine.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work&, Stage&, engine::TimePoint>> ask(Work work) {
    using Answer = std::invoke_result_t<Work&, Stage&, engine::TimePoint>;
    auto task = [this, &work]() -> boost::asio::awaitable<Answer> {
      const auto now = advance();
      Answer answer = work(stage_, now);
      arm();
      co_return answer;
    };
    auto pending = boost::asio::co_spawn(executor_, task, boost::asio::use_awaitable);
    Answer answer = co_await std::move(pending);
    co_return answer;
  }

 private:
  // A request that is answered later.
  struct Promise {
    boost::asio::steady_timer timer;  // cancelled by the answer
    std::optional<engine::HttpReply> reply;
  };
  struct Client {
    std::shared_ptr<Connection> connection;
    std::function<void()> logged_in;
  };

  engine::TimePoint advance();
  void arm();
  template <class Work>
  void soon(Work work);

  void send(engine::ConnectionId connection, const engine::Frame& frame) override;
  void logged_in(engine::ConnectionId connection) override;
  void drop(engine::ConnectionId connection) override;
  void close(engine::ConnectionId connection, std::uint16_t code, std::string_view reason) override;
  void go_silent(engine::ConnectionId connection) override;
  void refuse(bool on) override;
  engine::ConnectionId dial(std::string_view url) override;
  void answer(std::uint64_t ticket, engine::HttpReply reply) override;

  const std::string name_;
  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  engine::TimePoint armed_ = engine::TimePoint::max();
  engine::TimePoint last_;
  OnRefuse on_refuse_;
  OnDial on_dial_;
  std::unordered_map<engine::ConnectionId, Client> clients_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Promise>> promises_;  // by ticket
  Stage stage_;
};

}  // namespace simulator
