// A consumer that measures: from the moment a frame was received to the moment its event is here,
// and where on this way the time went.
#include <charconv>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bus/connection.h"
#include "bus/consumer.h"
#include "bus/requests.h"
#include "percentiles.h"
#include "wire/events.h"

namespace bench {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::system_clock;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

struct Options {
  std::string nats, stream;
  unsigned seconds = 10;
};

// When the frame behind an event was received: of the gateway's, or of the floor's JSON.
std::optional<Clock::time_point> received_at(std::string_view payload) {
  constexpr std::string_view kField = R"("received":)";
  if (const auto at = payload.rfind(kField);
      payload.starts_with('{') && at != std::string_view::npos) {
    std::int64_t ns = 0;
    std::from_chars(payload.data() + at + kField.size(), payload.data() + payload.size(), ns);
    return Clock::time_point(std::chrono::nanoseconds(ns));
  }
  const auto event = wire::decode_event(payload);
  if (event.has_error()) return std::nullopt;
  const auto& time = event->receive_time();
  return Clock::time_point(std::chrono::seconds(time.seconds()) +
                           std::chrono::nanoseconds(time.nanos()));
}

// What a delay is made of. The server's clock is that of this machine.
class Ways {
 public:
  void add(std::string_view subject, Clock::time_point received, Clock::time_point stored) {
    const auto here = Clock::now();
    whole_.add(here - received);
    to_stream_.add(stored - received);
    from_stream_.add(here - stored);
    // Events of one frame have its time in common and are sent one after the other.
    auto& last = last_of_tenant_[std::string(subject.substr(0, subject.find(".call.")))];
    (std::exchange(last, received) == received ? later_ : first_).add(stored - received);
  }
  std::string json() {
    return whole_.json() + R"(,"to_stream":{)" + to_stream_.json() + R"(},"from_stream":{)" +
           from_stream_.json() + R"(},"first_of_frame_to_stream":{)" + first_.json() +
           R"(},"later_of_frame_to_stream":{)" + later_.json() + '}';
  }

 private:
  Delays whole_, to_stream_, from_stream_, first_, later_;
  std::map<std::string, Clock::time_point> last_of_tenant_;
};

asio::awaitable<void> measure(const Options& options, std::shared_ptr<bus::Connection> connection) {
  const auto executor = co_await asio::this_coro::executor;
  auto requests = std::make_shared<bus::Requests>(connection);
  Ways ways;
  std::uint64_t unreadable = 0;
  bus::ConsumerOptions consuming;
  consuming.stream = options.stream;
  consuming.filter = ">";
  bus::OrderedConsumer::Handlers handlers;
  handlers.on_message = [&](const bus::Delivery& delivery) {
    if (const auto received = received_at(delivery.payload())) {
      ways.add(delivery.subject(), *received, delivery.stored());
    } else {
      ++unreadable;
    }
  };
  handlers.on_end = [](base::Error why, const std::string& detail) {
    throw std::runtime_error(why.message() + ": " + detail);
  };
  std::string why;
  auto opening =
      bus::OrderedConsumer::open(requests, executor, consuming, std::move(handlers), why);
  auto consumer = co_await std::move(opening);
  if (consumer.has_error()) throw std::runtime_error(why);
  std::cout << R"({"ready":true})" << std::endl;
  const auto start = Clock::now();
  asio::steady_timer timer(executor, std::chrono::seconds(options.seconds));
  co_await timer.async_wait(kTuple);
  const std::chrono::duration<double> lasted = Clock::now() - start;
  consumer->reset();
  std::cout << R"({"seconds":)" << lasted.count() << R"(,"unreadable":)" << unreadable << ','
            << ways.json() << '}' << std::endl;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  CLI::App app("Measures the way of events from the frame to a subscriber.");
  bench::Options options;
  app.add_option("--nats", options.nats, "The server's URL")->required();
  app.add_option("--stream", options.stream, "PBX_EVENTS or FLOOR_EVENTS")->required();
  app.add_option("--seconds", options.seconds, "");
  CLI11_PARSE(app, argc, argv);
  try {
    boost::asio::io_context io{1};
    bus::Options connecting;
    connecting.urls = {options.nats};
    connecting.name = "bench subscriber";
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
    std::cerr << "bench_subscriber: " << error.what() << '\n';
    return 1;
  }
}
