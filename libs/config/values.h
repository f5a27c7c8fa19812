#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace config {

struct HostPort {
  std::string host;  // a name or an address; IPv6 without its brackets
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

// What the text of a setting means; nothing if it means nothing. All pure.

// Decimal digits, with a '-' if need be.
std::optional<std::int64_t> integer_from(std::string_view text);
// "500ms", "10s", "5m", "2h" or "1d".
std::optional<std::chrono::milliseconds> duration_from(std::string_view text);
// "512B", "64KiB", "16MiB" or "1GiB".
std::optional<std::uint64_t> bytes_from(std::string_view text);
// "true" or "false".
std::optional<bool> boolean_from(std::string_view text);
// "host:port", "[v6 address]:port", and just the host if there is a `port_otherwise`.
std::optional<HostPort> host_port_from(std::string_view text,
                                       std::optional<std::uint16_t> port_otherwise);

// The same in the other direction, with the largest unit that divides evenly.
std::string text_of(std::chrono::milliseconds duration);
std::string text_of_bytes(std::uint64_t bytes);
std::string text_of(const HostPort& address);

}  // namespace config
