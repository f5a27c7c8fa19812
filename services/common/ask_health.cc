#include "common/ask_health.h"

#include <ostream>

#include <httplib.h>

namespace common {
namespace {

constexpr auto kPatience = 2;  // seconds

// Who listens everywhere is asked here.
std::string reachable(const std::string& address) {
  if (address == "0.0.0.0") return "127.0.0.1";
  if (address == "::") return "::1";
  return address;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

int ask_health(const std::string& address, std::uint16_t port, const std::string& probe,
               std::ostream& out) {
  if (port == 0) {
    out << probe << ": the port is any free one (0), so that only the service itself knows it\n";
    return 1;
  }
  httplib::Client client(reachable(address), port);
  client.set_connection_timeout(kPatience);
  client.set_read_timeout(kPatience);
  const auto reply = client.Get("/" + probe);
  if (!reply) {
    // The library's word for it is "Connection".
    const bool refused = reply.error() == httplib::Error::Connection;
    out << probe << ": no answer from " << address << ":" << port << ": "
        << (refused ? "cannot connect" : httplib::to_string(reply.error())) << '\n';
    return 1;
  }
  out << probe << ": " << first_line(reply->body) << '\n';
  return reply->status == 200 ? 0 : 1;
}

}  // namespace common
