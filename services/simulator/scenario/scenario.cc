#include "simulator/scenario/scenario.h"

#include <array>
#include <utility>

namespace simulator::scenario {
namespace {

using config::Section;
using engine::Millis;

constexpr std::array<std::string_view, 9> kOtherSteps{
    "wait",         "wait-between", "faults",   "clear-faults", "traffic",
    "stop-traffic", "repeat",       "together", "expect"};

constexpr std::array<std::string_view, 8> kStatuses{
    "idle", "in_use", "busy", "unavailable", "ringing", "in_use_ringing", "hold", "in_use_hold"};

template <class Words>
std::string list_of(const Words& words) {
  std::string list;
  for (const std::string_view word : words) list += (list.empty() ? "" : ", ") + std::string(word);
  return list;
}

// For a step that is none: reads all there are, so that a mistyped one is told the nearest.
void name_steps_in(const Section& step) {
  std::vector<std::string_view> words;
  for (const Verb verb : all_verbs()) words.push_back(name_of(verb));
  words.insert(words.end(), kOtherSteps.begin(), kOtherSteps.end());
  for (const auto word : words) step.text(word, {.doc = "A step.", .otherwise = ""});
  step.wrong("step", "this is none; expected one of " + list_of(words));
}

// Those whose value is who does it and nothing else.
bool is_simple(Verb verb) {
  switch (verb) {
    case Verb::call:
    case Verb::callback:
    case Verb::transfer:
    case Verb::deflect:
    case Verb::pickup:
    case Verb::dial:
    case Verb::forward: return false;
    default: return true;
  }
}

Steps read_steps(const Section& section, std::string_view key, int depth);

Wait read_wait_between(const Section& section) {
  const auto least = read_duration(section, "least", "The shortest.");
  const auto most = read_duration(section, "most", "The longest.");
  if (!least || !most || *least > *most) {
    section.wrong("least", "expected two durations, least and most, in this order");
    return {Millis(1), Millis(1)};
  }
  return {*least, *most};
}

bool has_wait(const Steps& steps) {
  for (const Step& step : steps) {
    if (const auto* wait = std::get_if<Wait>(&step.deed); wait && wait->least.count() > 0) {
      return true;
    }
    if (const auto* inner = std::get_if<Repeat>(&step.deed); inner && has_wait(inner->steps)) {
      return true;
    }
    if (const auto* inner = std::get_if<Together>(&step.deed)) {
      for (const Steps& branch : inner->branches) {
        if (has_wait(branch)) return true;
      }
    }
  }
  return false;
}

Repeat read_repeat(const Section& section, int depth) {
  Repeat repeat;
  repeat.times = static_cast<std::uint64_t>(section.integer(
      "times", {.doc = "How often; without it, for ever.", .otherwise = 0, .most = 1'000'000'000}));
  repeat.steps = read_steps(section, "steps", depth + 1);
  if (repeat.times == 0 && !repeat.steps.empty() && !has_wait(repeat.steps)) {
    section.wrong("times", "repeats for ever without a wait; add a wait step, or times");
  }
  return repeat;
}

Expect read_expect(const Section& section) {
  Expect expect;
  expect.extension = section.text(
      "extension", {.doc = "Whose state.", .pattern = kNumberPattern, .like = kNumberLike});
  const auto status_text = section.text("status", {.doc = "Its status.", .otherwise = ""});
  const auto calls = section.integer("calls", {.doc = "How many it has.", .otherwise = 0});
  if (section.has("status")) {
    expect.status = status_text;
    bool known = false;
    for (const auto status : kStatuses) known = known || status == *expect.status;
    if (!known) {
      section.wrong("status",
                    "found \"" + *expect.status + "\"; expected one of " + list_of(kStatuses));
    }
  }
  if (section.has("calls")) expect.calls = calls;
  if (!expect.status && !expect.calls)
    section.wrong("extension", "expects nothing of it; add status or calls");
  return expect;
}

void read_true(const Section& section, std::string_view key) {
  if (!section.boolean(key, {.doc = "Always true.", .otherwise = true})) {
    section.wrong(key, "found false; write true, or leave the step out");
  }
}

// The one thing that a step does; nothing if it is none.
std::optional<Deed> read_deed(const Section& section, int depth) {
  for (const Verb verb : all_verbs()) {
    const auto name = name_of(verb);
    if (!section.has(name)) continue;
    if (!is_simple(verb)) return read_operation(verb, section.section(name));
    Operation operation;
    operation.verb = verb;
    operation.device =
        section.text(name, {.doc = "Who does it.", .pattern = kNumberPattern, .like = kNumberLike});
    return operation;
  }
  if (section.has("wait")) {
    const auto time = section.duration("wait", {.doc = "How long."});
    return Wait{time, time};
  }
  if (section.has("wait-between")) return read_wait_between(section.section("wait-between"));
  if (section.has("faults")) return SetFaults{read_faults(section.section("faults"))};
  if (section.has("clear-faults")) {
    read_true(section, "clear-faults");
    return ClearFaults{};
  }
  if (section.has("traffic")) return read_traffic(section.section("traffic"));
  if (section.has("stop-traffic")) {
    read_true(section, "stop-traffic");
    return StopTraffic{};
  }
  if (section.has("repeat")) return read_repeat(section.section("repeat"), depth);
  if (section.has("together")) {
    Together together;
    section.each("together",
                 [&](const Section& branch) {
                   together.branches.push_back(read_steps(branch, "steps", depth + 1));
                 },
                 {.doc = "Branches that run at the same time.", .count_min = 1, .count_max = 100});
    return together;
  }
  if (section.has("expect")) return read_expect(section.section("expect"));
  return std::nullopt;
}

Steps read_steps(const Section& section, std::string_view key, int depth) {
  Steps steps;
  if (depth > kNestingMax) {
    section.wrong(key, "nested more than " + std::to_string(kNestingMax) + " deep");
    return steps;
  }
  section.each(
      key,
      [&](const Section& step) {
        if (auto deed = read_deed(step, depth)) {
          steps.push_back({step.path(), std::move(*deed)});
        } else {
          name_steps_in(step);
        }
      },
      {.doc = "What happens, one after the other.", .count_min = 1, .count_max = kStepsMax});
  return steps;
}

}  // namespace

Parsed parse_scenarios(const std::string& text, const std::string& file) {
  Parsed parsed;
  auto document = config::Document::parse(text, file, {});
  document.root().each(
      "scenarios",
      [&](const Section& section) {
        auto scenario = std::make_shared<Scenario>();
        scenario->name = section.text("name", {.doc = "For reports."});
        scenario->tenants = section.list("tenants", {.doc = "Which tenants; without it, all.",
                                                     .otherwise = std::vector<std::string>{}});
        scenario->seed = static_cast<std::uint64_t>(
            section.integer("seed", {.doc = "Of wait-between.", .otherwise = 1}));
        scenario->go_on = section.one_of<bool>("on_failure", {{"stop", false}, {"continue", true}},
                                               {.doc = "Of a step.", .otherwise = false});
        scenario->steps = read_steps(section, "steps", 1);
        parsed.scenarios.push_back(std::move(scenario));
      },
      {.doc = "All of them start together.",
       .count_min = 1,
       .count_max = kScenariosMax,
       .unique = "name"});
  parsed.problems = document.finish();
  if (!parsed.problems.empty()) parsed.scenarios.clear();
  return parsed;
}

}  // namespace simulator::scenario
