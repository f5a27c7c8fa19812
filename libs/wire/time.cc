#include "wire/time.h"

#include <chrono>

namespace wire {

using std::chrono::nanoseconds;
using std::chrono::seconds;

void to_proto(call::Time time, google::protobuf::Timestamp& out) {
  const auto since_1970 = time.time_since_epoch();
  const auto whole = std::chrono::floor<seconds>(since_1970);
  out.set_seconds(whole.count());
  out.set_nanos(static_cast<std::int32_t>(nanoseconds(since_1970 - whole).count()));
}

base::Result<call::Time> from_proto(const google::protobuf::Timestamp& time) {
  constexpr auto kSecondsMax = std::chrono::floor<seconds>(call::Time::duration::max()).count() - 1;
  constexpr std::int32_t kNanosEnd = 1'000'000'000;
  if (time.seconds() > kSecondsMax || time.seconds() < -kSecondsMax || time.nanos() < 0 ||
      time.nanos() >= kNanosEnd) {
    return base::Errc::bad_frame;
  }
  const auto exact = seconds(time.seconds()) + nanoseconds(time.nanos());
  return call::Time(std::chrono::duration_cast<call::Time::duration>(exact));
}

}  // namespace wire
