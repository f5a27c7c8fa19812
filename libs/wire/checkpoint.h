#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "call/tracker.h"

// What an owner leaves for the next one.
namespace wire {

struct Checkpoint {
  call::Book book;                    // what consumers have been told up to book.sequence
  std::uint64_t stream_sequence = 0;  // where that event is in the stream
};

// More parts than this are refused: with parts of the default size, a PBX of millions of devices.
inline constexpr unsigned kCheckpointPartsMax = 1024;

// One or more values, each at most `part_bytes_max` (but for a single huge call): the first goes
// under <tenant>, the n-th further one under <tenant>.<n>.
std::vector<std::string> encode(const base::TenantId& tenant, const Checkpoint& checkpoint,
                                std::size_t part_bytes_max = 512 * 1024);
// How many parts there are, told by the first. bad_frame if it is not one.
base::Result<unsigned> parts_of(std::string_view first);
// bad_frame if a part is missing, of another checkpoint, or malformed.
base::Result<Checkpoint> decode(const std::vector<std::string>& parts);

}  // namespace wire
