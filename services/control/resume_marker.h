#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace control {

// A place in the stream of events.
struct Place {
  std::uint64_t created = 0;   // when the stream was made: another stream has other sequences
  std::uint64_t sequence = 0;  // the last message that was dealt with
  // Tokens of tenants whose initial state is still owed to the watcher.
  std::vector<std::string> owed;

  bool operator==(const Place&) const = default;
};

// The place as watchers keep it; good for a watch with the same filter only.
std::string marker_of(const Place& place, std::string_view filter);
std::optional<Place> place_of(std::string_view marker, std::string_view filter);

}  // namespace control
