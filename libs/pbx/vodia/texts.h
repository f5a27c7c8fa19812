#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pbx/session.h"

// What is said to a Vodia PBX: texts on its WebSocket, and REST requests; and how REST answers.
namespace pbx::vodia {

// ---- On the WebSocket. ----

// A field of a message: text, or with `literal` a number, a flag or JSON that is written as it is.
struct Field {
  std::string_view key, text;
  bool literal = false;
};
std::string json_of(std::initializer_list<Field> fields);
// {"action":"…", and the fields}
std::string action(std::string_view name, std::initializer_list<Field> fields = {});
// {"action":"blf","add":[…]}
std::string watch_lamps(std::span<const std::string> numbers);

// ---- Over REST. ----

struct Request {
  std::string method, target, body;
};

// "501@tenant" as a part of a path.
std::string account_of(std::string_view extension, std::string_view domain);
// "/websocket?domain=…&user=…"; a path of "/" is a server's of 2016 and takes no query.
std::string socket_target(std::string_view path, std::string_view domain, std::string_view user);

// Login A. Nothing if OpenSSL does not offer MD5 (FIPS).
std::optional<Request> log_in(std::string_view account, std::string_view password);
// Login B: a token, with the system administrator's Basic authorization, and its activation.
Request mint_token(std::string_view domain, std::string_view extension);
Request activate_token(std::string_view token);
Request check_session();
Request front_page();
Request list_accounts(std::string_view account);
Request list_users(std::string_view domain);  // accounts of all types
Request list_calls(std::string_view account);
// POST …/calls with one of its bodies: {"hangup":"<id>"}, {"transfer":"<id>","number":"<dest>"}, …
Request control(std::string_view account, std::initializer_list<Field> fields);
Request click_to_dial(std::string_view account, std::string_view destination);
Request set_dnd(std::string_view account, bool on);
Request read_settings(std::string_view domain, std::string_view extension);
Request write_settings(std::string_view domain, std::string_view extension, bool legacy,
                       std::initializer_list<Field> fields);

// "Basic …". A secret.
std::string basic_authorization(std::string_view user, std::string_view password);

// ---- How it answers. ----

// 200 with one of these is a refusal: nothing, "", false, "false", null.
bool is_refusal(std::string_view body);
// The session id or token in an answer: quoted, bare, or in an object. Nothing if it is a refusal
// or something else, a page for browsers for example.
std::optional<std::string> token_of(std::string_view body);
// An object that asks for a second factor instead of giving a session.
bool asks_second_factor(std::string_view body);

// What GET session says of us. Without a valid cookie it tells capabilities only.
struct SessionInfo {
  bool alive = false;
  std::string user, domain;  // may be empty: an administrator's
};
SessionInfo session_of(std::string_view body);

// cfa, cfb, cfn as user_settings have them; nothing: not in the answer.
struct ForwardingSettings {
  std::optional<std::string> all, busy, no_answer;
};
base::Result<ForwardingSettings> forwarding_of(std::string_view body);

// 70 of "PBX/70.1", "PBX/67.0.5 (Debian64)"; nothing if it does not say.
std::optional<int> generation_of(std::string_view server);
// The value of the cookie `session`; empty if none is set.
std::string session_cookie(const HttpReply& reply);

}  // namespace pbx::vodia
