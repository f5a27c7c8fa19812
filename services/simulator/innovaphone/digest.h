#pragma once

#include <optional>
#include <string>
#include <string_view>

// How logins are proven: SHA-256 over what they say, the challenge and the password.
namespace simulator::innovaphone {

// What a login says of itself. `info` is the text of its JSON, as it stands in the message; none if
// there is no such field.
struct LoginFields {
  std::string app, domain, sip, guid, dn;
  std::optional<std::string> info;
};

// 64 small hex digits.
std::string login_digest(const LoginFields& login, std::string_view challenge,
                         std::string_view password);
std::string session_key(std::string_view challenge, std::string_view password);

// Of single fields inside messages, with a session key.
std::string encrypted(std::string_view seed, std::string_view key, std::string_view data);  // hex
std::string keyed_hash(std::string_view seed, std::string_view key, std::string_view data);

std::string sha256_hex(std::string_view text);

// JSON without white space between its parts and without escapes that need not be, keys in the
// order they came in. `json` has to be JSON.
std::string normalised(std::string_view json);

// The text of a member of the object `json`, which has to be JSON; none if there is no such member,
// or it is null.
std::optional<std::string_view> raw_member(std::string_view json, std::string_view name);

}  // namespace simulator::innovaphone
