#include "simulator/engine/types.h"

#include <array>
#include <utility>

namespace simulator::engine {
namespace {

constexpr std::array<std::pair<Outcome, std::string_view>, 6> kOutcomes{{
    {Outcome::answer, "answer"},
    {Outcome::busy, "busy"},
    {Outcome::no_answer, "no_answer"},
    {Outcome::reject, "reject"},
    {Outcome::unallocated, "unallocated"},
    {Outcome::congestion, "congestion"},
}};

}  // namespace

std::string_view name_of(LegState state) {
  switch (state) {
    case LegState::initial: return "initial";
    case LegState::dialing: return "dialing";
    case LegState::ring_back: return "ring_back";
    case LegState::ringing: return "ringing";
    case LegState::up: return "up";
    case LegState::busy: return "busy";
  }
  return "?";
}

std::string_view name_of(Status status) {
  switch (status) {
    case Status::idle: return "idle";
    case Status::in_use: return "in_use";
    case Status::busy: return "busy";
    case Status::unavailable: return "unavailable";
    case Status::ringing: return "ringing";
    case Status::in_use_ringing: return "in_use_ringing";
    case Status::hold: return "hold";
    case Status::in_use_hold: return "in_use_hold";
  }
  return "?";
}

std::string_view name_of(Outcome outcome) {
  for (const auto& [value, name] : kOutcomes) {
    if (value == outcome) return name;
  }
  return "?";
}

std::optional<Outcome> outcome_from(std::string_view name) {
  for (const auto& [value, known] : kOutcomes) {
    if (known == name) return value;
  }
  return std::nullopt;
}

}  // namespace simulator::engine
