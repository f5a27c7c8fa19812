#include "bus/pub_ack.h"

#include "bus/json_fields.h"

namespace bus {

using base::Errc;

bool is_refusal(std::string_view json, Refusal& refusal) {
  if (!json_value(json, "\"error\"")) return false;
  refusal.code = json_number<int>(json, "\"err_code\"").value_or(0);
  refusal.description = json_string(json, "\"description\"");
  return true;
}

base::Result<PubAck> parse_pub_ack(std::string_view json, Refusal& refusal) {
  if (is_refusal(json, refusal)) {
    if (refusal.code == kWrongLastSequence) return Errc::revision_differs;
    if (refusal.code == kMessageTooBig) return Errc::message_too_big;
    return Errc::bus_unavailable;
  }
  const auto sequence = json_number<std::uint64_t>(json, "\"seq\"");
  if (!sequence || !json_value(json, "\"stream\"")) {
    refusal.description = "not an acknowledgement of JetStream";
    return Errc::bus_unavailable;
  }
  const auto duplicate = json_value(json, "\"duplicate\"");
  return PubAck{.sequence = *sequence, .duplicate = duplicate && duplicate->starts_with("true")};
}

}  // namespace bus
