#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include "net/http_server.h"
#include "simulator/host.h"
#include "simulator/scenario/scenario.h"

namespace simulator {

// A tenant's own listeners, if it has any.
struct TenantPorts {
  std::optional<std::uint16_t> plain, tls;
};

// The HTTP control face: tests and people look at the truth here, and make things happen. One
// handler per route, listed in control.cc. Belongs to one executor.
class Control {
 public:
  static constexpr std::size_t kLaunchesMax = 1'000;

  // What a handler answers. (Not an aggregate: gcc 12 destroys those twice in co_await.)
  struct Answer {
    unsigned status = 200;
    boost::json::value body;

    Answer() = default;
    Answer(unsigned code, boost::json::value what) : status(code), body(std::move(what)) {}
  };

  // `hosts` and `ports` belong together; both outlive this.
  Control(const std::vector<std::unique_ptr<Host>>& hosts, const std::vector<TenantPorts>& ports);

  boost::asio::awaitable<net::HttpReply> handle(net::HttpRequest request);

  // Starts scenarios; the id to ask about them. Sets `why` and returns nothing if one names a
  // tenant that there is not, or there are too many.
  std::optional<RunId> launch(const std::vector<std::shared_ptr<const scenario::Scenario>>& all,
                              std::string& why);

 private:
  struct Launched {
    Host* host;
    std::string scenario;
    RunId run;
  };
  struct Request {
    std::string method, body;
    std::vector<std::string> path;  // after /v1, decoded
  };
  using Work = std::function<Answer(Stage&, engine::TimePoint)>;

  boost::asio::awaitable<Answer> route(Request request);
  boost::asio::awaitable<Answer> at_tenant(Host& host, const Request& request);
  Answer list_tenants() const;
  Answer start_scenarios(const Request& request);
  boost::asio::awaitable<Answer> show_launch(RunId id);
  Answer stop_launch(RunId id);
  Host* find(std::string_view tenant) const;
  Answer no_tenant(std::string_view name) const;

  const std::vector<std::unique_ptr<Host>>& hosts_;
  const std::vector<TenantPorts>& ports_;
  std::map<std::string, Host*, std::less<>> by_name_;
  std::map<RunId, std::vector<Launched>> launches_;
  RunId last_launch_ = 0, last_run_ = 0;
};

}  // namespace simulator
