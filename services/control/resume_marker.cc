#include "control/resume_marker.h"

#include <charconv>
#include <iterator>

#include "control/opaque.h"
#include "google/rpc/error_details.pb.h"

namespace control {
namespace {

constexpr char kContext[] = "watch";

bool read(const std::string& digits, std::uint64_t& number) {
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc{} && stop == end;
}

}  // namespace

std::string marker_of(const Place& place, std::string_view filter) {
  Packer payload;
  payload.add(place.created).add(place.sequence);
  for (const std::string& token : place.owed) payload.add(token);
  return seal(payload.text(), Packer().add(kContext).add(filter).text());
}

std::optional<Place> place_of(std::string_view marker, std::string_view filter) {
  const auto payload = unseal(marker, Packer().add(kContext).add(filter).text());
  if (!payload) return std::nullopt;
  auto parts = unpack(*payload);
  Place place;
  if (!parts || parts->size() < 2 || !read((*parts)[0], place.created) ||
      !read((*parts)[1], place.sequence)) {
    return std::nullopt;
  }
  place.owed.assign(std::make_move_iterator(parts->begin() + 2),
                    std::make_move_iterator(parts->end()));
  return place;
}

google::rpc::Status resumable(google::rpc::Status status, const std::string& marker) {
  google::rpc::ErrorInfo info;
  if (marker.empty() || status.details().empty()) return status;
  if (!status.details(0).UnpackTo(&info)) return status;
  (*info.mutable_metadata())["resume_marker"] = marker;
  status.mutable_details(0)->PackFrom(info);
  return status;
}

}  // namespace control
