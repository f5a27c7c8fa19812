#include "simulator/scenario/traffic.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace simulator::scenario {
namespace {

using engine::kOutside;
using engine::LegId;
using engine::Millis;
using engine::TimePoint;

constexpr double kPerSecondMax = 100'000;
constexpr int kTries = 8;                     // to find an idle extension
constexpr double kEventsPerCall = 12;         // until measured
constexpr std::uint64_t kMeasureEvery = 200;  // calls

double rate_at(const config::Section& section, std::string_view key, std::string_view doc) {
  const std::string text = section.text(key, {.doc = doc, .otherwise = "0"});
  if (!section.has(key)) return 0;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0) ||
      value > kPerSecondMax) {
    section.wrong(key, "found \"" + text + "\"; expected a number above 0, at most 100000");
    return 0;
  }
  return value;
}

unsigned percent_at(const config::Section& section, std::string_view key, unsigned otherwise,
                    std::string_view doc) {
  return static_cast<unsigned>(
      section.integer(key, {.doc = doc, .otherwise = otherwise, .least = 0, .most = 100}));
}

}  // namespace

TrafficOptions read_traffic(const config::Section& section) {
  TrafficOptions it;
  it.calls_per_second = rate_at(section, "calls_per_second", "How many calls begin.");
  it.events_per_second =
      rate_at(section, "events_per_second", "Instead: how many events a supervisor sees.");
  if (section.has("calls_per_second") == section.has("events_per_second")) {
    section.wrong("calls_per_second",
                  "expected either calls_per_second or events_per_second, and not both");
  }
  it.seed = static_cast<std::uint64_t>(
      section.integer("seed", {.doc = "The same seed makes the same calls.", .otherwise = 1}));
  it.lasts = read_duration(section, "lasts", "How long; without it, until stopped.");
  it.incoming = percent_at(section, "incoming", it.incoming, "Calls from outside, in per cent.");
  it.outgoing = percent_at(section, "outgoing", it.outgoing, "Calls to outside, in per cent.");
  it.missed = percent_at(section, "missed", it.missed, "The caller gives up.");
  it.busy = percent_at(section, "busy", it.busy, "The callee is busy.");
  it.rejected = percent_at(section, "rejected", it.rejected, "The callee rejects.");
  it.held = percent_at(section, "held", it.held, "Put on hold once, of those answered.");
  it.transferred = percent_at(section, "transferred", it.transferred, "Of those answered.");
  it.recorded = percent_at(section, "recorded", it.recorded, "Of those answered.");
  if (it.incoming + it.outgoing > 100) {
    section.wrong("incoming", "incoming and outgoing are more than 100 per cent together");
  }
  if (it.missed + it.busy + it.rejected > 100) {
    section.wrong("missed", "missed, busy and rejected are more than 100 per cent together");
  }
  const auto range = [&](std::string_view key, Millis& least, Millis& most) {
    const std::string name(key);
    least = read_duration(section, name + "_least", "The shortest.").value_or(least);
    most = read_duration(section, name + "_most", "The longest.").value_or(std::max(most, least));
    if (least > most) section.wrong(name + "_least", "is longer than " + name + "_most");
  };
  range("ring", it.ring_least, it.ring_most);
  range("talk", it.talk_least, it.talk_most);
  return it;
}

Traffic::Traffic(const TrafficOptions& options, TimePoint start)
    : options_(options),
      random_(options.seed),
      until_(options.lasts ? start + *options.lasts : TimePoint::max()),
      events_per_call_(kEventsPerCall) {
  next_call_ = start + next_gap();
}

TimePoint Traffic::deadline() const {
  const TimePoint call = next_call_ < until_ ? next_call_ : TimePoint::max();
  return deeds_.empty() ? call : std::min(call, deeds_.top().at);
}

void Traffic::advance(engine::Tenant& tenant, std::uint64_t events, TimePoint now) {
  if (!events_before_) events_before_ = events;
  if (options_.events_per_second > 0 && started_ >= kMeasureEvery &&
      started_ % kMeasureEvery == 0) {
    // Of the calls that are going on now, half of the events are yet to come.
    const double done =
        static_cast<double>(started_) - static_cast<double>(tenant.call_count()) / 2;
    const double seen = static_cast<double>(events - *events_before_);
    if (done > 1) events_per_call_ = std::clamp(seen / done, 1.0, 50.0);
  }
  for (TimePoint due = deadline(); due <= now && due != TimePoint::max(); due = deadline()) {
    if (!deeds_.empty() && deeds_.top().at == due) {
      const Deed deed = deeds_.top();
      deeds_.pop();
      perform(deed, tenant);
    } else {
      next_call_ = due + next_gap();
      place_call(tenant, due);
    }
  }
}

std::chrono::nanoseconds Traffic::next_gap() {
  const double rate = options_.calls_per_second > 0 ? options_.calls_per_second
                                                    : options_.events_per_second / events_per_call_;
  const double seconds = -std::log(1.0 - random_.unit()) / rate;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

Millis Traffic::between(Millis least, Millis most) {
  const auto span = static_cast<std::uint64_t>((most - least).count()) + 1;
  return least + Millis(static_cast<std::int64_t>(random_.below(span)));
}

engine::ExtensionIndex Traffic::idle_extension(const engine::Tenant& tenant,
                                               engine::ExtensionIndex not_this) {
  const auto& all = tenant.extensions();
  for (int i = 0; i < kTries; ++i) {
    const auto index = static_cast<engine::ExtensionIndex>(random_.below(all.size()));
    if (index >= all.size() || index == not_this) continue;
    const auto& it = all[index];
    if (it.legs.empty() && it.status == engine::Status::idle && !it.do_not_disturb && !it.orbit) {
      return index;
    }
  }
  return kOutside;
}

void Traffic::place_call(engine::Tenant& tenant, TimePoint now) {
  const auto kind = random_.below(100);
  const bool incoming = kind < options_.incoming;
  const bool outgoing = !incoming && kind < options_.incoming + options_.outgoing;
  const std::string outside = "+34600" + std::to_string(100'000 + random_.below(900'000));
  const auto own = idle_extension(tenant, kOutside);
  const auto other = incoming || outgoing ? kOutside : idle_extension(tenant, own);
  if (own == kOutside || (other == kOutside && !incoming && !outgoing)) {
    ++left_out_;
    return;
  }
  const std::string& number = tenant.extension(own).number;
  const std::string& to = incoming ? number : outgoing ? outside : tenant.extension(other).number;

  const Millis ring = between(options_.ring_least, options_.ring_most);
  const Millis talk = between(options_.talk_least, options_.talk_most);
  const auto fate = random_.below(100);
  engine::Plan plan;
  plan.answer_after = ring;
  bool answered = false, missed = false;
  if (fate < options_.busy) {
    plan.outcome = engine::Outcome::busy;
  } else if (fate < options_.busy + options_.rejected) {
    plan.outcome = engine::Outcome::reject;
  } else if (fate < options_.busy + options_.rejected + options_.missed) {
    plan.outcome = engine::Outcome::no_answer;
    missed = true;
  } else {
    plan.duration = talk;
    answered = true;
  }
  const auto leg = tenant.originate(incoming ? outside : number, to, plan, now);
  if (!leg) {
    ++left_out_;
    return;
  }
  ++started_;
  const Millis dialled = outgoing ? tenant.post_dial() : Millis(0);
  if (missed) schedule(Deed::Kind::abandon, now + dialled + ring, *leg);
  if (answered) plan_talk(*leg, now + dialled + ring, talk);
}

void Traffic::plan_talk(LegId leg, TimePoint answered, Millis talk) {
  if (chance(options_.recorded)) schedule(Deed::Kind::record, answered + talk / 10, leg);
  if (chance(options_.held)) {
    schedule(Deed::Kind::hold, answered + talk * 3 / 10, leg);
    schedule(Deed::Kind::retrieve, answered + talk * 5 / 10, leg);
  }
  if (chance(options_.transferred)) {
    schedule(Deed::Kind::transfer, answered + talk * 6 / 10, leg, talk * 4 / 10);
  }
}

void Traffic::schedule(Deed::Kind kind, TimePoint at, LegId leg, Millis rest) {
  deeds_.push({at, ++last_deed_, kind, leg, rest});
}

// By the caller's leg if it is one of ours, else by the callee's. What is no longer possible,
// because somebody else did something to the call, is left.
void Traffic::perform(const Deed& deed, engine::Tenant& tenant) {
  const engine::Leg* leg = tenant.find_leg(deed.leg);
  if (!leg) return;
  if (deed.kind == Deed::Kind::abandon) {
    if (leg->state != engine::LegState::up) {
      (void)tenant.hang_up(std::string(leg->number), deed.at, leg->id);
    }
    return;
  }
  if (leg->extension == kOutside) leg = tenant.partner_of(*leg);
  if (!leg || leg->extension == kOutside) return;
  const std::string number = leg->number;
  switch (deed.kind) {
    case Deed::Kind::hold: (void)tenant.hold(number, deed.at, leg->id); break;
    case Deed::Kind::retrieve: (void)tenant.retrieve(number, deed.at, leg->id); break;
    case Deed::Kind::record: (void)tenant.record(number, true, deed.at, leg->id); break;
    case Deed::Kind::transfer: {
      const auto target = idle_extension(tenant, leg->extension);
      if (target == kOutside) return;
      engine::Plan plan;
      plan.answer_after = options_.ring_least;
      plan.duration = deed.rest;
      const std::string to = tenant.extension(target).number;
      (void)tenant.transfer(number, to, plan, deed.at, leg->id);
      break;
    }
    case Deed::Kind::abandon: break;
  }
}

}  // namespace simulator::scenario
