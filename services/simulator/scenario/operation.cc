#include "simulator/scenario/operation.h"

#include <array>
#include <utility>

namespace simulator::scenario {
namespace {

using engine::Millis;

constexpr std::array<std::pair<Verb, std::string_view>, 22> kVerbs{{
    {Verb::call, "call"},
    {Verb::callback, "callback"},
    {Verb::answer, "answer"},
    {Verb::hold, "hold"},
    {Verb::retrieve, "retrieve"},
    {Verb::hangup, "hangup"},
    {Verb::transfer, "transfer"},
    {Verb::attended_transfer, "attended-transfer"},
    {Verb::conference, "conference"},
    {Verb::deflect, "deflect"},
    {Verb::pickup, "pickup"},
    {Verb::record_start, "record-start"},
    {Verb::record_stop, "record-stop"},
    {Verb::register_, "register"},
    {Verb::unregister, "unregister"},
    {Verb::busy_on, "busy-on"},
    {Verb::busy_off, "busy-off"},
    {Verb::dnd_on, "dnd-on"},
    {Verb::dnd_off, "dnd-off"},
    {Verb::forward, "forward"},
    {Verb::off_hook, "off-hook"},
    {Verb::dial, "dial"},
}};

std::string number_at(const config::Section& section, std::string_view key, std::string_view doc,
                      std::optional<std::string> otherwise = {}) {
  return section.text(key, {.doc = doc,
                            .otherwise = std::move(otherwise),
                            .pattern = kNumberPattern,
                            .like = kNumberLike,
                            .length_max = 64});
}

base::Error error_of(const base::Result<engine::LegId>& result) {
  return result ? base::Error{} : result.error();
}

}  // namespace

std::string_view name_of(Verb verb) {
  for (const auto& [value, name] : kVerbs) {
    if (value == verb) return name;
  }
  return "?";
}

std::optional<Verb> verb_from(std::string_view name) {
  for (const auto& [value, known] : kVerbs) {
    if (known == name) return value;
  }
  return std::nullopt;
}

const std::vector<Verb>& all_verbs() {
  static const std::vector<Verb> kAll = [] {
    std::vector<Verb> all;
    for (const auto& [verb, name] : kVerbs) all.push_back(verb);
    return all;
  }();
  return kAll;
}

base::Error perform(const Operation& it, engine::Tenant& tenant, engine::TimePoint now,
                    engine::LegId leg) {
  switch (it.verb) {
    case Verb::call: return error_of(tenant.originate(it.device, it.to, it.plan, now));
    case Verb::callback: return error_of(tenant.call_back(it.device, it.to, it.plan, now));
    case Verb::answer: return tenant.answer(it.device, now, leg);
    case Verb::hold: return tenant.hold(it.device, now, leg);
    case Verb::retrieve: return tenant.retrieve(it.device, now, leg);
    case Verb::hangup: return tenant.hang_up(it.device, now, leg);
    case Verb::transfer: return tenant.transfer(it.device, it.to, it.plan, now, leg);
    case Verb::attended_transfer: return tenant.attended_transfer(it.device, now);
    case Verb::conference: return tenant.conference(it.device, now);
    case Verb::deflect: return tenant.deflect(it.device, it.to, it.plan, now, leg);
    case Verb::pickup: return tenant.pick_up(it.device, it.to, now);
    case Verb::record_start: return tenant.record(it.device, true, now, leg);
    case Verb::record_stop: return tenant.record(it.device, false, now, leg);
    case Verb::register_: return tenant.set_registered(it.device, true, now);
    case Verb::unregister: return tenant.set_registered(it.device, false, now);
    case Verb::busy_on: return tenant.set_forced_busy(it.device, true, now);
    case Verb::busy_off: return tenant.set_forced_busy(it.device, false, now);
    case Verb::dnd_on: return tenant.set_do_not_disturb(it.device, true, now);
    case Verb::dnd_off: return tenant.set_do_not_disturb(it.device, false, now);
    case Verb::forward: return tenant.set_forwarding(it.device, it.forwarding, now);
    case Verb::off_hook: return error_of(tenant.seize(it.device, now));
    case Verb::dial: return tenant.dial(it.device, it.to, now, leg);
  }
  return base::Errc::internal;
}

std::string explain(const base::Error& error) {
  if (error == base::Errc::device_not_found) {
    return "there is no such extension, and no call with that number";
  }
  if (error == base::Errc::call_not_found) return "it has no such call";
  if (error == base::Errc::incorrect_state) return "the state of its calls does not allow this";
  if (error == base::Errc::device_out_of_service) return "the extension is not registered";
  if (error == base::Errc::invalid_argument) return "that is no number that can be dialled";
  if (error == base::Errc::too_many_requests) return "the tenant has all the calls it may have";
  return error.message();
}

std::optional<Millis> read_duration(const config::Section& section, std::string_view key,
                                    std::string_view doc) {
  // Both are read, there or not, so that whoever mistypes one is told of them.
  const std::string in_ms = std::string(key) + "_ms";
  const auto number = section.integer(in_ms, {.doc = doc, .otherwise = 0, .most = 86'400'000});
  const auto time = section.duration(key, {.doc = doc, .otherwise = Millis(0)});
  if (section.has(in_ms)) return Millis(number);
  if (section.has(key)) return time;
  return std::nullopt;
}

engine::Plan read_plan(const config::Section& section) {
  engine::Plan plan;
  plan.outcome = section.one_of<engine::Outcome>(
      "outcome",
      {{"answer", engine::Outcome::answer},
       {"busy", engine::Outcome::busy},
       {"no_answer", engine::Outcome::no_answer},
       {"reject", engine::Outcome::reject},
       {"unallocated", engine::Outcome::unallocated},
       {"congestion", engine::Outcome::congestion}},
      {.doc = "What the far end does.", .otherwise = engine::Outcome::answer});
  plan.answer_after =
      read_duration(section, "answer_after", "How long it rings; without it, until told.");
  plan.duration = read_duration(section, "duration", "From the answer to the hang-up.");
  const auto talk = read_duration(section, "talk", "Another word for duration.");
  if (!plan.duration) plan.duration = talk;
  return plan;
}

Operation read_operation(Verb verb, const config::Section& section, std::string_view device) {
  Operation it;
  it.verb = verb;
  it.device = device;
  if (device.empty()) {
    it.device = number_at(section, verb == Verb::pickup ? "by" : "from", "Who does it.");
  }
  switch (verb) {
    case Verb::call:
    case Verb::callback:
    case Verb::transfer:
    case Verb::deflect:
      it.to = number_at(section, "to", "The extension or outside number that shall ring.");
      it.plan = read_plan(section);
      break;
    case Verb::pickup:
      it.to = number_at(section, device.empty() ? "from" : "to", "The extension where it rings.");
      break;
    case Verb::dial: it.to = number_at(section, "to", "The digits that are dialled now."); break;
    case Verb::forward:
      it.forwarding.always = number_at(section, "always", "Where all calls go.", "");
      it.forwarding.busy = number_at(section, "busy", "Where calls go while it is busy.", "");
      it.forwarding.no_answer =
          number_at(section, "no_answer", "Where calls go that nobody answers.", "");
      break;
    default: break;
  }
  return it;
}

}  // namespace simulator::scenario
