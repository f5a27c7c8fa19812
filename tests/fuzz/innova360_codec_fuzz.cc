#include <cstdint>

#include "pbx/innova360/codec.h"
#include "pbx/json.h"

// One parser for all inputs, as a session has one for all messages.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static pbx::JsonParser parser;
  (void)pbx::innova360::parse(parser, {reinterpret_cast<const char*>(data), size});
  return 0;
}
