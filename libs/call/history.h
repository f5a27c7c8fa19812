#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "call/model.h"

// Calls that are over, as a PBX's own records have them, and what was recorded of them. The tracker
// knows nothing of these: they are asked of the PBX each time.
namespace call {

// One question, numbered by whoever asks, never twice the same within a session.
using InquiryId = std::uint64_t;

// For a page of past calls, the newest first.
struct SearchCalls {
  std::optional<Time> from, until;  // only those that began then or later; before then
  DeviceId device;                  // only those in which it took part; empty: all
  std::string after;                // PastCalls::next of the page before; empty: the first page
  unsigned limit = 100;             // at most so many
  Time now{};                       // by our clock
};
// For where a recording can be fetched, by its PastCall's id of it.
struct FindRecording {
  std::string recording;
};
using Inquiry = std::variant<SearchCalls, FindRecording>;

struct PastCall {
  std::string id;  // of the PBX's record
  Party calling, called;
  Direction direction = Direction::internal;
  Time start{};                   // by the PBX's clock
  std::optional<Time> answer;     // nothing: it never was
  std::optional<Time> end;        // nothing: the PBX does not say
  std::vector<DeviceId> devices;  // of the PBX, that took part
  std::vector<std::string> recordings;
  std::map<std::string, std::string> data;  // what else the record says, in the PBX's own words

  bool operator==(const PastCall&) const = default;
};

// A page of them. `next` is the adapter's own word for where it ends, of printable ASCII; empty:
// nothing follows. A page may be shorter than asked for, and even empty, and others follow.
struct PastCalls {
  std::vector<PastCall> calls;
  std::string next;

  bool operator==(const PastCalls&) const = default;
};

}  // namespace call
