#include <cstdint>
#include <string>
#include <string_view>

#include "pbx/innovaphone/reception.h"

// A stranger at the door, who says whatever it likes, one message on each line. Not knowing the
// password, it never gets in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using pbx::innovaphone::Reception;
  Reception reception({"gateway", "s3cr3t", "inbound", "example.com", {"master"}}, 0x16d7dbbccc);
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::size_t lines = 0; !text.empty() && lines < 40; ++lines) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto step = reception.on_text(text.substr(0, end));
    if (std::holds_alternative<pbx::Arrival>(step.verdict)) __builtin_trap();
    if (!std::holds_alternative<pbx::Reception::Undecided>(step.verdict)) break;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  // What is compact stays as it is.
  const std::string compact =
      pbx::innovaphone::compact_json({reinterpret_cast<const char*>(data), size});
  if (compact.size() > size) __builtin_trap();
  return 0;
}
