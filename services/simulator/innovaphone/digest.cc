#include "simulator/innovaphone/digest.h"

#include <array>
#include <cstdint>
#include <numeric>
#include <utility>

#include <openssl/sha.h>

namespace simulator::innovaphone {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::string hex(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    out += kHex[value >> 4];
    out += kHex[value & 15];
  }
  return out;
}

// RC4: OpenSSL 3 keeps it in a provider that is not loaded.
std::string rc4(std::string_view key, std::string_view data) {
  std::array<std::uint8_t, 256> state{};
  std::iota(state.begin(), state.end(), std::uint8_t{0});
  for (std::size_t i = 0, j = 0; i < 256; ++i) {
    j = (j + state[i] + static_cast<unsigned char>(key[i % key.size()])) & 255;
    std::swap(state[i], state[j]);
  }
  std::string out;
  std::size_t i = 0, j = 0;
  for (const char byte : data) {
    i = (i + 1) & 255;
    j = (j + state[i]) & 255;
    std::swap(state[i], state[j]);
    const auto mask = state[(state[i] + state[j]) & 255];
    out += static_cast<char>(static_cast<unsigned char>(byte) ^ mask);
  }
  return out;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t after_spaces(std::string_view json, std::size_t at) {
  while (at < json.size() && is_space(json[at])) ++at;
  return at;
}

// Behind the closing quote of the string that begins at `at`.
std::size_t after_string(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

std::size_t after_value(std::string_view json, std::size_t at) {
  int depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = after_string(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // of the object around it
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || is_space(c))) {
      return at;
    }
    ++at;
  }
  return at;
}

std::optional<std::uint32_t> four_hex(std::string_view json, std::size_t at) {
  if (at + 4 > json.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const char small = json[i] >= 'A' && json[i] <= 'F' ? static_cast<char>(json[i] + 32) : json[i];
    const auto digit = kHex.find(small);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xc0 | point >> 6);
    add(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    add(0xe0 | point >> 12);
    add(0x80 | (point >> 6 & 0x3f));
    add(0x80 | (point & 0x3f));
  } else {
    add(0xf0 | point >> 18);
    add(0x80 | (point >> 12 & 0x3f));
    add(0x80 | (point >> 6 & 0x3f));
    add(0x80 | (point & 0x3f));
  }
}

// The escape at `at` ("\u00e9"), undone if it need not be; returns where it ends.
std::size_t append_escape(std::string& out, std::string_view json, std::size_t at) {
  if (at + 1 < json.size() && json[at + 1] == '/') {
    out += '/';
    return at + 2;
  }
  const auto unit =
      at + 1 < json.size() && json[at + 1] == 'u' ? four_hex(json, at + 2) : std::nullopt;
  if (unit && *unit >= 0xd800 && *unit < 0xdc00 && json.substr(at + 6, 2) == "\\u") {
    const auto low = four_hex(json, at + 8);
    if (low && *low >= 0xdc00 && *low < 0xe000) {
      append_utf8(out, 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00));
      return at + 12;
    }
  }
  const bool printable = unit && *unit >= 0x20 && *unit != 0x7f && *unit != '"' && *unit != '\\' &&
                         (*unit < 0xd800 || *unit >= 0xe000);
  if (printable) {
    append_utf8(out, *unit);
    return at + 6;
  }
  out += json.substr(at, 2);
  return at + 2;
}

}  // namespace

std::string sha256_hex(std::string_view text) {
  unsigned char out[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out);
  return hex({reinterpret_cast<const char*>(out), sizeof out});
}

std::string login_digest(const LoginFields& login, std::string_view challenge,
                         std::string_view password) {
  std::string text;
  for (const auto* field : {&login.app, &login.domain, &login.sip, &login.guid, &login.dn}) {
    text += *field + ':';
  }
  if (login.info) text += *login.info + ':';
  text += challenge;
  text += ':';
  text += password;
  return sha256_hex(text);
}

std::string session_key(std::string_view challenge, std::string_view password) {
  return sha256_hex("innovaphoneAppSessionKey:" + std::string(challenge) + ':' +
                    std::string(password));
}

std::string encrypted(std::string_view seed, std::string_view key, std::string_view data) {
  return hex(rc4(std::string(seed) + ':' + std::string(key), data));
}

std::string keyed_hash(std::string_view seed, std::string_view key, std::string_view data) {
  return sha256_hex(std::string(seed) + ':' + std::string(key) + ':' + std::string(data));
}

std::string normalised(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    if (is_space(json[at])) {
      ++at;
    } else if (json[at] != '"') {
      out += json[at++];
    } else {
      const std::size_t end = std::min(after_string(json, at), json.size());
      while (at < end) {
        if (json[at] == '\\') {
          at = append_escape(out, json, at);
        } else {
          out += json[at++];
        }
      }
    }
  }
  return out;
}

std::optional<std::string_view> raw_member(std::string_view json, std::string_view name) {
  std::size_t at = after_spaces(json, 0);
  if (at >= json.size() || json[at] != '{') return std::nullopt;
  at = after_spaces(json, at + 1);
  while (at < json.size() && json[at] == '"') {
    const std::size_t key_end = std::min(after_string(json, at), json.size());
    const auto key = json.substr(at, key_end - at);
    at = after_spaces(json, key_end);
    if (at >= json.size() || json[at] != ':') return std::nullopt;
    at = after_spaces(json, at + 1);
    const std::size_t end = std::min(after_value(json, at), json.size());
    if (key.size() == name.size() + 2 && key.substr(1, name.size()) == name) {
      const auto value = json.substr(at, end - at);
      return value == "null" ? std::nullopt : std::optional(value);
    }
    at = after_spaces(json, end);
    if (at < json.size() && json[at] == ',') at = after_spaces(json, at + 1);
  }
  return std::nullopt;
}

}  // namespace simulator::innovaphone
