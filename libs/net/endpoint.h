#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace net {

// Where to open a connection, and what to say in the request on it.
struct Endpoint {
  std::string host, port, target = "/";
  bool tls = false;
  std::vector<std::pair<std::string, std::string>> headers;  // further ones: User-Agent, Cookie, …

  std::string name() const { return host + ":" + port; }
  // As the request's Host says it: without the port, if that is the protocol's own.
  std::string host_header() const;
};

// How long each stage of a connection may take.
struct DialLimits {
  std::chrono::milliseconds resolve{5'000};
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds tls{10'000};
};

}  // namespace net
