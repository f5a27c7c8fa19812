#include "simulator/innova360/encoder.h"

#include <array>
#include <charconv>
#include <utility>

namespace simulator::innova360 {
namespace {

using engine::Cause;
using engine::Leg;
using engine::LegState;
using engine::Status;

// Invented extensions that fill up an `init` begin here.
constexpr std::size_t kFillFrom = 900'000;
// Ids of different generations (restarts) lie so far apart.
constexpr std::uint64_t kGenerationStep = 1'000'000;

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

// Whether the text is the same after having been a JSON number.
bool is_plain_integer(std::string_view text) {
  if (text.empty() || text.size() > 15 || (text.size() > 1 && text[0] == '0')) return false;
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

struct StatusWords {
  Status status;
  std::string_view text, constant, spanish;
};
constexpr std::array<StatusWords, 8> kStatusWords{{
    {Status::idle, "Idle", "NOT_INUSE", "libre"},
    {Status::in_use, "InUse", "INUSE", "en uso"},
    {Status::busy, "Busy", "BUSY", "ocupado"},
    {Status::unavailable, "Unavailable", "UNAVAILABLE", "caída"},
    {Status::ringing, "Ringing", "RINGING", "sonando"},
    {Status::in_use_ringing, "InUse&Ringing", "INUSE&RINGING", "sonando"},
    {Status::hold, "Hold", "ONHOLD", "en espera"},
    {Status::in_use_hold, "InUse&Hold", "INUSE&HOLD", "en uso"},
}};

std::string text_of(Status status, Variants::Words words) {
  if (words == Variants::Words::number) return std::to_string(static_cast<int>(status));
  for (const auto& row : kStatusWords) {
    if (row.status != status) continue;
    if (words == Variants::Words::text) return std::string(row.text);
    return std::string(words == Variants::Words::constant ? row.constant : row.spanish);
  }
  return {};
}

std::string text_of(Cause cause, Variants::Words words) {
  if (words == Variants::Words::number) return std::to_string(static_cast<int>(cause));
  switch (cause) {
    case Cause::unallocated: return "Unallocated (unassigned) number";
    case Cause::normal: return "Normal Clearing";
    case Cause::busy: return "User busy";
    case Cause::no_answer: return "User alerting, no answer";
    case Cause::absent: return "Subscriber absent";
    case Cause::rejected: return "Call Rejected";
    case Cause::elsewhere: return "Answered elsewhere";
    case Cause::congestion: return "Circuit/channel congestion";
  }
  return {};
}

std::string_view text_of(LegState state) {
  switch (state) {
    case LegState::initial: return "Down";
    case LegState::dialing: return "Dialing";
    case LegState::ring_back: return "Ring";
    case LegState::ringing: return "Ringing";
    case LegState::up: return "Up";
    case LegState::busy: return "Busy";
  }
  return {};
}

std::string_view code_of(LegState state) {
  switch (state) {
    case LegState::initial: return "0";
    case LegState::dialing: return "3";
    case LegState::ring_back: return "4";
    case LegState::ringing: return "5";
    case LegState::up: return "6";
    case LegState::busy: return "7";
  }
  return {};
}

std::string_view text_of(Variants::Direction words, bool outgoing) {
  switch (words) {
    case Variants::Direction::in_out: return outgoing ? "out" : "in";
    case Variants::Direction::incoming: return outgoing ? "Outgoing" : "Incoming";
    case Variants::Direction::inbound: return outgoing ? "outbound" : "inbound";
    case Variants::Direction::spanish: return outgoing ? "saliente" : "entrante";
    case Variants::Direction::recibida: return outgoing ? "originada" : "recibida";
    case Variants::Direction::unknown: return outgoing ? "tx" : "";
  }
  return {};
}

// A leg as a variant without call-back progress has it: from the own phone's answer on it is Up.
LegState shown_state(const Leg& leg, const Variants& variants) {
  const bool dials = leg.state == LegState::dialing || leg.state == LegState::ring_back;
  return !variants.callback_progress && leg.callback && dials ? LegState::up : leg.state;
}

}  // namespace

// One JSON object being written.
class Encoder::Object {
 public:
  explicit Object(const Variants& variants, std::size_t reserve = 192) : variants_(variants) {
    out_.reserve(reserve);
    out_ = '{';
  }

  Object& text(std::string_view key, std::string_view value) {
    append_escaped(key_of(key), value);
    return *this;
  }
  // A text, or a JSON number where the variant wants numbers.
  Object& number(std::string_view key, std::string_view value) {
    key_of(key);
    if (variants_.numbers == Variants::Numbers::numbers && is_plain_integer(value)) {
      out_ += value;
    } else {
      append_escaped(out_, value);
    }
    return *this;
  }
  Object& boolean(std::string_view key, bool value) {
    key_of(key);
    switch (variants_.booleans) {
      case Variants::Booleans::native: out_ += value ? "true" : "false"; break;
      case Variants::Booleans::text: out_ += value ? "\"true\"" : "\"false\""; break;
      case Variants::Booleans::number: out_ += value ? '1' : '0'; break;
      case Variants::Booleans::digit: out_ += value ? "\"1\"" : "\"0\""; break;
      case Variants::Booleans::yes: out_ += value ? "\"yes\"" : "\"no\""; break;
    }
    return *this;
  }
  Object& raw(std::string_view key, std::string_view json) {
    key_of(key) += json;
    return *this;
  }
  // For appending a value in place.
  std::string& key_of(std::string_view key) {
    if (out_.size() > 1) out_ += ',';
    out_ += '"';
    out_ += key;
    out_ += "\":";
    return out_;
  }
  std::string take() {
    out_ += '}';
    return std::move(out_);
  }

 private:
  const Variants& variants_;
  std::string out_;
};

std::string welcome_frame(std::string_view server) {
  std::string out = R"({"servername":"BOBIf","version":"1.0","type":"welcome","auth":"required")";
  if (!server.empty()) append_escaped(out += R"(,"server":)", server);
  return out + '}';
}

std::string forbidden_frame(std::string_view server) {
  std::string out = R"({"type":"auth-resp","auth":"forbidden")";
  if (!server.empty()) append_escaped(out += R"(,"server":)", server);
  return out + '}';
}

Encoder::Encoder(const Variants& variants, std::string server, Clock clock,
                 const engine::Tenant& tenant)
    : variants_(variants), server_(std::move(server)), clock_(clock), tenant_(tenant) {}

std::string Encoder::welcome() const { return welcome_frame(variants_.server ? server_ : ""); }
std::string Encoder::forbidden() const { return forbidden_frame(variants_.server ? server_ : ""); }

std::string Encoder::logged_in(std::string_view user, std::string_view extension,
                               std::string_view token, bool supervisor) const {
  Object frame(variants_);
  if (variants_.auth_ok == Variants::AuthOk::auth_ok) {
    frame.text("type", "auth-ok");
  } else {
    frame.text("type", "auth-resp").text("auth", "ok");
  }
  if (!supervisor) {
    frame.number("extension", extension).text("agent", user);
  } else if (variants_.supervisor_extension == Variants::Presence::empty) {
    frame.text("extension", "").text("agent", "");
  } else if (variants_.supervisor_extension == Variants::Presence::account) {
    frame.text("extension", user).text("agent", user);
  }
  if (variants_.server) frame.text("server", server_);
  return frame.text("token", token).take();
}

std::string Encoder::init(engine::ExtensionIndex only, std::size_t entries_min) const {
  const auto& all = tenant_.extensions();
  const std::size_t first = only == engine::kOutside ? 0 : only;
  const std::size_t last = only == engine::kOutside ? all.size() : first + 1;
  const std::size_t count = std::max(last - first, entries_min);
  const bool keyed = variants_.data == Variants::Container::keyed;
  const bool bare = variants_.data == Variants::Container::object && count == 1;

  Object frame(variants_, 160 * count + 64);
  std::string& out = frame.text("type", "init").key_of("data");
  if (!bare) out += keyed ? '{' : '[';
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    engine::Extension invented;
    const bool real = first + i < last;
    if (!real) invented.number = std::to_string(kFillFrom + i);
    const engine::Extension& extension = real ? all[first + i] : invented;
    if (keyed) {
      append_escaped(out, extension.number);
      out += ':';
    }
    add_extension(out, extension);
  }
  if (!bare) out += keyed ? '}' : ']';
  if (variants_.server) frame.text("server", server_);
  return frame.take();
}

void Encoder::add_extension(std::string& out, const engine::Extension& extension) const {
  Object entry(variants_);
  const bool keyed = variants_.data == Variants::Container::keyed;
  if (variants_.extension_field || !keyed) entry.number("Extension", extension.number);
  entry.number("Status", text_of(extension.status, variants_.status));
  entry.text("Hint", "SIP/" + extension.number);

  const std::size_t count = extension.legs.size();
  if (count == 0 && variants_.no_calls != Variants::NoCalls::empty) {
    if (variants_.no_calls == Variants::NoCalls::null) entry.raw("Calls", "null");
    if (variants_.no_calls == Variants::NoCalls::text) entry.raw("Calls", "\"\"");
  } else {
    const bool by_id = variants_.calls == Variants::Container::keyed;
    const bool bare = variants_.calls == Variants::Container::object && count == 1;
    std::string& calls = entry.key_of("Calls");
    if (!bare) calls += by_id ? '{' : '[';
    for (std::size_t i = 0; i < count; ++i) {
      const Leg& leg = *tenant_.find_leg(extension.legs[i]);
      if (i > 0) calls += ',';
      if (by_id) {
        append_escaped(calls, id_of(leg));
        calls += ':';
      }
      add_call(calls, leg);
    }
    if (!bare) calls += by_id ? '}' : ']';
  }
  out += entry.take();
}

void Encoder::add_call(std::string& out, const Leg& leg) const {
  const LegState state = shown_state(leg, variants_);
  const bool number = variants_.call_state != Variants::CallState::text;
  Object call(variants_, 320);
  call.boolean("Monitored", true).number("CallID", id_of(leg));
  call.text("CallDirection", text_of(variants_.direction, leg.outgoing));
  call.number("PhoneA", leg.from).number("PhoneB", leg.to);
  call.number("DIDA", leg.did_from).number("DIDB", leg.did_to);
  call.number("Status", number ? code_of(state) : text_of(state));
  call.text("StatusDesc",
            variants_.call_state == Variants::CallState::number ? "" : text_of(state));

  const Leg* partner = leg.connected ? tenant_.partner_of(leg) : nullptr;
  if (variants_.bridge == Variants::Bridge::flag) {
    call.boolean("Bridge", partner != nullptr);
  } else if (variants_.bridge == Variants::Bridge::call) {
    call.text("Bridge", partner ? "bridge-" + std::to_string(leg.call) : "");
  } else {
    call.number("Bridge", partner ? id_of(*partner) : "");
  }
  call.boolean("Hold", leg.held);
  out += call.take();
}

Encoder::Object Encoder::update(std::string_view action, std::string_view extension,
                                bool with_server) const {
  Object frame(variants_);
  frame.text("type", "update").text("action", action);
  if (with_server && variants_.server) frame.text("server", server_);
  frame.number("extension", extension);
  return frame;
}

std::string Encoder::extension_status(const engine::Extension& extension) const {
  Object frame = update("extension-status", extension.number, true);
  return frame.number("status", text_of(extension.status, variants_.status)).take();
}

std::string Encoder::new_call(const Leg& leg) const {
  Object frame = update("new-call", leg.number, true);
  frame.number("callid", id_of(leg));
  frame.text("direction", text_of(variants_.direction, leg.outgoing));
  frame.number("phonea", leg.from).number("phoneb", leg.to);
  return frame.number("dida", leg.did_from).number("didb", leg.did_to).take();
}

std::string Encoder::call_state(const Leg& leg) const {
  const LegState state = shown_state(leg, variants_);
  const bool number = variants_.call_state != Variants::CallState::text;
  Object frame = update("call-state", leg.number, false);
  frame.number("callid", id_of(leg)).number("state", number ? code_of(state) : text_of(state));
  const bool text = variants_.call_state != Variants::CallState::number;
  return frame.text("statedesc", text ? text_of(state) : "").take();
}

std::string Encoder::hangup(const Leg& leg, Cause cause) const {
  Object frame = update("hangup", leg.number, true);
  return frame.number("callid", id_of(leg)).number("cause", text_of(cause, variants_.cause)).take();
}

std::string Encoder::call_event(std::string_view action, const Leg& leg) const {
  Object frame = update(action, leg.number, true);
  return frame.number("callid", id_of(leg)).take();
}

std::string Encoder::action_error(std::string_view action) const {
  Object frame(variants_);
  frame.text("type", "action-resp").text("action", action);
  return frame.text("error", "action not allowed").take();
}

std::string Encoder::noise(engine::Noise kind, std::size_t oversized_bytes) const {
  using engine::Noise;
  switch (kind) {
    case Noise::unknown_action:
      return R"({"type":"update","action":"queue-stats","extension":"","waiting":3})";
    case Noise::unknown_type: return R"({"type":"notice","text":"maintenance at 22:00"})";
    case Noise::invalid_json: return R"({'type':'update','action':'hangup',})";
    case Noise::not_an_object: return R"(["type","update"])";
    case Noise::truncated: return R"({"type":"update","action":"call-state","extension":"2)";
    case Noise::oversized:
      return R"({"type":"notice","text":")" + std::string(oversized_bytes, 'x') + "\"}";
  }
  return {};
}

std::string Encoder::id_of(const Leg& leg) const {
  const bool by_call = variants_.call_ids == Variants::CallIds::call;
  const std::uint64_t id =
      (by_call ? leg.first_call : leg.id) + tenant_.generation() * kGenerationStep;
  const auto age = (by_call ? leg.call_created : leg.created) - clock_.start;
  const auto seconds =
      clock_.unix_start + std::chrono::duration_cast<std::chrono::seconds>(age).count();
  // As JSON numbers "1760000000.1" and "1760000000.10" were the same.
  if (variants_.numbers == Variants::Numbers::numbers) {
    return std::to_string(seconds * 100'000 + static_cast<std::int64_t>(id % 100'000));
  }
  return std::to_string(seconds) + '.' + std::to_string(id);
}

bool Encoder::shows_state(const Leg& leg) const {
  if (variants_.callback_progress || !leg.callback) return true;
  if (leg.state == LegState::dialing || leg.state == LegState::ring_back) return false;
  return leg.state != LegState::up || !leg.connected;  // it was Up already
}

}  // namespace simulator::innova360
