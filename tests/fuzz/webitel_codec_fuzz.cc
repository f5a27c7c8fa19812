#include <cstdint>
#include <string_view>

#include "pbx/webitel/causes.h"
#include "pbx/webitel/codec.h"
#include "pbx/webitel/rows.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)pbx::webitel::parse(text);
  (void)pbx::webitel::parse_legs(text);
  (void)pbx::webitel::parse_users(text);
  (void)pbx::webitel::parse_agents(text);
  (void)pbx::webitel::parse_tokens(text);
  (void)pbx::webitel::parse_token(text);
  (void)pbx::webitel::has_token(text, "sip");
  (void)pbx::webitel::cause_of(text);
  return 0;
}
