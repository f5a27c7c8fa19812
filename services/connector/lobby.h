#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/ids.h"
#include "base/result.h"
#include "net/websocket.h"
#include "pbx/session.h"

namespace connector {

// A connection that a PBX has opened to us, and has proved to be a tenant's.
struct Arrived {
  net::WebSocket socket;
  pbx::Arrival arrival;
  std::string digest;           // of the tenant's configuration that it was proved against
  std::shared_ptr<void> guest;  // what counts it at the door, for as long as it is open
};

// Where PBXs that have dialled us wait until their tenant has an owner here whose link can take
// them: for the lease, for the end of the session before, or for new settings. One for each shard,
// as its tenants' owners are; all members are called on the shard's executor.
class Lobby {
 public:
  // Takes the connection, or leaves it as it is: not now.
  using Take = std::function<bool(Arrived& arrived)>;
  // Hears which PBXs of a tenant wait here, whenever that changes.
  using Changed = std::function<void(const base::TenantId& tenant, std::set<std::string> pbxs)>;

  explicit Lobby(boost::asio::any_io_executor executor);

  void on_change(Changed changed) { changed_ = std::move(changed); }

  // No error: it was taken. timed_out: not within `limit`; shutting_down: close() was called;
  // link_lost: the PBX has hung up meanwhile. Then the socket is still there, to be closed.
  boost::asio::awaitable<base::Error> wait(base::TenantId tenant, std::shared_ptr<Arrived> arrived,
                                           std::chrono::milliseconds limit);

  // Offers `take` those that wait, in the order in which they came, and whoever comes next; until
  // leave().
  void serve(const base::TenantId& tenant, Take take);
  void leave(const base::TenantId& tenant);

  // Nobody waits here any more.
  void close();

 private:
  struct Guest;

  void tell(const base::TenantId& tenant) const;

  boost::asio::any_io_executor executor_;
  Changed changed_;
  std::map<base::TenantId, Take> hosts_;
  std::map<base::TenantId, std::list<std::shared_ptr<Guest>>> guests_;
  bool closed_ = false;
};

}  // namespace connector
