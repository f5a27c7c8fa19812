#include <cstdint>

#include "pbx/vodia/codec.h"
#include "pbx/vodia/media.h"
#include "pbx/vodia/texts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto frame = pbx::vodia::parse(text)) {
    const pbx::vodia::CallList* calls = nullptr;
    if (const auto* it = std::get_if<pbx::vodia::CallState>(&*frame)) calls = &it->calls;
    if (const auto* it = std::get_if<pbx::vodia::DomainState>(&*frame); it && it->calls) {
      calls = &*it->calls;
    }
    if (calls) {
      for (std::string_view entry : calls->entries) (void)pbx::vodia::parse_call(entry);
    }
  }
  if (const auto frame = pbx::vodia::parse_media(text)) {
    if (const auto* it = std::get_if<pbx::vodia::Description>(&*frame)) {
      (void)pbx::vodia::as_answer(it->sdp.text);
    }
  }
  (void)pbx::vodia::parse_accounts(text);
  (void)pbx::vodia::parse_calls(text);
  (void)pbx::vodia::token_of(text);
  (void)pbx::vodia::asks_second_factor(text);
  (void)pbx::vodia::session_of(text);
  (void)pbx::vodia::forwarding_of(text);
  (void)pbx::vodia::generation_of(text);
  (void)pbx::vodia::session_cookie({200, {{"set-cookie", std::string(text)}}, {}});
  return 0;
}
