#include "simulator/vodia/login.h"

#include <functional>
#include <utility>

#include <boost/json.hpp>

#include "simulator/vodia/text.h"

namespace simulator::vodia {

namespace json = boost::json;
using engine::Faults;
using engine::HttpReply;
using engine::HttpRequest;
using engine::kOutside;
using engine::TimePoint;

namespace {

constexpr std::size_t kBodyMax = 64 << 10;

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool flag_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value) return false;
  return value->is_bool() ? value->get_bool() : text_at(object, key) == "true";
}

bool take_one(std::uint32_t& count) {
  if (count == 0) return false;
  if (count != Faults::kAlways) --count;
  return true;
}

// Not a 401: the login says so in its body.
HttpReply refused(Pbx& pbx) {
  ++pbx.counters.logins_refused;
  return json_reply(pbx.settings.profile == Profile::legacy2016 ? json::value("")
                                                                : json::value(false));
}

std::string cookie_of(const std::string& id) {
  return "session=" + id + "; Path=/; SameSite=Strict; Secure; HttpOnly";
}

// The account of that name and how its password is checked; nobody if there is none.
Identity identity_of(const Pbx& pbx, std::string_view account,
                     const std::function<bool(const std::string&)>& is_password) {
  const Settings& settings = pbx.settings;
  if (account == settings.admin_user) {
    return is_password(settings.admin_password) ? Identity{Scope::system} : Identity{};
  }
  const auto [user, domain] = split_account(account);
  if (!domain.empty() && domain != settings.domain) return {};
  if (user == "admin") {
    return is_password(settings.tenant_password) ? Identity{Scope::domain} : Identity{};
  }
  const auto extension = pbx.user(user);
  if (extension == kOutside || !is_password(settings.password.of(user))) return {};
  return {Scope::extension, extension};
}

bool needs_second_factor(const Pbx& pbx, const Identity& who) {
  if (who.scope != Scope::extension) return false;
  for (const auto& number : pbx.settings.second_factor) {
    if (number == pbx.tenant.extension(who.extension).number) return true;
  }
  return false;
}

// {"name":"auth","value":"<account> <md5hex(password)>"}
HttpReply log_in_by_password(Pbx& pbx, const std::string& value) {
  const auto space = std::min(value.find(' '), value.size());
  const auto hash = value.substr(std::min(space + 1, value.size()));
  const Identity who = identity_of(pbx, value.substr(0, space), [&](const std::string& password) {
    return hash == (password.empty() ? "" : md5_hex(password));
  });
  if (who.scope == Scope::nobody || !pbx.settings.variants.password_login) return refused(pbx);
  ++pbx.counters.logins_ok;
  const auto id = pbx.sessions.open({who, needs_second_factor(pbx, who)});
  HttpReply reply = json_reply(json::string(id));
  if (pbx.settings.profile != Profile::legacy2016) {
    reply.headers.emplace_back("Set-Cookie", cookie_of(id));
  }
  return reply;
}

// {"name":"3rd","domain":"<tenant>","username":"<ext>"}, with the administrator's credentials
HttpReply mint_token(Pbx& pbx, const HttpRequest& request, const json::object& body,
                     TimePoint now) {
  const auto by = basic_credentials(request.header("authorization"));
  if (!by || by->user != pbx.settings.admin_user || by->password != pbx.settings.admin_password ||
      pbx.settings.profile == Profile::legacy2016) {
    return refused(pbx);
  }
  const std::string domain = text_at(body, "domain"), username = text_at(body, "username");
  Identity who{Scope::domain};
  if (flag_at(body, "admin")) {
    who.scope = Scope::system;
  } else if (domain.empty()) {
    return bare_reply(404);
  } else if (!username.empty()) {
    who = {Scope::extension, pbx.user(username)};
  }
  if ((!domain.empty() && domain != pbx.settings.domain) ||
      (who.scope == Scope::extension && who.extension == kOutside)) {
    ++pbx.counters.logins_refused;
    return bare_reply(404);
  }
  const auto token = pbx.sessions.mint(who, now + pbx.settings.token_life);
  switch (pbx.settings.variants.token) {
    case Variants::Token::quoted: break;
    case Variants::Token::object: return json_reply({{"session", token}});
    case Variants::Token::bare: {
      HttpReply reply = bare_reply(200);
      reply.headers.emplace_back("Content-Type", "text/plain");
      reply.body = token;
      return reply;
    }
  }
  return json_reply(json::string(token));
}

// {"name":"session","value":"<token>"}
HttpReply activate(Pbx& pbx, const std::string& token, TimePoint now) {
  const auto who = pbx.sessions.redeem(token, now);
  if (!who) return refused(pbx);
  ++pbx.counters.logins_ok;
  const auto id = pbx.sessions.open({*who});
  HttpReply reply = json_reply(true);
  reply.headers.emplace_back("Set-Cookie", cookie_of(id));
  return reply;
}

// Anybody may ask, and is told what this server can do; those logged in also who they are.
HttpReply show_session(const Pbx& pbx, const HttpRequest& request) {
  const Settings& settings = pbx.settings;
  json::object out{{"lang", "en"},
                   {"password_policy", "medium"},
                   {"allow_empty_passwords", "false"},
                   {"hosted", false},
                   {"standby", false}};
  const Identity who = asker_of(pbx, request).who;
  if (who.scope == Scope::nobody) return json_reply(out);
  const std::string user =
      who.scope == Scope::extension ? pbx.tenant.extension(who.extension).number : "admin";
  out["type"] = who.scope == Scope::extension ? "user"
                : who.scope == Scope::domain  ? "domain"
                                              : "admin";
  out["superadmin"] = who.scope == Scope::system;
  out["code_rec"] = "";
  out["edit"] = true;
  out["cuser"] = user;
  out["luser"] = user;
  out["cdomain"] = settings.domain;
  out["ldomain"] = settings.domain;
  out["country"] = "";
  out["os"] = "Debian64";
  out["recording"] = true;
  return json_reply(out);
}

HttpReply second_factor(Pbx& pbx, const HttpRequest& request, const json::object& body) {
  const auto id = session_in(request);
  const Session* session = pbx.sessions.find(id);
  if (!session) return bare_reply(401);
  const bool right = text_at(body, "token") == pbx.settings.second_factor_code;
  if (right) pbx.sessions.complete(id);
  return json_reply(right);
}

Login set_session(Pbx& pbx, const HttpRequest& request, const json::object& body, TimePoint now) {
  Login login;
  const std::string name = text_at(body, "name"), value = text_at(body, "value");
  login.of_credentials = name == "auth" || name == "3rd";
  if (login.of_credentials) {
    ++pbx.counters.actions[name == "auth" ? "login" : "third-party-login"];
    if (take_one(pbx.faults.login_not_found)) {
      ++pbx.counters.logins_refused;
      login.reply = bare_reply(404);
    } else if (take_one(pbx.faults.forbidden)) {
      login.reply = refused(pbx);
    } else {
      login.reply =
          name == "auth" ? log_in_by_password(pbx, value) : mint_token(pbx, request, body, now);
    }
  } else if (name == "session") {
    ++pbx.counters.actions["activate"];
    login.reply = activate(pbx, value, now);
  } else {
    login.reply = json_reply(name == "lang" || name == "reset");
  }
  return login;
}

}  // namespace

HttpReply json_reply(const json::value& body, unsigned status) {
  HttpReply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "application/json");
  reply.body = json::serialize(body);
  return reply;
}

HttpReply bare_reply(unsigned status) {
  HttpReply reply;
  reply.status = status;
  return reply;
}

std::string session_in(const HttpRequest& request) {
  return cookie_value(request.header("cookie"), "session");
}

Identity identity_of(const Pbx& pbx, std::string_view account, std::string_view password) {
  return identity_of(pbx, account, [&](const std::string& right) { return right == password; });
}

Asker asker_of(const Pbx& pbx, const HttpRequest& request) {
  if (!request.header("authorization").empty()) {
    const auto by = basic_credentials(request.header("authorization"));
    const Identity who = by ? identity_of(pbx, by->user, by->password) : Identity{};
    return {who, who.scope == Scope::nobody};
  }
  return {pbx.sessions.who(session_in(request))};
}

Login answer_login(Pbx& pbx, const HttpRequest& request, TimePoint now) {
  Login login;
  const bool writes = request.method == "POST" || request.method == "PUT";
  const bool second = request.path() == "/rest/system/2nd";
  if (!second && request.method == "GET") {
    login.reply = show_session(pbx, request);
    return login;
  }
  if (!second && request.method == "DELETE") {
    login.ended = session_in(request);
    const bool closed = pbx.sessions.close(login.ended);
    login.reply = closed ? json_reply(true) : bare_reply(401);
    if (!closed) login.ended.clear();
    return login;
  }
  login.reply = bare_reply(404);
  if (!writes) return login;
  boost::system::error_code not_json;
  const json::value body =
      request.body.size() <= kBodyMax ? json::parse(request.body, not_json) : json::value();
  if (not_json || !body.is_object()) {
    login.reply = bare_reply(400);
    return login;
  }
  if (!second) return set_session(pbx, request, body.get_object(), now);
  login.reply = second_factor(pbx, request, body.get_object());
  return login;
}

}  // namespace simulator::vodia
