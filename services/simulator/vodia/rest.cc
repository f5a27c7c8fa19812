#include "simulator/vodia/rest.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "simulator/vodia/text.h"

namespace simulator::vodia {

namespace json = boost::json;
using engine::HttpReply;
using engine::HttpRequest;
using engine::kOutside;

namespace {

constexpr std::size_t kBodyMax = 256 << 10;

// What the variable parts of a path stand for here.
struct Fit {
  const RestRoute* route = nullptr;
  std::string account, domain, rest;
};

std::optional<Fit> fit(const RestRoute& route, const std::vector<std::string>& parts) {
  const auto wanted = path_parts(route.path);
  if (wanted.size() != parts.size()) return std::nullopt;
  Fit it{&route, {}, {}, {}};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (wanted[i] == "{account}") {
      std::tie(it.account, it.domain) = split_account(parts[i]);
    } else if (wanted[i] == "{ext}") {
      it.account = parts[i];
    } else if (wanted[i] == "{domain}") {
      it.domain = parts[i];
    } else if (wanted[i] == "*") {
      it.rest = parts[i];
    } else if (wanted[i] != parts[i]) {
      return std::nullopt;
    }
  }
  return it;
}

bool lists(std::string_view words, std::string_view word) {
  for (std::size_t at = 0; at < words.size();) {
    const auto end = std::min(words.find(' ', at), words.size());
    if (words.substr(at, end - at) == word) return true;
    at = end + 1;
  }
  return false;
}

std::optional<Fit> find_route(const HttpRequest& request) {
  const auto parts = path_parts(request.path());
  for (const auto& routes :
       {account_routes(), preference_routes(), call_routes(), history_routes()}) {
    for (const RestRoute& route : routes) {
      if (!lists(route.methods, request.method)) continue;
      if (auto found = fit(route, parts)) return found;
    }
  }
  return std::nullopt;
}

bool may(const Identity& who, Needs needs, engine::ExtensionIndex account) {
  if (who.scope == Scope::system || needs == Needs::nothing) return true;
  const bool itself = who.scope == Scope::extension && who.extension == account;
  const bool tenant = who.scope == Scope::domain;
  switch (needs) {
    case Needs::itself: return itself;
    case Needs::tenant: return tenant;
    case Needs::itself_or_tenant: return itself || tenant;
    default: return false;
  }
}

HttpReply challenge() {
  HttpReply reply = bare_reply(401);
  reply.headers.emplace_back("WWW-Authenticate", "Basic realm=\"PBX\"");
  return reply;
}

}  // namespace

std::string RestCall::query(std::string_view name) const { return query_value(http.query(), name); }

std::string RestCall::text(std::string_view key) const {
  const json::value* value = body.if_contains(key);
  if (!value) return {};
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_bool()) return value->get_bool() ? "true" : "false";
  if (value->is_int64()) return std::to_string(value->get_int64());
  if (value->is_uint64()) return std::to_string(value->get_uint64());
  return {};
}

HttpReply answer_rest(Pbx& pbx, const HttpRequest& request, engine::TimePoint now) {
  const auto found = find_route(request);
  if (!found) return bare_reply(404);
  const Asker asker = asker_of(pbx, request);
  const Needs needs = found->route->needs;
  if (needs != Needs::nothing && asker.who.scope == Scope::nobody) return challenge();

  RestCall call{pbx, request, now, asker.who, kOutside, found->rest, {}};
  const std::string& domain = found->domain;
  if (!domain.empty() && domain != "self" && domain != pbx.settings.domain) return bare_reply(404);
  if (found->account == "self") {
    call.account = asker.who.extension;
  } else if (!found->account.empty()) {
    call.account = pbx.user(found->account);
  }
  // Whoever may not look is not told what there is.
  const bool of_account = !found->account.empty();
  const bool may_look = may(asker.who, needs, call.account);
  if (of_account && call.account == kOutside && (may_look || needs == Needs::nothing)) {
    return bare_reply(404);
  }
  if (!may_look) return bare_reply(403);

  if (!request.body.empty()) {
    boost::system::error_code not_json;
    const json::value body =
        request.body.size() <= kBodyMax ? json::parse(request.body, not_json) : json::value();
    if (not_json || !body.is_object()) return bare_reply(400);
    call.body = body.get_object();
  }
  return found->route->handle(call);
}

}  // namespace simulator::vodia
