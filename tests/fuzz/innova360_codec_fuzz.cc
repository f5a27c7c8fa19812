#include <cstdint>

#include "pbx/innova360/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)pbx::innova360::parse({reinterpret_cast<const char*>(data), size});
  return 0;
}
