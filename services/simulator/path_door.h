#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "net/http_server.h"
#include "simulator/door.h"

namespace simulator {

// Behind which listener which innovaphone or Webitel tenants are. At a tenant's own, paths are as
// on a real PBX, /PBX0/APPS/websocket; behind the common one the tenant's name stands before that,
// /acme/PBX0/APPS/websocket, and may be left out if there is only one. Constant, and used from any
// thread; the tenants outlive it.
class PathDoor {
 public:
  explicit PathDoor(std::vector<Host*> tenants);

  boost::asio::awaitable<net::HttpServer::Answer> admit(const net::HttpRequest& request) const;
  // Whose it is, and the target there, with its query. Null: nobody's.
  std::pair<Host*, std::string> find(std::string_view target) const;

 private:
  std::vector<Host*> tenants_;
  std::unordered_map<std::string, Host*> by_name_;
};

}  // namespace simulator
