#include "wire/token.h"

#include <array>
#include <cstdint>

namespace wire {
namespace {

constexpr char kEscape = '_';
constexpr char kHex[] = "0123456789abcdef";

// Spelled out: what isalnum() says depends on the locale.
constexpr bool stands_for_itself(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (int byte = 0; byte < 256; ++byte) {
    plain[static_cast<std::size_t>(byte)] = stands_for_itself(static_cast<char>(byte));
  }
  return plain;
}();

std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

}  // namespace

void append_token(std::string& out, std::string_view text) {
  if (text.empty()) out += kEscape;
  for (char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (kPlain[byte]) {
      out += c;
    } else {
      out += kEscape;
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    }
  }
}

std::string to_token(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_token(out, text);
  return out;
}

std::optional<std::string> from_token(std::string_view token) {
  if (token == "_") return "";
  if (token.empty()) return std::nullopt;
  std::string out;
  out.reserve(token.size());
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (stands_for_itself(token[i])) {
      out += token[i];
      continue;
    }
    if (token[i] != kEscape || token.size() - i < 3) return std::nullopt;
    const auto high = digit(token[i + 1]), low = digit(token[i + 2]);
    if (!high || !low) return std::nullopt;
    const char c = static_cast<char>(*high << 4 | *low);
    if (stands_for_itself(c)) return std::nullopt;  // one text has one token
    out += c;
    i += 2;
  }
  return out;
}

}  // namespace wire
