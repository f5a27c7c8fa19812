#include "simulator/webitel/rest.h"
#include "simulator/webitel/text.h"

// How a user is: its own, and others'.
namespace simulator::webitel {

using engine::HttpAnswer;

namespace {

// As the vendor's own applications send it, or wrapped as the schema has it.
HttpAnswer set(const RestCall& call, const User& user) {
  const json::object* wrapped = object_at(call.body, "publish");
  const json::object& wish = wrapped ? *wrapped : call.body;
  const json::value* status = wish.if_contains("status");
  if (!status || !status->is_string()) {
    return directory_problem({"api.presence.status", 400, "status is missing"});
  }
  call.pbx.presence.set(user, status->get_string(), text_at(wish, "note"), call.now);
  json::object presence{{"id", std::to_string(user.id)}};
  if (auto now = call.pbx.presence.status_of(user); !now.empty()) presence["status"] = now;
  return json_answer(presence);
}

HttpAnswer set_own(const RestCall& call) { return set(call, *call.user); }

HttpAnswer set_anybodys(const RestCall& call) {
  const auto id = call.id();
  const User* user = id ? call.pbx.accounts.find_user(*id) : nullptr;
  if (!user) return directory_problem({"store.user.get.app_error", 404, "no such user"});
  if (user != call.user && !Accounts::may(*call.user, "users", 'u')) {
    return directory_problem(problems::forbidden(call.user->id, "users", 'u'));
  }
  return set(call, *user);
}

HttpAnswer show_own(const RestCall& call) {
  const User& user = *call.user;
  json::object it{{"id", std::to_string(user.id)},
                  {"name", user.name},
                  {"username", user.username},
                  {"extension", user.extension}};
  const std::string status = call.pbx.presence.status_of(user);
  if (!status.empty()) it["presence"] = json::object{{"status", status}};
  return json_answer(it);
}

HttpAnswer show_sockets(const RestCall& call) {
  const auto id = call.id();
  if (!id || !call.pbx.accounts.find_user(*id)) {
    return engine_problem(call.pbx, {"store.user.get.app_error", 404, "no such user"});
  }
  return engine_answer(call.pbx, page_of(call, call.pbx.outlet.sockets_of(*id), 40));
}

}  // namespace

std::span<const RestRoute> presence_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"GET", "/user", "", 'r', false, show_own},
      {"PATCH", "/presence", "", 'u', true, set_own},
      {"PATCH", "/users/{}/presence", "", 'u', true, set_anybodys},
      {"GET", "/user/{}/websockets", "users", 'r', false, show_sockets},
  };
  return kRoutes;
}

}  // namespace simulator::webitel
