#include "unit/control/control_fixture.h"

#include <sstream>

#include <httplib.h>

namespace control {

std::pair<int, std::string> ControlFixture::admin(const std::string& path) const {
  httplib::Client client("127.0.0.1", service->admin_port());
  const auto reply = client.Get(path);
  if (!reply) return {0, ""};
  return {reply->status, reply->body};
}

std::string ControlFixture::metric(const std::string& series) const {
  std::istringstream lines(admin("/metrics").second);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + ' ')) return line.substr(series.size() + 1);
  }
  return {};
}

}  // namespace control
