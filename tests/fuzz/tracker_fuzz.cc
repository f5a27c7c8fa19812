#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/tracker_script.h"

// No sequence of observations makes the tracker break a promise to its consumers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string broken = support::play_tracker_script({data, size});
  if (!broken.empty()) {
    std::fprintf(stderr, "%s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
