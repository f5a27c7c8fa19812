#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "call/administration.h"
#include "pbx/session.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/rest.h"

namespace pbx::webitel {

// Devices, users, tokens and agents over REST (webitel.md 5.2). Ids are numbers; what is none does
// not go into a path. An order that changes something, and whose reply is lost or cannot be read,
// may have been carried out.
//
// Lives as long as a session. Fulfils each order exactly once, unless it is destroyed before.
class Provisioning {
 public:
  static constexpr std::size_t kOrdersMax = 32;  // at once; another one is refused
  static constexpr unsigned kPageMax = 500;      // of one answer

  // `limit`: of one request, whatever the order's caller allows.
  Provisioning(std::chrono::milliseconds limit, Rest& rest, const Directory& directory)
      : limit_(limit), rest_(rest), directory_(directory) {}

  void ask(call::OrderId id, const call::Order& order, TimePoint limit, TimePoint now,
           Effects& effects);
  // False if it is not a reply to this.
  bool on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint now, Effects& effects);
  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

 private:
  enum class Doing { create, list, get, remove, find_agent, find_causes };
  // Where in the PBX's pages an answer begins: Resources::next is "page.size.skip".
  struct Place {
    unsigned page = 1, size = 0, skip = 0;
  };
  struct Open {
    TimePoint due{}, limit_at{};
    Doing doing = Doing::get;
    call::ResourceKind kind = call::ResourceKind::phone;
    bool changes = false;
    std::string user;      // of a token; whose session
    std::string password;  // that we sent, so that no sentence repeats it
    Place place;
    unsigned limit = 0;
    call::AgentSession session;
  };
  using Iterator = std::map<call::OrderId, Open>::iterator;

  static std::optional<Place> place_in(std::string_view text);
  std::optional<call::Refusal> start(call::OrderId id, const call::Order& order, Open draft,
                                     Effects& effects);
  void send(call::OrderId id, std::string method, const std::string& path, std::string body,
            Effects& effects);
  call::Refusal refusal_of_order(const Open& open, const RestError& error) const;
  void take(Iterator it, const HttpReply& reply, TimePoint now, Effects& effects);
  void take_list(Iterator it, const std::string& body, Effects& effects);
  void take_agents(Iterator it, const std::string& body, TimePoint now, Effects& effects);
  void fulfil(Iterator it, call::OrderReply reply, Effects& effects);

  const std::chrono::milliseconds limit_;
  Rest& rest_;
  const Directory& directory_;
  std::map<call::OrderId, Open> open_;
  std::map<HttpId, call::OrderId> asked_;
};

}  // namespace pbx::webitel
