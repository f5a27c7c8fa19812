#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulator/engine/types.h"

namespace simulator::engine {

// What a client asks for by HTTP, be it a page or an upgrade to WebSocket.
struct HttpRequest {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  bool upgrade = false;                                      // asks for a WebSocket

  // The first of this name, which is in lower case; empty if there is none.
  std::string_view header(std::string_view name) const {
    for (const auto& [its_name, value] : headers) {
      if (its_name == name) return value;
    }
    return {};
  }
  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string_view query() const {
    const auto at = target.find('?');
    return at == std::string::npos ? std::string_view() : std::string_view(target).substr(at + 1);
  }
};

struct HttpReply {
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// What becomes of a request. What it asks for has been done by the time this is returned, unless
// the answer comes `later`.
struct HttpAnswer {
  enum class Kind : std::uint8_t {
    reply,
    accept,  // the upgrade; of the reply only the headers count
    drop,    // a TCP reset instead of an answer
    never,   // silence, until the client gives up
    later,   // Wire::answer() follows, with `ticket`
  };
  Kind kind = Kind::reply;
  HttpReply reply;
  Millis after{0};      // the client hears of it so much later
  std::string visitor;  // of an accept: what on_open() is to be told as its target
  std::uint64_t ticket = 0;
};

}  // namespace simulator::engine
