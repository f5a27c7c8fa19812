#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace net {

// What a client asks for, whether a page or an upgrade to WebSocket.
struct HttpRequest {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  bool upgrade = false;                                      // asks for a WebSocket
  std::string peer;                                          // for logs: "203.0.113.7:50212"
  std::shared_ptr<void> guest;  // what HttpServerOptions::admit has made for its connection

  std::string header(std::string_view name) const;  // name in lower case; empty if absent
  std::string path() const;                         // the target without its query
};

struct HttpReply {
  unsigned status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // Content-Type, Set-Cookie, …
  bool is_last = false;  // the connection ends with it, whatever the client wishes
};

}  // namespace net
