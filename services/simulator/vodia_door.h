#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "net/http_server.h"
#include "simulator/door.h"

namespace simulator {

// Behind which listener which Vodia tenants are: hands each request to the tenant whose it is, by
// the domain it names, or else by its cookie; if neither tells, to the first. Constant, and used
// from any thread; the tenants outlive it.
class VodiaDoor {
 public:
  explicit VodiaDoor(std::vector<Host*> tenants);

  boost::asio::awaitable<net::HttpServer::Answer> admit(const net::HttpRequest& request) const;
  // Of an upgrade that admit() has accepted.
  Visit visit(const net::HttpRequest& request) const;

 private:
  Host& host_of(const engine::HttpRequest& request) const;

  std::vector<Host*> tenants_;
  std::unordered_map<std::string, Host*> by_domain_, by_mark_;
};

}  // namespace simulator
