#include "simulator/innovaphone_door.h"

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

InnovaphoneDoor::InnovaphoneDoor(std::vector<Host*> tenants) : tenants_(std::move(tenants)) {
  for (Host* host : tenants_) by_name_.emplace(host->name(), host);
}

std::pair<Host*, std::string> InnovaphoneDoor::find(std::string_view path) const {
  const auto slash = path.find('/', 1);
  if (path.starts_with('/') && slash != std::string_view::npos) {
    const auto it = by_name_.find(std::string(path.substr(1, slash - 1)));
    if (it != by_name_.end()) return {it->second, std::string(path.substr(slash))};
  }
  return {tenants_.size() == 1 ? tenants_.front() : nullptr, std::string(path)};
}

asio::awaitable<HttpServer::Answer> InnovaphoneDoor::admit(const net::HttpRequest& request) const {
  auto [host, path] = find(request.path());
  if (!host) return not_found();
  engine::HttpRequest asked = request_of(request);
  asked.target = std::move(path);
  return ask(*host, std::move(asked));
}

}  // namespace simulator
