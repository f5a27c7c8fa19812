#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "simulator/engine/dialect.h"
#include "simulator/engine/http.h"
#include "simulator/webitel/accounts.h"
#include "simulator/webitel/problem.h"

namespace simulator::webitel {

// Who waits for an answer that comes later: a request on a socket, or one by HTTP.
struct Asker {
  engine::ConnectionId connection = 0;
  std::int64_t seq = 0;
  std::uint64_t ticket = 0;  // of HTTP; 0: it is a socket
};

// What a user can subscribe to. All of the user's sockets are told, once any of them has.
enum class Topic : std::uint8_t { calls, presence, agent };

// How the parts of a PBX reach those who are connected.
class Outlet {
 public:
  virtual ~Outlet() = default;
  // To all sockets of that user, and to nobody else's, if it has subscribed.
  virtual void push(UserId user, Topic topic, std::string_view event, json::object data,
                    engine::TimePoint now) = 0;
  // What somebody waits for: the data, or what went wrong.
  virtual void resolve(const Asker& asker, json::object data, engine::TimePoint now) = 0;
  virtual void reject(const Asker& asker, const Problem& problem, engine::TimePoint now) = 0;
  // Whether a socket of that user is logged in.
  virtual bool is_online(UserId user) const = 0;
  // The user's sockets, as GET /users/{id}/websockets lists them.
  virtual json::array sockets_of(UserId user) const = 0;
};

}  // namespace simulator::webitel
