#include "simulator/scenario/faults.h"

#include <array>
#include <string>
#include <utility>

#include "simulator/scenario/operation.h"

namespace simulator::scenario {
namespace {

using engine::Faults;
using engine::Millis;
using engine::Noise;

constexpr std::array<std::pair<std::string_view, Noise>, 6> kNoises{{
    {"unknown_action", Noise::unknown_action},
    {"unknown_type", Noise::unknown_type},
    {"invalid_json", Noise::invalid_json},
    {"not_an_object", Noise::not_an_object},
    {"truncated", Noise::truncated},
    {"oversized", Noise::oversized},
}};

class Reader {
 public:
  Reader(const config::Section& section, FaultChange& change)
      : section_(section), change_(change) {}

  void flag(std::string_view key, bool Faults::*field, std::string_view doc) {
    const bool on = section_.boolean(key, {.doc = doc, .otherwise = false});
    if (!section_.has(key)) return;
    change_.changes.push_back([field, on](Faults& faults) { faults.*field = on; });
  }
  // A number, or "always".
  void count(std::string_view key, std::uint32_t Faults::*field, std::string_view doc) {
    std::uint32_t value = Faults::kAlways;
    const std::string text = section_.text(key, {.doc = doc, .otherwise = "0"});
    if (!section_.has(key)) return;
    if (text != "always") {
      const auto number = config::integer_from(text);
      if (!number || *number < 0 || *number > 1'000'000) {
        section_.wrong(key, "found \"" + text + "\"; expected a number up to 1000000, or always");
        return;
      }
      value = static_cast<std::uint32_t>(*number);
    }
    change_.changes.push_back([field, value](Faults& faults) { faults.*field = value; });
  }
  void number(std::string_view key, std::uint32_t Faults::*field, std::int64_t most,
              std::string_view doc) {
    const auto value = static_cast<std::uint32_t>(
        section_.integer(key, {.doc = doc, .otherwise = 0, .most = most}));
    if (!section_.has(key)) return;
    change_.changes.push_back([field, value](Faults& faults) { faults.*field = value; });
  }
  void duration(std::string_view key, Millis Faults::*field, std::string_view doc) {
    const auto value = read_duration(section_, key, doc);
    if (!value) return;
    change_.changes.push_back([field, value](Faults& faults) { faults.*field = *value; });
  }

 private:
  const config::Section& section_;
  FaultChange& change_;
};

void read_noise(const config::Section& section, engine::Incident& incident) {
  std::string known;
  for (const auto& [name, kind] : kNoises) known += (known.empty() ? "" : ", ") + std::string(name);
  const auto names = section.list(
      "noise",
      {.doc = "Frames to send now.", .otherwise = std::vector<std::string>{}, .count_max = 100});
  for (const std::string& name : names) {
    bool found = false;
    for (const auto& [word, kind] : kNoises) {
      if (word != name) continue;
      incident.noise.push_back(kind);
      found = true;
    }
    if (!found) section.wrong("noise", "found \"" + name + "\"; expected some of " + known);
  }
}

}  // namespace

FaultChange read_faults(const config::Section& section) {
  FaultChange change;
  Reader read(section, change);
  read.flag("refuse_connections", &Faults::refuse_connections, "TCP connects are refused.");
  read.flag("no_welcome", &Faults::no_welcome, "The first frame never comes.");
  change.needs_listener = !change.changes.empty();
  read.count("forbidden", &Faults::forbidden, "So many logins are refused, or always.");
  read.count("drop_before_init", &Faults::drop_before_init,
             "So many connections are lost after the login, or always.");
  read.flag("silent", &Faults::silent, "Half-open: nothing is read, answered or sent.");
  read.duration("delay", &Faults::delay, "Every frame comes so much later.");
  read.number("duplicate", &Faults::duplicate, 1'000'000, "Every n-th event comes twice.");
  read.duration("reorder_hangup", &Faults::reorder_hangup,
                "Call states come so much later, so that hang-ups overtake them.");
  read.number("noise_every", &Faults::noise_every, 1'000'000,
              "After every n-th event comes a frame nobody understands.");
  read.number("init_extensions", &Faults::init_extensions, 100'000,
              "Extensions in the first picture, at least.");
  const auto actions = section.one_of<Faults::Actions>(
      "actions",
      {{"execute", Faults::Actions::execute},
       {"ignore", Faults::Actions::ignore},
       {"error", Faults::Actions::error}},
      {.doc = "What becomes of actions.", .otherwise = Faults::Actions::execute});
  if (section.has("actions")) {
    change.changes.push_back([actions](Faults& faults) { faults.actions = actions; });
  }
  const auto new_call = section.one_of<Faults::NewCall>(
      "new_call",
      {{"normal", Faults::NewCall::normal},
       {"missing", Faults::NewCall::missing},
       {"late", Faults::NewCall::late}},
      {.doc = "Whether new-call comes.", .otherwise = Faults::NewCall::normal});
  if (section.has("new_call")) {
    change.changes.push_back([new_call](Faults& faults) { faults.new_call = new_call; });
  }
  read.duration("new_call_delay", &Faults::new_call_delay, "How late, if late.");
  read.count("login_not_found", &Faults::login_not_found,
             "So many logins are told that there is no such account, or always.");
  read.duration("login_delay", &Faults::login_delay, "A login's answer comes so much later.");
  read.count("refuse_upgrades", &Faults::refuse_upgrades,
             "So many upgrades to WebSocket are refused, or always.");
  read.count("drop_requests", &Faults::drop_requests,
             "So many HTTP requests end in a TCP reset, or always.");
  read.count("truncated_replies", &Faults::truncated_replies,
             "So many HTTP replies end in the middle, or always.");
  read.count("double_entries", &Faults::double_entries,
             "So many lists of calls have every entry twice, or always.");
  read.count("missing_entries", &Faults::missing_entries,
             "So many lists of calls leave one out that is alive, or always.");
  read.duration("results_late", &Faults::results_late,
                "Answers come so much later than what they lead to.");
  read.flag("two_devices", &Faults::two_devices, "What rings, rings at two devices of a user.");
  read.flag("missing_conf", &Faults::missing_conf, "The first CallInfo of a call has no conf.");
  read.flag("unknown_messages", &Faults::unknown_messages, "The msg of CallInfo is unknown.");
  read.flag("unknown_updates", &Faults::unknown_updates, "The update of UserInfo is unknown.");
  read.count("wrong_digest", &Faults::wrong_digest,
             "So many logins of sockets the PBX opens have a wrong digest, or always.");
  read.count("replayed_login", &Faults::replayed_login,
             "So many are one for an earlier challenge, or always.");
  read.count("persons_login", &Faults::persons_login, "So many are a person's, or always.");
  read.count("wrong_domain", &Faults::wrong_domain, "So many name another domain, or always.");
  read.flag("no_login", &Faults::no_login, "Sockets the PBX opens say nothing.");
  read.number("duplicate_sockets", &Faults::duplicate_sockets, 1'000,
              "So many more sockets at once of each that the PBX opens.");
  read.count("unlicensed", &Faults::unlicensed,
             "So many logins are refused for want of a licence, or always.");
  read.count("login_unavailable", &Faults::login_unavailable,
             "So many logins find that tokens cannot be looked up, or always.");
  read.count("lost_events", &Faults::lost_events,
             "So many events are numbered and never sent, or always.");
  read.number("late_answers", &Faults::late_answers, 1'000'000,
              "Every n-th answer comes a second later.");
  read.flag("text_data", &Faults::text_data, "The data of call events is a text.");
  read.flag("filler", &Faults::filler, "A frame of four NULs after each event.");

  engine::Incident& incident = change.incident;
  incident.drop_all =
      section.boolean("drop_all", {.doc = "Every connection is lost, now.", .otherwise = false});
  incident.restart = section.boolean(
      "restart", {.doc = "As drop_all, and all ids are others afterwards.", .otherwise = false});
  incident.calls_survive =
      section.boolean("calls_survive", {.doc = "Calls go on over a restart.", .otherwise = false});
  incident.lose_subscriptions = section.boolean(
      "lose_subscriptions", {.doc = "All are lost, in silence.", .otherwise = false});
  incident.close_empty = section.boolean(
      "close_empty", {.doc = "Every socket is closed without a status.", .otherwise = false});
  incident.revoke = section.one_of<engine::Revoke>(
      "revoke",
      {{"none", engine::Revoke::none},
       {"close", engine::Revoke::close},
       {"quiet", engine::Revoke::quiet}},
      {.doc = "All sessions end; their sockets are closed, or just told nothing any more.",
       .otherwise = engine::Revoke::none});
  read_noise(section, incident);
  incident.oversized_bytes = static_cast<std::size_t>(
      section.integer("oversized_bytes", {.doc = "How large an oversized frame is.",
                                          .otherwise = 5 << 20,
                                          .least = 1,
                                          .most = 64 << 20}));
  return change;
}

}  // namespace simulator::scenario
