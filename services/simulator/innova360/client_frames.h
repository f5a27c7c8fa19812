#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

// What clients say: one JSON object per text message, told apart by "type" and "action".
namespace simulator::innova360 {

struct AuthPlain {
  std::string user, password;
};
struct CallAction {
  std::string phone;                   // without separators
  std::vector<std::string> user_data;  // customfield1 and customfield2, if given
};
struct BlindTransferAction {
  std::string call, phone;
};
struct HangupAction {
  std::vector<std::string> calls;
};
// Not JSON, another type, a field missing or of the wrong kind: the real server is silent on these.
struct UnknownFrame {
  std::string action;  // of an action we do not know; else empty
};
using ClientFrame =
    std::variant<AuthPlain, CallAction, BlindTransferAction, HangupAction, UnknownFrame>;

inline constexpr std::size_t kClientFrameMax = 64 << 10;
inline constexpr std::size_t kHangupsMax = 100;

// Does not throw: tests/fuzz/simulator_innova360_fuzz.cc feeds it anything.
ClientFrame parse_client_frame(std::string_view text);

}  // namespace simulator::innova360
