#include "config/problem.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <numeric>
#include <vector>

namespace config {
namespace {

constexpr std::size_t kShownMax = 60;
constexpr std::size_t kComparedMax = 64;  // longer words are nobody's slip of the finger

char folded(char c) {
  return c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

// Optimal string alignment: insertions, deletions, changes and swaps of neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                           folded(a[i - 2]) == folded(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last.back();
}

// nats://user:password@host: what stands before the host is not ours to show.
std::string without_credentials(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(text);
  const auto scheme = text.find("://");
  const auto from = scheme == std::string_view::npos || scheme > at ? 0 : scheme + 3;
  return std::string(text.substr(0, from)) + "***" + std::string(text.substr(at));
}

}  // namespace

std::string Problem::text() const {
  std::string out;
  if (!variable.empty()) {
    out = "environment " + variable;
  } else {
    out = file;
    if (line > 0) out += ':' + std::to_string(line);
  }
  if (!path.empty()) out += ": " + path;
  return out + ": " + message;
}

std::string quote(std::string_view text) {
  const auto shown = without_credentials(text);
  std::string out = "\"";
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto byte = static_cast<unsigned char>(shown[i]);
    const bool continues = (byte & 0xC0) == 0x80;  // never cut within a UTF-8 character
    if (i >= kShownMax && !continues) {
      out += "…";
      break;
    }
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += shown[i];
    } else if (byte < 0x20 || byte == 0x7F) {
      std::array<char, 5> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
      out += escaped.data();
    } else {
      out += shown[i];
    }
  }
  return out + '"';
}

std::string_view nearest(std::string_view word, std::span<const std::string> known) {
  if (word.size() > kComparedMax) return {};
  std::string_view found;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : known) {
    if (candidate.size() > kComparedMax) continue;
    const auto it = distance(word, candidate);
    if (it < least) {
      least = it;
      found = candidate;
    }
  }
  return found;
}

}  // namespace config
