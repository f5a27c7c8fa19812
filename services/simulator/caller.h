#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "net/tls.h"
#include "simulator/host.h"

namespace simulator {

// Opens WebSockets for PBXs that dial. One for each tenant; used on its executor.
class Caller {
 public:
  // `ids` are everybody's. Throws std::exception if `ca_file` cannot be used; without one, every
  // certificate will do.
  Caller(Host& host, const boost::asio::any_io_executor& executor, const std::string& ca_file,
         std::size_t outbox_bytes_max, std::atomic<engine::ConnectionId>& ids);

  // Zero if that is no ws or wss URL.
  engine::ConnectionId dial(const std::string& url);

 private:
  boost::asio::awaitable<void> talk(engine::ConnectionId id, net::Endpoint endpoint);

  Host& host_;
  boost::asio::any_io_executor executor_;
  std::size_t outbox_bytes_max_;
  std::atomic<engine::ConnectionId>& ids_;
  std::shared_ptr<net::TlsContext> tls_;
};

}  // namespace simulator
