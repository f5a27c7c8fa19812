#include "pbx/vodia/texts.h"

#include <array>
#include <charconv>

#include <openssl/evp.h>

#include "pbx/percent_encoded.h"
#include "pbx/vodia/fields.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using simdjson::ondemand::value;

constexpr std::size_t kTokenMax = 512;

void append_fields(std::string& out, std::initializer_list<Field> fields) {
  for (const Field& field : fields) {
    if (out.back() != '{') out += ',';
    append_json(out, field.key);
    out += ':';
    if (field.literal) {
      out += field.text;
    } else {
      append_json(out, field.text);
    }
  }
}

std::optional<std::string> md5_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) != 1) {
    return std::nullopt;
  }
  constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kHex[digest[i] >> 4];
    hex += kHex[digest[i] & 15];
  }
  return hex;
}

// The fields of an object, each as text; nothing if `body` is none.
template <class Visit>
bool visit_object(std::string_view body, Visit&& visit) {
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(body);
  if (!document) return false;
  return for_each_field(*document,
                        [&](std::string_view key, value& field) {
                          if (auto text = text_of(field)) visit(key, *text);
                        }) &&
         parser.finished();
}

bool is_token(std::string_view text) {
  if (text.empty() || text.size() > kTokenMax) return false;
  for (char c : text) {
    // Of a cookie's value (RFC 6265): it will be one.
    if (c <= 0x20 || c >= 0x7F || c == '"' || c == ',' || c == ';' || c == '\\' || c == '<' ||
        c == '[' || c == '{') {
      return false;
    }
  }
  return !is_word(text, "false") && !is_word(text, "true") && !is_word(text, "null");
}

// A JSON text that stands for itself.
std::optional<std::string> quoted_text(std::string_view body) {
  std::optional<std::string> found;
  const std::string wrapped = R"({"text":)" + std::string(body) + "}";
  const bool right = visit_object(wrapped, [&](std::string_view key, std::string_view text) {
    if (key == "text") found = text;
  });
  return right ? found : std::nullopt;
}

}  // namespace

std::string json_of(std::initializer_list<Field> fields) {
  std::string out = "{";
  append_fields(out, fields);
  out += '}';
  return out;
}

std::string action(std::string_view name, std::initializer_list<Field> fields) {
  std::string out = R"({"action":)";
  append_json(out, name);
  append_fields(out, fields);
  out += '}';
  return out;
}

std::string watch_lamps(std::span<const std::string> numbers) {
  std::string out = R"({"action":"blf","add":[)";
  for (const std::string& number : numbers) {
    if (out.back() != '[') out += ',';
    append_json(out, number);
  }
  out += "]}";
  return out;
}

std::string account_of(std::string_view extension, std::string_view domain) {
  return percent_encoded(extension) + "%40" + percent_encoded(domain);
}

std::string socket_target(std::string_view path, std::string_view domain, std::string_view user) {
  if (path.empty() || path == "/") return "/";
  return std::string(path) + "?domain=" + percent_encoded(domain) +
         "&user=" + percent_encoded(user);
}

std::optional<Request> log_in(std::string_view account, std::string_view password) {
  // An empty password has an empty hash.
  auto hash = password.empty() ? std::optional<std::string>("") : md5_hex(password);
  if (!hash) return std::nullopt;
  const std::string value = std::string(account) + ' ' + *hash;
  return Request{"PUT", "/rest/system/session", json_of({{"name", "auth"}, {"value", value}})};
}

Request mint_token(std::string_view domain, std::string_view extension) {
  return {"POST", "/rest/system/session",
          json_of({{"name", "3rd"}, {"domain", domain}, {"username", extension}})};
}

Request activate_token(std::string_view token) {
  return {"POST", "/rest/system/session", json_of({{"name", "session"}, {"value", token}})};
}

Request check_session() { return {"GET", "/rest/system/session", {}}; }

Request front_page() { return {"GET", "/", {}}; }

Request list_accounts(std::string_view account) {
  return {"GET", "/rest/user/" + std::string(account) + "/accounts?type=extensions", {}};
}

Request list_users(std::string_view domain) {
  return {"GET", "/rest/domain/" + percent_encoded(domain) + "/users", {}};
}

Request list_calls(std::string_view account) {
  return {"GET", "/rest/user/" + std::string(account) + "/calls", {}};
}

Request control(std::string_view account, std::initializer_list<Field> fields) {
  return {"POST", "/rest/user/" + std::string(account) + "/calls", json_of(fields)};
}

Request click_to_dial(std::string_view account, std::string_view destination) {
  return {"GET",
          "/remote_call.htm?user=" + std::string(account) +
              "&dest=" + percent_encoded(destination) + "&connect=true",
          {}};
}

Request set_dnd(std::string_view account, bool on) {
  return {"POST", "/rest/user/" + std::string(account) + "/dnd",
          json_of({{"state", on ? "true" : "false", true}})};
}

Request read_settings(std::string_view domain, std::string_view extension) {
  return {
      "GET",
      "/rest/domain/" + percent_encoded(domain) + "/user_settings/" + percent_encoded(extension),
      {}};
}

Request write_settings(std::string_view domain, std::string_view extension, bool legacy,
                       std::initializer_list<Field> fields) {
  Request request = read_settings(domain, extension);
  request.method = legacy ? "PUT" : "POST";
  request.body = json_of(fields);
  return request;
}

std::string basic_authorization(std::string_view user, std::string_view password) {
  const std::string pair = std::string(user) + ':' + std::string(password);
  std::string code(4 * ((pair.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(code.data()),
                                   reinterpret_cast<const unsigned char*>(pair.data()),
                                   static_cast<int>(pair.size()));
  code.resize(static_cast<std::size_t>(size));
  return "Basic " + code;
}

bool is_refusal(std::string_view body) {
  body = trimmed(body);
  if (body.size() >= 2 && body.front() == '"' && body.back() == '"') {
    body = trimmed(body.substr(1, body.size() - 2));
  }
  return body.empty() || is_word(body, "false") || is_word(body, "null");
}

std::optional<std::string> token_of(std::string_view body) {
  body = trimmed(body);
  if (is_refusal(body) || body.size() > 4 * kTokenMax) return std::nullopt;
  std::optional<std::string> token;
  if (body.front() == '"') {
    token = quoted_text(body);
  } else if (body.front() == '{') {
    // The first of these that there is.
    constexpr std::string_view kKeys[] = {"session", "value", "token"};
    std::size_t best = std::size(kKeys);
    visit_object(body, [&](std::string_view key, std::string_view text) {
      for (std::size_t i = 0; i < best; ++i) {
        if (key != kKeys[i]) continue;
        best = i;
        token = text;
      }
    });
  } else {
    token = body;
  }
  return token && is_token(*token) ? token : std::nullopt;
}

bool asks_second_factor(std::string_view body) {
  body = trimmed(body);
  if (!body.starts_with('{')) return folded(body.substr(0, 64)) == "2nd";
  bool asks = false;
  visit_object(body, [&](std::string_view key, std::string_view text) {
    const std::string word = folded(key);
    if (word == "2nd" || word == "2fa" || word == "method" || word == "methods" ||
        word == "secondfactor" || folded(text) == "2nd" || folded(text) == "2fa") {
      asks = true;
    }
  });
  return asks;
}

SessionInfo session_of(std::string_view body) {
  SessionInfo info;
  bool type = false;
  const bool right = visit_object(body, [&](std::string_view key, std::string_view text) {
    if (key == "type") type = !text.empty();
    if (key == "cuser") info.user = text;
    if (key == "cdomain") info.domain = text;
  });
  info.alive = right && (type || !info.user.empty());
  return info;
}

base::Result<ForwardingSettings> forwarding_of(std::string_view body) {
  ForwardingSettings settings;
  const bool right = visit_object(body, [&](std::string_view key, std::string_view text) {
    if (key == "cfa") settings.all = text;
    if (key == "cfb") settings.busy = text;
    if (key == "cfn") settings.no_answer = text;
  });
  if (!right) return Errc::bad_frame;
  return settings;
}

std::optional<int> generation_of(std::string_view server) {
  const auto at = server.find("PBX/");
  if (at == std::string_view::npos) return std::nullopt;
  server.remove_prefix(at + 4);
  int major = 0;
  const auto [end, failure] = std::from_chars(server.data(), server.data() + server.size(), major);
  if (failure != std::errc{} || major <= 0) return std::nullopt;
  return major;
}

std::string session_cookie(const HttpReply& reply) {
  constexpr std::string_view kName = "session=";
  for (const auto& [name, header] : reply.headers) {
    if (name != "set-cookie") continue;
    const auto pair = trimmed(std::string_view(header).substr(0, header.find(';')));
    if (!pair.starts_with(kName)) continue;
    auto cookie = pair.substr(kName.size());
    if (cookie.size() >= 2 && cookie.front() == '"' && cookie.back() == '"') {
      cookie = cookie.substr(1, cookie.size() - 2);
    }
    if (is_token(cookie)) return std::string(cookie);
  }
  return {};
}

}  // namespace pbx::vodia
