#pragma once

#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "connector/config.h"
#include "net/websocket.h"
#include "pbx/vendor.h"

namespace connector {

// A family of PBXs that dial us, with a protocol of words:
//
//   challenge                     → <16 hex digits>
//   login NAME DIGITS:PASSWORD    → welcome NAME, once there is an owner; else refused
//   synced                        all that exists has been told
//   call KEY, gone KEY            a call of 201 with 202 is there, is gone
//
// Its sessions are real ones: each link's PBX has calls of its own, the newest link of a PBX
// replaces the one before, and a session ends with its last link.
const pbx::Vendor& dialling_vendor();
// A tenant of it whose PBXs connect to `path` with the password "secret".
TenantConfig dialling_tenant(const std::string& id, const std::string& path);

// The PBX's side of it.
struct DiallingPbx {
  std::string name = "master", password = "secret", path = "/acme";
  std::string challenge{};  // the last that it got

  // The error is of the connection.
  boost::asio::awaitable<base::Result<net::WebSocket>> dial(std::uint16_t port);
  // All that a login takes, up to where the gateway has to answer it.
  boost::asio::awaitable<base::Error> log_in(net::WebSocket& socket);
  std::string login() const { return "login " + name + " " + challenge + ":" + password; }
};

// What the other side has said, or "closed CODE" with what its close frame said, or an error's
// name.
boost::asio::awaitable<std::string> hear(net::WebSocket& socket);

}  // namespace connector
