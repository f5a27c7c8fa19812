#include "pbx/innovaphone/digest.h"

#include <algorithm>
#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace pbx::innovaphone {
namespace {

constexpr char kHex[] = "0123456789abcdef";

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    return {};
  }
  std::string hex;
  hex.reserve(2 * size);
  for (unsigned i = 0; i < size; ++i) {
    hex += kHex[digest[i] >> 4];
    hex += kHex[digest[i] & 15];
  }
  return hex;
}

std::optional<unsigned> hex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return std::nullopt;
  unsigned number = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
    number = number * 16 + digit;
  }
  return number;
}

void append_utf8(std::string& out, unsigned code) {
  const auto add = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | code >> 6);
    add(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  } else {
    add(0xF0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3F));
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  }
}

// The escape that begins at text[at], a backslash. Returns where the text goes on.
std::size_t append_escape(std::string& out, std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) {
    out += '\\';
    return at + 1;
  }
  const char kind = text[at + 1];
  if (kind == '/') {
    out += '/';
    return at + 2;
  }
  if (kind != 'u') {
    out.append(text, at, 2);
    return at + 2;
  }
  const auto first = hex4(text, at + 2);
  if (!first) {
    out.append(text, at, 2);
    return at + 2;
  }
  if (*first >= 0xD800 && *first < 0xDC00 && text.substr(at + 6).starts_with("\\u")) {
    const auto second = hex4(text, at + 8);
    if (second && *second >= 0xDC00 && *second < 0xE000) {
      append_utf8(out, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
      return at + 12;
    }
  }
  if (*first == '"' || *first == '\\') {
    out += '\\';
    out += static_cast<char>(*first);
  } else if (*first < 0x20 || *first == 0x7F || (*first >= 0xD800 && *first < 0xE000)) {
    out.append(text, at, 6);  // has to be escaped; how, is not known
  } else {
    append_utf8(out, *first);
  }
  return at + 6;
}

bool same(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace

std::string login_digest(const LoginFields& fields, std::string_view challenge,
                         std::string_view password) {
  std::string text;
  for (const std::string* it :
       {&fields.app, &fields.domain, &fields.sip, &fields.guid, &fields.dn}) {
    text += *it;
    text += ':';
  }
  if (fields.info) {
    text += *fields.info;
    text += ':';
  }
  text += challenge;
  text += ':';
  text += password;
  std::string digest = sha256(text);
  OPENSSL_cleanse(text.data(), text.size());
  return digest;
}

bool digest_matches(const LoginFields& fields, std::string_view challenge,
                    std::string_view password, std::string_view digest) {
  const std::string expected = login_digest(fields, challenge, password);
  if (expected.empty()) return false;
  if (same(expected, digest)) return true;
  if (!fields.info) return false;
  LoginFields compact = fields;
  compact.info = compact_json(*fields.info);
  if (compact.info == fields.info) return false;
  return same(login_digest(compact, challenge, password), digest);
}

std::string compact_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool quoted = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (quoted && c == '\\') {
      at = append_escape(out, text, at);
      continue;
    }
    if (c == '"') quoted = !quoted;
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (quoted || !blank) out += c;
    ++at;
  }
  return out;
}

bool signable(std::string_view text, std::size_t most) {
  return text.size() <= most && std::none_of(text.begin(), text.end(), [](char c) {
           return c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

}  // namespace pbx::innovaphone
