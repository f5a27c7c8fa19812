#include "simulator/read_pattern.h"

namespace simulator {
namespace {

constexpr std::size_t kUsersMax = 100'000;

}  // namespace

engine::ExtensionPattern read_pattern(const config::Section& section, std::string_view key,
                                      const char* otherwise, std::string_view doc) {
  constexpr std::string_view kPlace = "{extension}";
  const auto text = section.text(key, {.doc = doc, .otherwise = otherwise});
  const auto at = text.find(kPlace);
  if (at == std::string::npos) {
    section.wrong(key, "found \"" + text + "\"; expected a text with {extension} in it");
    return {};
  }
  return {text.substr(0, at), text.substr(at + kPlace.size())};
}

std::vector<std::string> read_numbers(const config::Section& section, std::string_view key,
                                      std::string_view doc) {
  return section.list(
      key, {.doc = doc, .otherwise = std::vector<std::string>{}, .count_max = kUsersMax});
}

}  // namespace simulator
