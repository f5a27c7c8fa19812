#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "net/http_server.h"
#include "net/tls.h"
#include "simulator/caller.h"
#include "simulator/certificate.h"
#include "simulator/control.h"
#include "simulator/directory.h"
#include "simulator/host.h"
#include "simulator/path_door.h"
#include "simulator/settings.h"
#include "simulator/vodia_door.h"

namespace simulator {

// The whole program: threads, tenants, listeners. Listens from the constructor on, which throws
// std::exception if it cannot, and answers while run() runs.
class Server {
 public:
  explicit Server(Settings settings);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Until stop(), SIGTERM or SIGINT. Once.
  void run();
  void stop();  // from any thread

  // Where everything listens, as one line of JSON for whoever started the program.
  std::string ready_line() const;
  // The one made at the start, if it was.
  const std::optional<Certificate>& certificate() const { return certificate_; }
  Control& control() { return *control_; }  // before run()

 private:
  struct Loop {
    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        context.get_executor()};
  };
  struct Visitor;
  using Listener = std::unique_ptr<net::HttpServer>;

  void prepare_tls();
  void make_caller(Host& host, const boost::asio::any_io_executor& executor);
  // For one tenant, or behind the common listener for all that share it.
  Listener listen(std::uint16_t port, std::shared_ptr<net::TlsContext> tls, Host* home,
                  std::vector<boost::asio::any_io_executor> executors);
  // For those tenants, told apart by their domains.
  Listener listen_vodia(std::uint16_t port, std::shared_ptr<net::TlsContext> tls,
                        std::vector<Host*> tenants,
                        std::vector<boost::asio::any_io_executor> executors);
  // For those of other vendors, told apart by their paths. With an interval clients are pinged.
  Listener listen_by_path(std::uint16_t port, std::shared_ptr<net::TlsContext> tls,
                          std::vector<Host*> tenants,
                          std::vector<boost::asio::any_io_executor> executors,
                          std::chrono::milliseconds ping_interval = {});
  net::HttpServerOptions listener_options(std::uint16_t port,
                                          std::shared_ptr<net::TlsContext> tls) const;
  void open_listeners();
  boost::asio::awaitable<void> serve(std::string target, net::WebSocket socket, Host* home);
  // A WebSocket that the tenant has accepted.
  boost::asio::awaitable<void> attend(Visit visit, net::WebSocket socket);
  void on_text(Visitor& visitor, std::string_view text);

  const Settings settings_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::optional<boost::asio::signal_set> signals_;  // from the start, so that none kills us
  std::vector<boost::asio::any_io_executor> executors_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<Caller>> callers_;  // of those tenants that dial
  Directory directory_;                           // of Innova360's shared tenants
  std::vector<Host*> vodia_shared_, innovaphone_shared_, webitel_shared_;
  std::optional<Certificate> certificate_;
  std::shared_ptr<net::TlsContext> tls_;
  std::vector<Listener> own_plain_, own_tls_;  // as hosts_; null: none
  std::vector<TenantPorts> ports_;             // as hosts_
  std::unique_ptr<Control> control_;
  Listener plain_, over_tls_, vodia_plain_, vodia_tls_, innovaphone_plain_, innovaphone_tls_,
      webitel_plain_, webitel_tls_, control_server_;
  std::atomic<engine::ConnectionId> last_connection_ = 0;
};

}  // namespace simulator
