#include "bus/nkey.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <openssl/evp.h>

namespace bus {

using base::Errc;

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kKeySize = 32, kChecksumSize = 2;
constexpr std::size_t kSeedSize = 2 + kKeySize + kChecksumSize;
// Five bits each, so that base32 begins with this letter.
constexpr unsigned kSeedPrefix = 18u << 3;  // S
constexpr unsigned kUserPrefix = 20u << 3;  // U

using Bytes = std::vector<std::uint8_t>;

std::optional<Bytes> from_base32(std::string_view text) {
  Bytes bytes;
  unsigned buffer = 0, bits = 0;
  for (const char it : text) {
    const auto value = kAlphabet.find(it);
    if (value == std::string_view::npos) return std::nullopt;
    buffer = (buffer << 5 | static_cast<unsigned>(value)) & 0xfffu;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::uint8_t>(buffer >> bits));
  }
  return bytes;
}

std::string to_base32(std::span<const std::uint8_t> bytes) {
  std::string text;
  unsigned buffer = 0, bits = 0;
  for (const auto it : bytes) {
    buffer = (buffer << 8 | it) & 0xfffu;
    for (bits += 8; bits >= 5; bits -= 5) text += kAlphabet[buffer >> (bits - 5) & 31u];
  }
  if (bits > 0) text += kAlphabet[buffer << (5 - bits) & 31u];
  return text;
}

// CRC-16 as in XMODEM.
std::uint16_t checksum(std::span<const std::uint8_t> bytes) {
  unsigned crc = 0;
  for (const auto it : bytes) {
    crc ^= static_cast<unsigned>(it) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000u) ? crc << 1 ^ 0x1021u : crc << 1;
  }
  return static_cast<std::uint16_t>(crc & 0xffffu);
}

}  // namespace

base::Result<std::string> public_nkey(std::string_view seed) {
  const auto bytes = from_base32(seed);
  if (!bytes || bytes->size() != kSeedSize) return Errc::invalid_argument;
  const std::span<const std::uint8_t> all(*bytes);
  const auto checked = all.first(kSeedSize - kChecksumSize);
  const unsigned found = all[kSeedSize - 2] | static_cast<unsigned>(all[kSeedSize - 1]) << 8;
  // The last three bits of the first byte and the first five of the second are the public prefix.
  const unsigned prefix = (all[0] & 7u) << 5 | static_cast<unsigned>(all[1]) >> 3;
  if (found != checksum(checked) || (all[0] & ~7u) != kSeedPrefix || prefix != kUserPrefix) {
    return Errc::invalid_argument;
  }
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, all.data() + 2, kKeySize),
      &EVP_PKEY_free);
  Bytes made(1 + kKeySize + kChecksumSize);
  std::size_t size = kKeySize;
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), made.data() + 1, &size) != 1) {
    return Errc::internal;
  }
  made[0] = static_cast<std::uint8_t>(kUserPrefix);
  const auto sum = checksum(std::span(made).first(1 + kKeySize));
  made[1 + kKeySize] = static_cast<std::uint8_t>(sum & 0xffu);
  made[2 + kKeySize] = static_cast<std::uint8_t>(sum >> 8);
  return to_base32(made);
}

}  // namespace bus
