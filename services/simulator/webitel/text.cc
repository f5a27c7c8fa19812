#include "simulator/webitel/text.h"

#include <charconv>
#include <cmath>

namespace simulator::webitel {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace

// These characters occur in strings only, so that the text may be escaped as a whole.
std::string go_text(const json::value& value) {
  const std::string plain = json::serialize(value);
  std::string out;
  out.reserve(plain.size() + 1);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const std::string_view here = std::string_view(plain).substr(i, 3);
    if (here == "\xe2\x80\xa8" || here == "\xe2\x80\xa9") {
      out += here[2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
      continue;
    }
    switch (plain[i]) {
      case '<': out += "\\u003c"; break;
      case '>': out += "\\u003e"; break;
      case '&': out += "\\u0026"; break;
      default: out += plain[i];
    }
  }
  return out += '\n';
}

std::optional<std::int64_t> number_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_number()) return std::nullopt;
  if (value->is_double()) {
    const double number = value->get_double();
    if (!std::isfinite(number) || std::abs(number) > 9e15) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  boost::system::error_code wrong;
  const auto number = value->to_number<std::int64_t>(wrong);
  if (wrong) return std::nullopt;
  return number;
}

std::optional<bool> boolean_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

const json::object* object_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value ? value->if_object() : nullptr;
}

std::optional<std::int64_t> integer_from(std::string_view text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> id_from(const json::value* value) {
  if (!value) return std::nullopt;
  if (value->is_string()) return integer_from(value->get_string());
  boost::system::error_code wrong;
  const auto number = value->is_number() ? value->to_number<std::int64_t>(wrong) : 0;
  if (!value->is_number() || wrong) return std::nullopt;
  return number;
}

std::vector<std::string> query_values(std::string_view query, std::string_view name) {
  std::vector<std::string> all;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto item = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(item.find('='), item.size());
    if (decoded(item.substr(0, equals), true) != name) continue;
    all.push_back(decoded(item.substr(std::min(equals + 1, item.size())), true).value_or(""));
  }
  return all;
}

std::vector<std::string> path_parts(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    auto part = decoded(path.substr(0, end), false);
    if (!part) return {};
    if (!part->empty()) parts.push_back(std::move(*part));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

}  // namespace simulator::webitel
