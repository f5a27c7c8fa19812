#include "simulator/caller.h"

#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace simulator {

namespace asio = boost::asio;

namespace {

std::optional<net::Endpoint> endpoint_of(std::string_view url) {
  net::Endpoint it;
  if (url.starts_with("wss://")) {
    it.tls = true;
    url.remove_prefix(6);
  } else if (url.starts_with("ws://")) {
    url.remove_prefix(5);
  } else {
    return std::nullopt;
  }
  const auto slash = url.find('/');
  if (slash != std::string_view::npos) it.target = url.substr(slash);
  const auto authority = url.substr(0, slash);
  const auto colon = authority.rfind(':');
  it.host = authority.substr(0, colon);
  it.port = it.tls ? "443" : "80";
  if (colon != std::string_view::npos) it.port = authority.substr(colon + 1);
  if (it.host.empty() || it.port.empty()) return std::nullopt;
  return it;
}

}  // namespace

Caller::Caller(Host& host, const asio::any_io_executor& executor, const std::string& ca_file,
               std::size_t outbox_bytes_max, std::atomic<engine::ConnectionId>& ids)
    : host_(host), executor_(executor), outbox_bytes_max_(outbox_bytes_max), ids_(ids) {
  net::TlsOptions options;
  options.verify = !ca_file.empty();
  options.ca_file = ca_file;
  std::string why;
  auto context = net::TlsContext::make(options, net::TlsContext::Role::client, why);
  if (!context) throw std::runtime_error(why);
  tls_ = *context;
}

engine::ConnectionId Caller::dial(const std::string& url) {
  auto endpoint = endpoint_of(url);
  if (!endpoint) return 0;
  const engine::ConnectionId id = ++ids_;
  auto pending = talk(id, std::move(*endpoint));
  asio::co_spawn(executor_, std::move(pending), asio::detached);
  return id;
}

asio::awaitable<void> Caller::talk(engine::ConnectionId id, net::Endpoint endpoint) {
  co_await asio::post(executor_, asio::use_awaitable);  // not before dial() has returned
  net::WebSocketLimits limits;
  limits.ping_interval = {};
  auto connecting = net::WebSocket::connect(std::move(endpoint), limits, tls_);
  auto socket = co_await std::move(connecting);
  if (!socket) {
    host_.closed(id);
    co_return;
  }
  const auto connection =
      std::make_shared<Connection>(id, std::move(*socket), executor_, outbox_bytes_max_);
  host_.open(
      connection, [] {}, std::string(), false);
  Connection::OnText on_each = [this, id](std::string_view text) { host_.text(id, text); };
  auto pending = connection->run(std::move(on_each));
  co_await std::move(pending);
  host_.closed(id);
}

}  // namespace simulator
