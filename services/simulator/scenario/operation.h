#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/section.h"
#include "simulator/engine/tenant.h"

// What can be done at a tenant, by name: as a scenario's step, or by HTTP.
namespace simulator::scenario {

enum class Verb : std::uint8_t {
  call,
  callback,
  answer,
  hold,
  retrieve,
  hangup,
  transfer,
  attended_transfer,
  conference,
  deflect,
  pickup,
  record_start,
  record_stop,
  register_,
  unregister,
  busy_on,
  busy_off,
  dnd_on,
  dnd_off,
  forward,
  off_hook,
  dial,
};
std::string_view name_of(Verb verb);  // "record-start"
std::optional<Verb> verb_from(std::string_view name);
const std::vector<Verb>& all_verbs();

struct Operation {
  Verb verb{};
  std::string device;  // who does it
  std::string to;      // call, callback, transfer, deflect, dial; pickup: where it rings
  engine::Plan plan;
  engine::Forwarding forwarding;
};

// `leg` says which one, where several could be meant; 0: the newest. Errors as the tenant's.
base::Error perform(const Operation& operation, engine::Tenant& tenant, engine::TimePoint now,
                    engine::LegId leg = 0);

// For whoever reads an error: "no call that ...".
std::string explain(const base::Error& error);

// The settings of one operation in a section of its own. Who does it is in `from` ("by" for a
// pickup), unless `device` says it already.
Operation read_operation(Verb verb, const config::Section& section, std::string_view device = {});

// What the far end does: outcome, answer_after, talk (or duration), all optional.
engine::Plan read_plan(const config::Section& section);

// `key` as a duration ("3s"), or `key`_ms as a number.
std::optional<engine::Millis> read_duration(const config::Section& section, std::string_view key,
                                            std::string_view doc);

// An extension or any other number.
inline constexpr std::string_view kNumberPattern = "[0-9A-Za-z+*#._-]{1,64}";
inline constexpr std::string_view kNumberLike = "an extension or a number: digits, '+', '*', '#'";

}  // namespace simulator::scenario
