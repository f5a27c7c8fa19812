#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pbx/session.h"

namespace pbx::webitel {

// The reply to a request on a socket. Replies come in any order (webitel.md 1.2).
struct SocketReply {
  std::uint64_t request = 0;  // as Socket::ask() numbered it
  bool ok = false;
  std::string data;              // a JSON object; empty if there was none
  unsigned code = 0;             // of an error; like HTTP's
  std::string error_id, detail;  // of an error
};

// Numbers the requests on one socket. That of the control socket is one for a session, as Rest is.
class Socket {
 public:
  explicit Socket(LinkId link = kPrimary) : link_(link) {}

  // `data`: a JSON object; empty: none.
  SendText ask(std::string_view action, std::string_view data = {}) {
    std::string text = R"({"seq":)" + std::to_string(++last_) + R"(,"action":")";
    text += action;
    text += '"';
    if (!data.empty()) (text += R"(,"data":)") += data;
    text += '}';
    return {link_, std::move(text)};
  }
  // The number of the request made last.
  std::uint64_t last() const { return last_; }

  LinkId link() const { return link_; }

 private:
  LinkId link_;
  std::uint64_t last_ = 0;
};

}  // namespace pbx::webitel
