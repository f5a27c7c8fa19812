#include "simulator/path_door.h"

#include <utility>

namespace simulator {

namespace asio = boost::asio;
using net::HttpServer;

namespace {

asio::awaitable<HttpServer::Answer> not_found() {
  net::HttpReply reply;
  reply.status = 404;
  HttpServer::Answer answer = std::move(reply);
  co_return answer;
}

}  // namespace

PathDoor::PathDoor(std::vector<Host*> tenants) : tenants_(std::move(tenants)) {
  for (Host* host : tenants_) by_name_.emplace(host->name(), host);
}

std::pair<Host*, std::string> PathDoor::find(std::string_view target) const {
  const auto slash = target.find('/', 1);
  if (target.starts_with('/') && slash != std::string_view::npos) {
    const auto it = by_name_.find(std::string(target.substr(1, slash - 1)));
    if (it != by_name_.end()) return {it->second, std::string(target.substr(slash))};
  }
  return {tenants_.size() == 1 ? tenants_.front() : nullptr, std::string(target)};
}

asio::awaitable<HttpServer::Answer> PathDoor::admit(const net::HttpRequest& request) const {
  auto [host, target] = find(request.target);
  if (!host) return not_found();
  engine::HttpRequest asked = request_of(request);
  asked.target = std::move(target);
  return ask(*host, std::move(asked));
}

}  // namespace simulator
