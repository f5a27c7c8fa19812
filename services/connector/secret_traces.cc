#include "connector/secret_traces.h"

#include <array>

namespace connector {
namespace {

constexpr std::size_t kBits = 1u << 19;  // 64 KiB
constexpr std::size_t kBeginning = 8;    // bytes: enough to tell a secret from a word
constexpr std::size_t kCutMark = 3;      // bytes: "…" or "..." after what was cut

// What a trace is of: the first bytes of a secret that has kBeginning of them, or of a shorter one;
// and of any, for where no more is left of it.
enum class Of : std::uint64_t { whole = 1, of_short, cut };

// A Bloom filter's places. Nobody who does not know a secret can choose them.
std::array<std::size_t, 3> places_of(Of what, std::string_view beginning) {
  std::uint64_t hash = 0xcbf29ce484222325 ^ static_cast<std::uint64_t>(what);
  for (const char c : beginning) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  // FNV leaves the high bits of short texts alike; this does not.
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
  hash ^= hash >> 31;
  return {hash % kBits, (hash >> 20) % kBits, (hash >> 40) % kBits};
}

}  // namespace

void SecretTraces::add(std::string_view secret) {
  bits_.resize(kBits);
  const auto keep = [this](Of what, std::string_view beginning) {
    for (const auto place : places_of(what, beginning)) bits_[place] = true;
  };
  if (secret.size() >= kBeginning) {
    keep(Of::whole, secret.substr(0, kBeginning));
  } else {
    keep(Of::of_short, secret.substr(0, kShortest));
  }
  keep(Of::cut, secret.substr(0, kShortest));
}

bool SecretTraces::may_begin(std::string_view text) const {
  if (bits_.empty() || text.size() < kShortest) return false;
  const auto has = [this](Of what, std::string_view beginning) {
    for (const auto place : places_of(what, beginning)) {
      if (!bits_[place]) return false;
    }
    return true;
  };
  const auto four = text.substr(0, kShortest);
  return has(Of::of_short, four) || (text.size() < kBeginning + kCutMark && has(Of::cut, four)) ||
         (text.size() >= kBeginning && has(Of::whole, text.substr(0, kBeginning)));
}

}  // namespace connector
