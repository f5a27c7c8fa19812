#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "google/rpc/status.pb.h"

namespace control {

// No marker is longer, so that the status of a watch that ends can carry it whole, beside all else,
// in the 8 KiB that gRPC has for trailers. A place that would need a longer one has none.
inline constexpr std::size_t kMarkerMax = 2'048;

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

// The status of a watch that can go on from `marker`, if there is one: in the metadata of its
// ErrorInfo, whole. (What else stands there is cut to a length that is too short for this.)
google::rpc::Status resumable(google::rpc::Status status, const std::string& marker);

}  // namespace control
