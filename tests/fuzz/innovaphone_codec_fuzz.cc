#include <cstdint>

#include "pbx/innovaphone/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)pbx::innovaphone::parse({reinterpret_cast<const char*>(data), size});
  return 0;
}
