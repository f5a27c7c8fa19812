#include "simulator/webitel/problem.h"

namespace simulator::webitel {

std::string_view reason_phrase(unsigned code) {
  switch (code) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    default: return "Error";
  }
}

json::object Problem::object() const {
  return {{"id", id}, {"status", reason_phrase(code)}, {"detail", detail}, {"code", code}};
}

namespace problems {

Problem unauthenticated() { return {"app.session.unauthenticated", 401, "unauthenticated"}; }
Problem license() { return {"api.context.permissions.license", 412, "token scope is forceless"}; }
Problem auth_down() { return {"app.session.app_error", 500, "auth service is unavailable"}; }
Problem not_authenticated() {
  return {"api.web_socket_router.not_authenticated.app_error", 500, "not authenticated"};
}
Problem invalid_param() {
  return {"api.websocket_handler.invalid_param.app_error", 400, "invalid parameter"};
}

Problem forbidden(std::int64_t user, std::string_view scope, char access) {
  const std::string_view word = access == 'c'   ? "create"
                                : access == 'u' ? "update"
                                : access == 'd' ? "delete"
                                                : "read";
  return {"api.context.permissions.app_error", 403,
          "userId=" + std::to_string(user) + ", permission=" + std::string(scope) +
              " access=" + std::string(word)};
}

Problem no_node() { return {"call.get_client_by_id.not_found", 404, "no such media node"}; }
Problem no_call() { return {"store.sql_call.get_instance.app_error", 404, "no such call"}; }
Problem new_call(std::string_view cause) {
  return {"external.new_call.app_error", 500, "originate: " + std::string(cause)};
}
Problem bridge() { return {"external.bridge_call.app_error", 500, "-ERR Invalid id"}; }
Problem refused() { return {"external.call.app_error", 500, "-ERR Operation failed"}; }

}  // namespace problems

}  // namespace simulator::webitel
