#include "simulator/webitel/rest.h"

#include <algorithm>
#include <utility>

#include "simulator/webitel/encoder.h"
#include "simulator/webitel/text.h"

namespace simulator::webitel {

using engine::Faults;
using engine::HttpAnswer;
using engine::HttpRequest;
using engine::TimePoint;

namespace {

constexpr std::size_t kBodyMax = 1 << 20;

// The parts that {} stand for; nothing if the path is another one.
std::optional<std::vector<std::string>> fit(std::string_view pattern,
                                            std::span<const std::string> parts) {
  const auto wanted = path_parts(pattern);
  if (wanted.size() != parts.size()) return std::nullopt;
  std::vector<std::string> args;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (wanted[i] == "{}") {
      args.push_back(parts[i]);
    } else if (wanted[i] != parts[i]) {
      return std::nullopt;
    }
  }
  return args;
}

struct Found {
  const RestRoute* route = nullptr;
  std::vector<std::string> args;
};

// Where a path is fixed in one row and has {} in another, the fixed one counts.
Found find_route(const HttpRequest& request) {
  const auto all = path_parts(request.path());
  Found found;
  if (all.empty() || all.front() != "api") return found;
  const std::span<const std::string> parts(all.data() + 1, all.size() - 1);
  for (const auto& routes :
       {call_routes(), agent_routes(), presence_routes(), device_routes(), user_routes(),
        token_routes(), agent_account_routes(), history_routes(), recording_routes()}) {
    for (const RestRoute& route : routes) {
      if (route.method != request.method) continue;
      auto args = fit(route.path, parts);
      if (!args || (found.route && found.args.size() <= args->size())) continue;
      found = {&route, std::move(*args)};
    }
  }
  return found;
}

}  // namespace

std::string RestCall::query(std::string_view name) const {
  auto all = queries(name);
  return all.empty() ? std::string() : std::move(all.front());
}

std::vector<std::string> RestCall::queries(std::string_view name) const {
  return query_values(http.query(), name);
}

std::optional<std::int64_t> RestCall::id(std::size_t index) const {
  return index < args.size() ? integer_from(args[index]) : std::nullopt;
}

HttpAnswer json_answer(const json::value& value, unsigned status) {
  HttpAnswer answer;
  answer.reply.status = status;
  answer.reply.headers.emplace_back("Content-Type", "application/json");
  answer.reply.body = json::serialize(value);
  return answer;
}

HttpAnswer engine_answer(const Pbx& pbx, json::value value) {
  return json_answer(tidied(pbx, std::move(value)));
}

HttpAnswer directory_problem(const Problem& problem) {
  return json_answer(problem.object(), problem.code);
}

HttpAnswer engine_problem(const Pbx& pbx, const Problem& problem) {
  const bool known = problem.code == 400 || problem.code == 401 || problem.code == 403;
  const bool kept = known || pbx.settings.variants.rest_status == Variants::RestStatus::code;
  return json_answer(problem.object(), kept ? problem.code : 500);
}

json::object page_of(const RestCall& call, json::array all, std::size_t size_default,
                     std::size_t size_max) {
  const auto number = [&](std::string_view name, std::size_t otherwise) {
    const auto value = integer_from(call.query(name));
    return value && *value > 0 ? static_cast<std::size_t>(*value) : otherwise;
  };
  const std::size_t size = std::min(number("size", size_default), size_max);
  const std::size_t page = number("page", 1);
  const std::size_t from = std::min((page - 1) * size, all.size());
  const std::size_t to = std::min(from + size, all.size());
  json::array items;
  for (std::size_t i = from; i < to; ++i) items.push_back(std::move(all[i]));
  json::object list{{"items", std::move(items)}};
  if (to < all.size()) list["next"] = true;
  return list;
}

const User* asker_of(const Pbx& pbx, const HttpRequest& request, TimePoint now) {
  const UserId id = pbx.accounts.holder_of(request.header("x-webitel-access"), now);
  return id == kNobody ? nullptr : pbx.accounts.find_user(id);
}

HttpAnswer answer_rest(Pbx& pbx, const HttpRequest& request, TimePoint now, std::uint64_t ticket) {
  Found found = find_route(request);
  if (!found.route) return json_answer(Problem{"not_found", 404, "Not Found"}.object(), 404);
  const RestRoute& route = *found.route;
  RestCall call{pbx, request, now, nullptr, std::move(found.args), {}, ticket};
  if (route.scope) {
    call.user = asker_of(pbx, request, now);
    if (!call.user) return engine_problem(pbx, problems::unauthenticated());
    if (!pbx.accounts.has_licence(*call.user)) return engine_problem(pbx, problems::license());
    const bool may = *route.scope == '\0' || Accounts::may(*call.user, route.scope, route.access);
    if (!may) {
      return engine_problem(pbx, problems::forbidden(call.user->id, route.scope, route.access));
    }
  }
  if (!request.body.empty()) {
    boost::system::error_code not_json;
    const json::value body =
        request.body.size() <= kBodyMax ? json::parse(request.body, not_json) : json::value();
    if (not_json || !body.is_object()) {
      return engine_problem(pbx, Problem{"api.request.body", 400, "expected a JSON object"});
    }
    call.body = body.get_object();
  }
  if (route.command) {
    ++pbx.counters.actions[std::string(route.method) + ' ' + std::string(route.path)];
    if (pbx.faults.actions == Faults::Actions::error) {
      return engine_problem(pbx, problems::refused());
    }
    if (pbx.faults.actions == Faults::Actions::ignore) return json_answer(json::object());
  }
  return route.handle(call);
}

}  // namespace simulator::webitel
