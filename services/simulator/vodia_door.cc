#include "simulator/vodia_door.h"

#include <utility>

#include "simulator/vodia/login.h"
#include "simulator/vodia/route.h"

namespace simulator {

namespace asio = boost::asio;
using net::HttpServer;

VodiaDoor::VodiaDoor(std::vector<Host*> tenants) : tenants_(std::move(tenants)) {
  for (Host* host : tenants_) {
    by_domain_.emplace(host->settings().vodia.domain, host);
    by_mark_.emplace(host->settings().vodia.mark, host);
  }
}

Host& VodiaDoor::host_of(const engine::HttpRequest& request) const {
  const auto whose = vodia::addressee_of(request);
  if (const auto it = by_domain_.find(whose.domain); it != by_domain_.end()) return *it->second;
  const auto it = by_mark_.find(whose.session.substr(0, vodia::kMarkSize));
  return it != by_mark_.end() ? *it->second : *tenants_.front();
}

asio::awaitable<HttpServer::Answer> VodiaDoor::admit(const net::HttpRequest& request) const {
  engine::HttpRequest asked = request_of(request);
  Host& host = host_of(asked);
  return ask(host, std::move(asked));
}

Visit VodiaDoor::visit(const net::HttpRequest& request) const {
  const engine::HttpRequest asked = request_of(request);
  return Visit(host_of(asked), vodia::session_in(asked));
}

}  // namespace simulator
