#pragma once

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/overloaded.h"
#include "call/fold.h"
#include "call/tracker.h"
#include "pbx/vendor.h"

// What a test of a session needs: the shell's part, without sockets and with a clock that moves
// only when told to, and behind it the tracker, so that a test can say what consumers would be
// told.
namespace pbx::test {

// The effects of type T, in order.
template <class T>
std::vector<T> only(const Effects& effects) {
  std::vector<T> found;
  for (const auto& effect : effects) {
    if (const auto* it = std::get_if<T>(&effect)) found.push_back(*it);
  }
  return found;
}

// "10s", "5m", "250ms".
inline std::chrono::milliseconds duration_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit == "s") number *= 1'000;
  if (unit == "m") number *= 60'000;
  if (unit == "h") number *= 3'600'000;
  return std::chrono::milliseconds(number);
}

// What a configuration that says nothing means; required texts and secrets are their own names.
inline Settings default_settings(const Vendor& vendor) {
  Settings settings;
  for (const Setting& row : vendor.settings) {
    const std::string text = row.fallback ? row.fallback : row.name;
    switch (row.kind) {
      case SettingKind::text:
      case SettingKind::choice:
      case SettingKind::secret: settings.set(row.name, text); break;
      case SettingKind::boolean: settings.set(row.name, text == "true"); break;
      case SettingKind::integer:
        settings.set(row.name, static_cast<std::int64_t>(std::atoll(text.c_str())));
        break;
      case SettingKind::duration: settings.set(row.name, duration_of(text)); break;
      case SettingKind::accounts: settings.set(row.name, std::map<std::string, Account>{}); break;
      case SettingKind::tokens: settings.set(row.name, std::map<std::string, std::string>{}); break;
      case SettingKind::apps: settings.set(row.name, std::map<std::string, App>{}); break;
    }
  }
  return settings;
}

// One session with its shell. Each function gives the session something and carries out what it
// wants; what came of it is kept in the public members until the test clears them.
class Dialogue {
 public:
  Dialogue(const Vendor& vendor, const Settings& settings)
      : session(vendor.make_session(settings, 1)), tracker(vendor.capabilities, 1) {}

  void start() {
    begin();
    open(kPrimary);
  }
  // For vendors that have something to do before they open their link.
  void begin() { carry_out(session->on_start(now)); }
  void open(LinkId link) { carry_out(session->on_link_open(link, now)); }
  void hear(std::string_view text, LinkId link = kPrimary) {
    carry_out(session->on_text(link, text, now));
  }
  void hear_all(std::initializer_list<std::string_view> texts, LinkId link = kPrimary) {
    for (auto text : texts) hear(text, link);
  }
  void reply_http(HttpId id, const base::Result<HttpReply>& reply) {
    carry_out(session->on_http(id, reply, "", now));
  }
  void arrive(LinkId link, const Arrival& arrival) {
    carry_out(session->on_link_arrived(link, arrival, now));
  }
  void lose(LinkId link, base::Error why = base::Errc::link_lost) {
    carry_out(session->on_link_closed(link, why, "", now));
  }
  // Returns the command's id.
  call::CommandId ask(const call::Command& command,
                      std::chrono::milliseconds limit = std::chrono::seconds(60)) {
    const call::CommandId id = ++last_command_;
    carry_out(session->on_command(id, command, now + limit, now));
    return id;
  }
  // A media client's stream.
  void open_signal(call::SignalId id, const call::SignalOptions& options) {
    carry_out(session->on_signal_open(id, options, now));
  }
  void signal(call::SignalId id, const call::FromClient& message) {
    carry_out(session->on_signal(id, message, now));
  }
  void close_signal(call::SignalId id) { carry_out(session->on_signal_close(id, now)); }
  // Returns the inquiry's id.
  call::InquiryId inquire(const call::Inquiry& inquiry,
                          std::chrono::milliseconds limit = std::chrono::seconds(60)) {
    const call::InquiryId id = ++last_inquiry_;
    carry_out(session->on_inquiry(id, inquiry, now + limit, now));
    return id;
  }
  // Returns the order's id.
  call::OrderId order(const call::Order& order,
                      std::chrono::milliseconds limit = std::chrono::seconds(60)) {
    const call::OrderId id = ++last_order_;
    carry_out(session->on_order(id, order, now + limit, now));
    return id;
  }
  // Lets time pass as the shell does: on_tick() at each deadline on the way.
  void pass(std::chrono::milliseconds span) {
    const TimePoint until = now + span;
    while (session->deadline() <= until) {
      now = std::max(now, session->deadline());
      carry_out(session->on_tick(now));
      if (session->deadline() <= now) {
        stuck = true;
        break;
      }
    }
    now = until;
  }

  TimePoint deadline() const { return session->deadline(); }

  // The reply to a command, once; nullptr if there is none.
  const call::Reply* reply(call::CommandId id) const {
    const auto it = replies.find(id);
    return it == replies.end() || it->second.size() != 1 ? nullptr : &it->second.front();
  }
  // "ok 201/1" with the leg of the outcome, the refusal's error, or "open".
  std::string verdict(call::CommandId id) const {
    const auto it = replies.find(id);
    if (it == replies.end()) return "open";
    if (it->second.size() > 1) return "answered twice";
    return std::visit(
        base::overloaded{
            [](const call::Outcome& outcome) { return "ok " + outcome.leg; },
            [](const call::Refusal& refusal) -> std::string { return base::name_of(refusal.why); },
        },
        it->second.front());
  }

  // What was written on a link since the last time.
  std::vector<std::string> take_sent(LinkId link) { return std::exchange(sent[link], {}); }
  std::vector<std::string> take_events() { return std::exchange(events, {}); }

  std::unique_ptr<Session> session;
  TimePoint now{std::chrono::hours(1)};
  call::Tracker tracker;

  std::vector<std::pair<LinkId, Handshake>> opened;
  std::vector<LinkId> closed;
  std::vector<SendHttp> requests;  // not taken by the test yet
  std::map<LinkId, std::vector<std::string>> sent;
  std::map<call::CommandId, std::vector<call::Reply>> replies;
  std::vector<call::LinkState> stages;
  std::map<call::SignalId, std::vector<call::ToClient>> signals;
  std::vector<EndSignal> ended_signals;
  std::vector<Note> notes;
  std::vector<GiveUp> given_up;
  std::map<call::InquiryId, std::vector<Inform::Answer>> informed;
  std::map<call::OrderId, std::vector<call::OrderReply>> fulfilled;
  std::vector<call::Observation> seen;
  // What consumers are told: "delivered 202", with the cause behind it where it is not the usual
  // one, and the command that caused it: "connectionCleared 202 (normalClearing) by 1".
  std::vector<std::string> events;
  std::vector<std::string> violations;  // of the event contract, as call::Fold checks it
  bool ready = false;
  bool stuck = false;  // a deadline did not move on

 private:
  void carry_out(const Effects& effects) {
    for (const Effect& effect : effects) {
      std::visit(base::overloaded{
                     [&](const OpenLink& it) { opened.emplace_back(it.link, it.where); },
                     [&](const SendText& it) { sent[it.link].push_back(it.text); },
                     [&](const CloseLink& it) { closed.push_back(it.link); },
                     [&](const SendHttp& it) { requests.push_back(it); },
                     [&](const Stage& it) { stages.push_back(it.state); },
                     [&](const Ready&) { ready = true; },
                     [&](const Observe& it) { observe(it); },
                     [&](const Answer& it) { replies[it.id].push_back(it.reply); },
                     [&](const Signal& it) { signals[it.id].push_back(it.message); },
                     [&](const EndSignal& it) { ended_signals.push_back(it); },
                     [&](const Note& it) { notes.push_back(it); },
                     [&](const GiveUp& it) { given_up.push_back(it); },
                     [&](const Inform& it) { informed[it.id].push_back(it.answer); },
                     [&](const Fulfil& it) { fulfilled[it.id].push_back(it.reply); },
                 },
                 effect);
    }
  }

  void observe(const Observe& observation) {
    seen.push_back(observation.seen);
    call::Context context;
    context.now = call::Time(now.time_since_epoch());
    if (observation.caused_by) context.request_id = std::to_string(*observation.caused_by);
    for (const call::Event& event : tracker.apply(observation.seen, context)) {
      for (const std::string& violation : consumer_.apply(event)) violations.push_back(violation);
      if (const auto* it = std::get_if<call::CallEvent>(&event.body)) {
        events.push_back(words_of(*it, event.request_id));
      }
    }
  }

  static std::string words_of(const call::CallEvent& event, const std::string& request) {
    std::string words = call::name_of(event.type);
    if (const auto* it = call::find_connection(event.call, event.connection)) {
      words += ' ' + (it->party.device.empty() ? "?" : it->party.device.str());
    }
    if (event.cause != call::default_cause(event.type)) {
      words += std::string(" (") + call::name_of(event.cause) + ')';
    }
    if (!request.empty()) words += " by " + request;
    return words;
  }

  call::Fold consumer_;
  call::CommandId last_command_ = 0;
  call::InquiryId last_inquiry_ = 0;
  call::OrderId last_order_ = 0;
};

}  // namespace pbx::test
