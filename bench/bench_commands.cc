// Command round trips: calls started and ended, by NATS requests straight to whoever serves them,
// the connector that owns the tenant or the floor. Each worker has an extension of its own and one
// command at a time on its way.
#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bus/connection.h"
#include "bus/requests.h"
#include "pbxgw/v1/command.pb.h"
#include "percentiles.h"
#include "wire/names.h"
#include "wire/subjects.h"

namespace bench {
namespace {

namespace asio = boost::asio;
namespace v1 = pbxgw::v1;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kLimit = 5'000ms;

struct Options {
  std::string nats, extension = "1000", destination = "1001";
  bool floor = false;
  unsigned workers = 1, seconds = 10;
  unsigned rate = 0;  // commands a second, of all workers together; 0: one after the other
};

struct Result {
  Delays make, clear;
  unsigned failed = 0;
  std::string failure;  // the last one
};

struct Call {
  base::TenantId tenant;
  std::string connection;  // the floor's call id
};

std::string gateway_request(const base::TenantId& tenant, const Call* call,
                            const Options& options) {
  v1::OwnerRequest request;
  request.set_tenant(wire::tenant_name(tenant));
  const auto deadline = std::chrono::system_clock::now() + kLimit;
  request.mutable_deadline()->set_seconds(
      std::chrono::duration_cast<std::chrono::seconds>(deadline.time_since_epoch()).count());
  v1::Command& command = *request.mutable_command();
  if (!call) {
    command.set_service(v1::SERVICE_MAKE_CALL);
    command.set_device_id(options.extension);
    command.set_destination(options.destination);
  } else if (const auto name = wire::parse_connection(call->connection); name.has_value()) {
    command.set_service(v1::SERVICE_CLEAR_CONNECTION);
    command.set_call_id(name->call.str());
    command.set_connection_number(name->number);
  }
  return request.SerializeAsString();
}

// The connection that a reply names, or nothing and why.
std::string gateway_answer(const std::string& bytes, std::string& failure) {
  v1::OwnerReply reply;
  if (!reply.ParseFromString(bytes)) {
    failure = "an unreadable reply";
  } else if (reply.has_error()) {
    failure = reply.error().message();
  } else {
    return reply.command_result().connection();
  }
  return "";
}

// One command there and back. Empty: it failed.
asio::awaitable<std::string> command(bus::Requests& requests, const Options& options,
                                     base::TenantId tenant, const Call* call, Result& result) {
  const std::string subject =
      options.floor ? "floor.commands." + tenant.str() : wire::command_subject(tenant);
  std::string payload;
  if (options.floor) {
    payload = call ? "hangup " + call->connection : "call " + options.destination;
  } else {
    payload = gateway_request(tenant, call, options);
  }
  const auto asked = Clock::now();
  auto asking = requests.request(subject, std::move(payload), kLimit);
  auto reply = co_await std::move(asking);
  const auto took = Clock::now() - asked;
  std::string answer;
  if (reply.has_error()) {
    result.failure = reply.error().message();
  } else {
    answer = options.floor ? *reply : gateway_answer(*reply, result.failure);
  }
  if (!answer.empty()) {
    (call ? result.clear : result.make).add(took);
  } else {
    ++result.failed;
  }
  co_return answer;
}

asio::awaitable<void> work(bus::Requests& requests, const Options& options, unsigned number,
                           Result& result, unsigned& running) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  const base::TenantId tenant("t" + std::to_string(number));
  Result warming;  // the agent's link opens with the first command
  const auto end = Clock::now() + std::chrono::seconds(options.seconds + 1);
  const auto warm = Clock::now() + 1s;
  const auto interval =
      options.rate == 0
          ? 0ns
          : std::chrono::nanoseconds(2'000'000'000ll * options.workers / options.rate);
  auto next = warm + interval * number / options.workers;
  while (Clock::now() < end) {
    Result& into = Clock::now() < warm ? warming : result;
    auto making = command(requests, options, tenant, nullptr, into);
    const std::string made = co_await std::move(making);
    const Call call{tenant, made};
    if (!call.connection.empty()) {
      auto clearing = command(requests, options, tenant, &call, into);
      const std::string cleared = co_await std::move(clearing);
    }
    if (options.rate == 0) continue;
    timer.expires_at(next);
    next += interval;
    co_await timer.async_wait(kTuple);
  }
  --running;
}

asio::awaitable<void> measure(const Options& options, std::shared_ptr<bus::Connection> connection) {
  const auto executor = co_await asio::this_coro::executor;
  bus::Requests requests(connection);
  Result result;
  unsigned running = options.workers;
  for (unsigned i = 1; i <= options.workers; ++i) {
    asio::co_spawn(executor, work(requests, options, i, result, running),
                   [](const std::exception_ptr& thrown) {
                     if (thrown) std::rethrow_exception(thrown);
                   });
  }
  asio::steady_timer timer(executor);
  while (running > 0) {
    timer.expires_after(50ms);
    co_await timer.async_wait(kTuple);
  }
  if (result.failed > 0) std::cerr << "the last failure: " << result.failure << '\n';
  std::cout << R"({"failed":)" << result.failed << R"(,"make":{)" << result.make.json()
            << R"(},"clear":{)" << result.clear.json() << "}}" << std::endl;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  CLI::App app("Measures command round trips.");
  bench::Options options;
  app.add_option("--nats", options.nats, "The server's URL")->required();
  app.add_flag("--floor", options.floor, "Ask floor_bridge, not the connector");
  app.add_option("--workers", options.workers, "Worker n uses tenant t<n>");
  app.add_option("--rate", options.rate, "Commands a second; 0: one after the other");
  app.add_option("--seconds", options.seconds, "");
  CLI11_PARSE(app, argc, argv);
  try {
    boost::asio::io_context io{1};
    bus::Options connecting;
    connecting.urls = {options.nats};
    connecting.name = "bench commands";
    std::string why;
    auto connection = bus::Connection::open(io.get_executor(), connecting, why);
    if (connection.has_error()) throw std::runtime_error(why);
    boost::asio::co_spawn(io, bench::measure(options, *connection),
                          [&](const std::exception_ptr& thrown) {
                            io.stop();
                            if (thrown) std::rethrow_exception(thrown);
                          });
    io.run();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_commands: " << error.what() << '\n';
    return 1;
  }
}
