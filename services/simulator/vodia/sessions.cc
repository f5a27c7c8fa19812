#include "simulator/vodia/sessions.h"

#include <utility>

namespace simulator::vodia {
namespace {

constexpr std::string_view kLetters =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

// Makes room for one more, by forgetting the oldest that are too many.
template <class Map>
void make_room(Map& map, std::deque<std::string>& order, std::size_t most) {
  while (!order.empty() && (map.size() >= most || !map.contains(order.front()))) {
    map.erase(order.front());
    order.pop_front();
  }
}

}  // namespace

std::string Sessions::make_id() {
  std::string id = mark_.substr(0, kIdSize / 2);
  while (id.size() < kIdSize) id += kLetters[random_.below(kLetters.size())];
  return id;
}

std::string Sessions::open(const Session& session) {
  make_room(sessions_, session_order_, kSessionsMax);
  std::string id = make_id();
  sessions_[id] = session;
  session_order_.push_back(id);
  return id;
}

std::string Sessions::mint(const Identity& who, engine::TimePoint end) {
  make_room(tokens_, token_order_, kTokensMax);
  std::string id = make_id();
  tokens_[id] = {who, end};
  token_order_.push_back(id);
  return id;
}

std::optional<Identity> Sessions::redeem(std::string_view token, engine::TimePoint now) {
  const auto it = tokens_.find(std::string(token));
  if (it == tokens_.end()) return std::nullopt;
  const Token found = it->second;
  tokens_.erase(it);
  if (now > found.end) return std::nullopt;
  return found.who;
}

const Session* Sessions::find(std::string_view id) const {
  const auto it = sessions_.find(std::string(id));
  return it == sessions_.end() ? nullptr : &it->second;
}

Identity Sessions::who(std::string_view id) const {
  const Session* session = find(id);
  return session && !session->second_factor_due ? session->who : Identity{};
}

void Sessions::complete(std::string_view id) {
  const auto it = sessions_.find(std::string(id));
  if (it != sessions_.end()) it->second.second_factor_due = false;
}

bool Sessions::close(std::string_view id) { return sessions_.erase(std::string(id)) > 0; }

void Sessions::close_all() {
  sessions_.clear();
  tokens_.clear();
  session_order_.clear();
  token_order_.clear();
}

}  // namespace simulator::vodia
