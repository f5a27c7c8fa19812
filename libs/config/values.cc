#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace config {
namespace {

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto* end = text.data() + text.size();
  auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end || text.empty()) return std::nullopt;
  return number;
}

struct Unit {
  std::string_view name;
  std::uint64_t size;
};

// Largest first. "ms" and "m" cannot be mixed up: a unit is all that follows the digits.
constexpr std::array kDurations{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                Unit{"s", 1'000}, Unit{"ms", 1}};
constexpr std::array kBytes{Unit{"GiB", 1ULL << 30}, Unit{"MiB", 1ULL << 20}, Unit{"KiB", 1 << 10},
                            Unit{"B", 1}};

template <std::size_t N>
std::optional<std::uint64_t> quantity_from(std::string_view text,
                                           const std::array<Unit, N>& units) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = number_from<std::uint64_t>(text.substr(0, digits));
  if (!number) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  for (const auto& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    if (*number > kMost / unit.size) return std::nullopt;
    return *number * unit.size;
  }
  return std::nullopt;
}

template <std::size_t N>
std::string quantity_text(std::uint64_t number, const std::array<Unit, N>& units) {
  if (number == 0) return "0" + std::string(units[N - 1].name);
  for (const auto& unit : units) {
    if (number % unit.size == 0) return std::to_string(number / unit.size) + std::string(unit.name);
  }
  return {};  // the smallest unit is 1
}

bool is_host(std::string_view text) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  return !text.empty() && text.size() <= 253 &&
         text.find_first_not_of(kAllowed) == std::string_view::npos && text.front() != '-' &&
         text.front() != '.';
}

bool is_v6(std::string_view text) {
  // Enough to catch what was mistyped; the resolver has the last word.
  return text.size() >= 2 && text.size() <= 45 &&
         text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos &&
         std::count(text.begin(), text.end(), ':') >= 2;
}

}  // namespace

std::optional<std::int64_t> integer_from(std::string_view text) {
  return number_from<std::int64_t>(text);
}

std::optional<std::chrono::milliseconds> duration_from(std::string_view text) {
  const auto number = quantity_from(text, kDurations);
  if (!number) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*number));
}

std::optional<std::uint64_t> bytes_from(std::string_view text) {
  return quantity_from(text, kBytes);
}

std::optional<bool> boolean_from(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<HostPort> host_port_from(std::string_view text,
                                       std::optional<std::uint16_t> port_otherwise) {
  std::string_view host, rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!is_v6(host)) return std::nullopt;
  } else {
    const auto colon = text.find(':');
    host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (!is_host(host)) return std::nullopt;
  }
  if (rest.empty()) {
    if (!port_otherwise) return std::nullopt;
    return HostPort{std::string(host), *port_otherwise};
  }
  if (rest.front() != ':') return std::nullopt;
  const auto port = number_from<std::uint16_t>(rest.substr(1));
  if (!port) return std::nullopt;
  return HostPort{std::string(host), *port};
}

std::string text_of(std::chrono::milliseconds duration) {
  return quantity_text(static_cast<std::uint64_t>(duration.count()), kDurations);
}

std::string text_of_bytes(std::uint64_t bytes) { return quantity_text(bytes, kBytes); }

std::string text_of(const HostPort& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

}  // namespace config
