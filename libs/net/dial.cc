#include "net/dial.h"

#include <charconv>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/deadline.h"

namespace net {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

using Addresses = std::vector<tcp::endpoint>;

std::optional<tcp::endpoint> literal(const Endpoint& endpoint) {
  base::Error error;
  const auto address = asio::ip::make_address(endpoint.host, error);
  std::uint16_t port = 0;
  const char* end = endpoint.port.data() + endpoint.port.size();
  const auto parsed = std::from_chars(endpoint.port.data(), end, port);
  if (error || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return tcp::endpoint(address, port);
}

// Asio's resolver cannot be hurried once getaddrinfo() runs, so its answer may come after we have
// stopped waiting for it.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), timer(executor) {}

  tcp::resolver resolver;
  asio::steady_timer timer;
  std::optional<base::Error> answered;
  Addresses found;
};

asio::awaitable<base::Error> resolve(const Endpoint& endpoint, milliseconds limit,
                                     Addresses& addresses, std::string& why) {
  if (const auto address = literal(endpoint)) {
    addresses.push_back(*address);
    co_return base::Error{};
  }
  const auto executor = co_await asio::this_coro::executor;
  const auto lookup = std::make_shared<Lookup>(executor);
  lookup->timer.expires_after(limit);
  lookup->resolver.async_resolve(
      endpoint.host, endpoint.port,
      [lookup](base::Error error, const tcp::resolver::results_type& found) {
        lookup->answered = error;
        for (const auto& entry : found) lookup->found.push_back(entry.endpoint());
        lookup->timer.cancel();
      });
  const auto [cancelled] = co_await lookup->timer.async_wait(kTuple);
  if (!lookup->answered) {
    lookup->resolver.cancel();
    if (cancelled) co_return cancelled;
    why = "resolve " + endpoint.host + ": no answer within " + text_of(limit);
    co_return base::Errc::timed_out;
  }
  if (*lookup->answered || lookup->found.empty()) {
    why = "resolve " + endpoint.host + ": " + lookup->answered->message();
    co_return base::Errc::resolve_failed;
  }
  addresses = std::move(lookup->found);
  co_return base::Error{};
}

asio::awaitable<base::Error> reach(Stream& stream, const Addresses& addresses, milliseconds limit,
                                   tcp::endpoint& peer, std::string& why) {
  const auto end = steady_clock::now() + limit;
  Deadline deadline(stream.get_executor(), stream.handle());
  base::Error last;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    // Half of what is left for each address but the last: one that swallows packets, as an IPv6
    // address without a route may, leaves time for the others.
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    const auto share = i + 1 < addresses.size() ? left / 2 : left;
    deadline.set(share);
    const auto [error] = co_await stream.socket().async_connect(addresses[i], kTuple);
    deadline.clear();
    if (!error && !deadline.passed()) {
      peer = addresses[i];
      base::Error ignored;
      stream.socket().set_option(tcp::no_delay(true), ignored);
      co_return base::Error{};
    }
    if (error == asio::error::operation_aborted && !deadline.passed()) co_return error;
    why = "connect to " + text_of(addresses[i]) + ": " +
          (deadline.passed() ? "no answer within " + text_of(share) : error.message());
    last = deadline.passed() ? base::Errc::timed_out : base::Errc::connect_failed;
    base::Error ignored;
    stream.socket().close(ignored);
  }
  co_return last;
}

asio::awaitable<base::Error> secure(Stream& stream, const Endpoint& endpoint, milliseconds limit,
                                    std::shared_ptr<TlsContext> tls, std::string& why) {
  if (!tls) throw std::logic_error("net::dial(): TLS without a context");
  stream.start_tls(std::move(tls), endpoint.host, endpoint.port);
  Deadline deadline(stream.get_executor(), stream.handle());
  deadline.set(limit);
  const auto [error] = co_await stream.async_handshake(kTuple);
  deadline.clear();
  if (deadline.passed()) {
    why = "TLS handshake with " + endpoint.name() + ": not done within " + text_of(limit);
    co_return base::Errc::timed_out;
  }
  if (error) why = "TLS with " + endpoint.name() + ": " + stream.why();
  co_return error;
}

}  // namespace

std::string text_of(const tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

std::string text_of(milliseconds limit) { return std::to_string(limit.count()) + " ms"; }

std::string Endpoint::host_header() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  const auto bare = is_v6 ? "[" + host + "]" : host;
  return port == (tls ? "443" : "80") ? bare : bare + ":" + port;
}

asio::awaitable<base::Error> dial(Stream& stream, const Endpoint& endpoint, DialLimits limits,
                                  std::shared_ptr<TlsContext> tls, tcp::endpoint& peer,
                                  std::string& why) {
  Addresses addresses;
  if (const auto error = co_await resolve(endpoint, limits.resolve, addresses, why)) {
    co_return error;
  }
  if (const auto error = co_await reach(stream, addresses, limits.connect, peer, why)) {
    co_return error;
  }
  if (!endpoint.tls) co_return base::Error{};
  auto securing = secure(stream, endpoint, limits.tls, std::move(tls), why);
  co_return co_await std::move(securing);
}

}  // namespace net
