#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace simulator::vodia {

// What clients say on the socket: one JSON object per text message, told apart by "action". Fields
// that are not there, or of another kind, are empty.
struct ClientFrame {
  std::string action;  // empty: nothing we could understand
  bool subscribe = true;
  std::vector<std::string> add, remove;  // blf
  std::string id, id2, from, to, start_stop, connected;
  std::string source, destination, message;                       // chat
  std::string call_id, cseq, sdp, candidate, hold_command, code;  // WebRTC
};

inline constexpr std::size_t kClientFrameMax = 64 << 10;
inline constexpr std::size_t kLampsMax = 10'000;

// Does not throw, whatever the text.
ClientFrame parse_client_frame(std::string_view text);

}  // namespace simulator::vodia
