#include "control/opaque.h"

#include <array>

#include <openssl/sha.h>

namespace control {
namespace {

constexpr std::size_t kSumBytes = 8;
constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string checksum(std::string_view payload, std::string_view context) {
  const std::string both = Packer().add(payload).add(context).text();
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(both.data()), both.size(), digest.data());
  return std::string(digest.begin(), digest.begin() + kSumBytes);
}

// RFC 4648, section 5, without padding.
std::string to_base64url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int waiting = 0;
  for (char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    waiting += 8;
    while (waiting >= 6) {
      waiting -= 6;
      text += kAlphabet[bits >> waiting & 63];
    }
  }
  if (waiting > 0) text += kAlphabet[bits << (6 - waiting) & 63];
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int waiting = 0;
  for (char c : text) {
    const std::size_t value = std::string_view(kAlphabet, 64).find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    waiting += 6;
    if (waiting >= 8) {
      waiting -= 8;
      bytes += static_cast<char>(bits >> waiting & 255);
    }
  }
  return bytes;
}

}  // namespace

std::string seal(std::string_view payload, std::string_view context) {
  return to_base64url(checksum(payload, context).append(payload));
}

std::optional<std::string> unseal(std::string_view text, std::string_view context) {
  const auto bytes = from_base64url(text);
  if (!bytes || bytes->size() < kSumBytes) return std::nullopt;
  const std::string payload = bytes->substr(kSumBytes);
  // Also true of texts that only decode alike: each has one spelling.
  if (seal(payload, context) != text) return std::nullopt;
  return payload;
}

Packer& Packer::add(std::string_view text) {
  text_.append(std::to_string(text.size())).append(1, ':').append(text);
  return *this;
}

Packer& Packer::add(std::uint64_t number) { return add(std::to_string(number)); }

std::optional<std::vector<std::string>> unpack(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    if (colon == 0 || colon > 9) return std::nullopt;
    std::size_t size = 0;
    for (char c : text.substr(0, colon)) {
      if (c < '0' || c > '9') return std::nullopt;
      size = size * 10 + static_cast<std::size_t>(c - '0');
    }
    text.remove_prefix(colon + 1);
    if (size > text.size()) return std::nullopt;
    parts.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return parts;
}

}  // namespace control
