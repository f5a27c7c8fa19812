#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace bus {

// What JetStream says to a publish.
struct PubAck {
  std::uint64_t sequence = 0;  // in the stream
  bool duplicate = false;      // the message id was stored before, under this sequence
};

// JetStream's own error codes that we act on.
inline constexpr int kWrongLastSequence = 10071;
inline constexpr int kMessageTooBig = 10054;
inline constexpr int kStreamNotFound = 10059;
inline constexpr int kMessageNotFound = 10037;

// Why JetStream did not store a message.
struct Refusal {
  int code = 0;  // JetStream's own; 0 if the text is not a reply of JetStream's at all
  std::string description;
};

// Whether a reply of JetStream's API says no, and how.
bool is_refusal(std::string_view json, Refusal& refusal);

// Reads the JSON of an acknowledgement. On failure `refusal` says why, and the error is
// revision_differs for a failed expectation, message_too_big, or bus_unavailable for all that may
// pass. Never throws.
base::Result<PubAck> parse_pub_ack(std::string_view json, Refusal& refusal);

}  // namespace bus
