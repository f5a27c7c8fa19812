#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Small things about texts that HTTP and this vendor's logins need.
namespace simulator::vodia {

std::string md5_hex(std::string_view text);
// Nothing if it is none.
std::optional<std::string> base64_decoded(std::string_view text);
// Nothing if there is a '%' without two hexadecimal digits after it.
std::optional<std::string> percent_decoded(std::string_view text);

// "a=1&b=2": the value of the first of that name, decoded; empty if there is none.
std::string query_value(std::string_view query, std::string_view name);
// "/rest/user/501%40acme": decoded, without empty ones. Empty if it cannot be decoded.
std::vector<std::string> path_parts(std::string_view path);
// "session" of "lang=en; session=abc".
std::string cookie_value(std::string_view header, std::string_view name);

struct Credentials {
  std::string user, password;
};
// Of an Authorization header; nothing if that is none of the Basic kind.
std::optional<Credentials> basic_credentials(std::string_view header);

// "501@acme": the parts before and after the last '@'; the second is empty without one.
std::pair<std::string, std::string> split_account(std::string_view account);

}  // namespace simulator::vodia
