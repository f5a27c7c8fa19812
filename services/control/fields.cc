#include "control/fields.h"

#include <algorithm>
#include <utility>

#include "wire/names.h"

namespace control {
namespace {

using pbxgw::v1::AgentState;
using pbxgw::v1::Query;

constexpr std::size_t kShownMax = 64;

// Protobuf has made sure that it is UTF-8: a character begins where no continuation byte is.
std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

bool is_control(std::string_view text, std::size_t at) {
  const auto c = static_cast<unsigned char>(text[at]);
  if (c < 0x20 || c == 0x7f) return true;
  // C1 controls, U+0080 to U+009F.
  return c == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

bool has_control(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_control(text, at)) return true;
  }
  return false;
}

// A value of the caller's own, given back: cut at a character's end, controls as '?'.
std::string shown(std::string_view text) {
  std::size_t end = std::min(text.size(), kShownMax);
  while (end < text.size() && end > 0 && (text[end] & 0xc0) == 0x80) --end;
  std::string result;
  for (std::size_t at = 0; at < end; ++at) {
    const bool control = is_control(text, at);
    result += control ? '?' : text[at];
    if (control && static_cast<unsigned char>(text[at]) == 0xc2) ++at;
  }
  if (end < text.size()) result += "…";
  return result;
}

bool is_uuid4(std::string_view id) {
  if (id.size() != 36) return false;
  for (std::size_t at = 0; at < id.size(); ++at) {
    const char c = id[at];
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (c != '-') return false;
    } else if (std::string_view("0123456789abcdef").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return id[14] == '4' && std::string_view("89ab").find(id[19]) != std::string_view::npos;
}

}  // namespace

wire::Failure wrong(std::string_view field, std::string problem, std::string_view value) {
  wire::Failure failure;
  failure.why = base::Errc::invalid_argument;
  failure.field = field;
  failure.detail = std::string(field);
  failure.metadata["field"] = field;
  if (!value.empty()) {
    const std::string text = shown(value);
    failure.detail += " \"" + text + '"';
    failure.metadata["value"] = text;
  }
  failure.detail += ' ' + problem;
  return failure;
}

wire::Failure not_of_form(std::string_view field, std::string_view name, std::string_view form) {
  if (name.empty()) return wrong(field, "is missing: expected " + std::string(form));
  return wrong(field, "is not of the form " + std::string(form), name);
}

std::optional<wire::Failure> check_text(std::string_view field, std::string_view text,
                                        std::size_t max, bool required, std::string_view what) {
  const std::string remedy = ": expected " + std::string(what);
  if (text.empty()) {
    if (required) return wrong(field, "is empty" + remedy);
  } else if (characters_in(text) > max) {
    return wrong(field, "is longer than " + std::to_string(max) + " characters" + remedy, text);
  } else if (has_control(text)) {
    return wrong(field, "has a control character" + remedy, text);
  }
  return std::nullopt;
}

std::optional<wire::Failure> read_request_id(std::string_view id, std::string& out) {
  if (id.empty()) return std::nullopt;
  out = id;
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  if (!is_uuid4(out)) {
    out.clear();
    return wrong("request_id",
                 "is not a UUID of version 4: send a fresh one, or none, for each request", id);
  }
  return std::nullopt;
}

Fields::Fields(pbxgw::v1::Service service) { command().set_service(service); }
Fields::Fields(Query::Kind kind) { request_.mutable_query()->set_kind(kind); }

void Fields::call(std::string_view name, std::string_view field) {
  const auto parsed = wire::parse_call(name);
  if (!parsed || parsed->tenant.empty() || parsed->call.empty()) {
    return fail(not_of_form(field, name, wire::kCallForm));
  }
  belong(parsed->tenant, field, name);
  if (request_.has_query()) {
    request_.mutable_query()->set_id(parsed->call.str());
  } else {
    command().set_call_id(parsed->call.str());
  }
}

void Fields::connection(std::string_view name) {
  const auto parsed = wire::parse_connection(name);
  if (!parsed || parsed->tenant.empty() || parsed->call.empty()) {
    return fail(not_of_form("connection", name, wire::kConnectionForm));
  }
  belong(parsed->tenant, "connection", name);
  command().set_call_id(parsed->call.str());
  command().set_connection_number(parsed->number);
}

void Fields::other_connection(std::string_view name) {
  if (name.empty()) return;
  const auto parsed = wire::parse_connection(name);
  if (!parsed || parsed->tenant.empty() || parsed->call.empty()) {
    return fail(not_of_form("other_connection", name, wire::kConnectionForm));
  }
  belong(parsed->tenant, "other_connection", name);
  if (parsed->call.str() == command().call_id() &&
      parsed->number == command().connection_number()) {
    return fail(wrong("other_connection",
                      "is the same as connection: give the device's other connection, or none",
                      name));
  }
  command().set_other_call_id(parsed->call.str());
  command().set_other_connection_number(parsed->number);
}

void Fields::device(std::string_view name, std::string_view field) {
  const auto parsed = wire::parse_device(name);
  if (!parsed || parsed->tenant.empty() || parsed->device.empty()) {
    return fail(not_of_form(field, name, wire::kDeviceForm));
  }
  belong(parsed->tenant, field, name);
  if (request_.has_query()) {
    request_.mutable_query()->set_id(parsed->device.str());
  } else {
    command().set_device_id(parsed->device.str());
  }
}

void Fields::destination(std::string_view text) {
  printable("destination", text, kDestinationMax, true,
            "the number as the device's user would dial it");
  command().set_destination(std::string(text));
}

void Fields::slot(std::string_view text) {
  printable("slot", text, kDestinationMax, false, "a park slot, or nothing");
  command().set_destination(std::string(text));
}

void Fields::digits(std::string_view text) {
  const bool known = text.find_first_not_of("0123456789*#ABCD") == std::string_view::npos;
  if (text.empty() || text.size() > kDigitsMax || !known) {
    const std::string how = text.empty() ? "is empty" : known ? "is too long" : "is not DTMF";
    return fail(wrong("digits", how + ": expected 1 to 64 of 0-9 * # A-D", text));
  }
  command().set_digits(std::string(text));
}

void Fields::data(const google::protobuf::Map<std::string, std::string>& data, bool required) {
  if (data.empty() && required) {
    return fail(wrong("data", "is empty: give at least one key and value"));
  }
  if (data.size() > kDataEntriesMax) {
    return fail(wrong("data", "has too many entries: expected at most 32"));
  }
  std::size_t bytes = 0;
  for (const auto& [key, value] : data) {
    if (key.empty()) return fail(wrong("data", "has an empty key: give each value a name"));
    if (has_control(key)) {
      return fail(wrong("data", "has a key with a control character: use printable ones", key));
    }
    bytes += key.size() + value.size();
  }
  if (bytes > kDataBytesMax) {
    return fail(wrong("data", "is too big: expected at most 4096 bytes of keys and values"));
  }
  command().mutable_data()->insert(data.begin(), data.end());
}

void Fields::forwarding(bool present, const pbxgw::v1::Forwarding& forwarding) {
  if (!present) {
    return fail(wrong("forwarding", "is missing: give its type, and a destination or none"));
  }
  if (!pbxgw::v1::ForwardingType_IsValid(forwarding.type()) ||
      forwarding.type() == pbxgw::v1::FORWARDING_TYPE_UNSPECIFIED) {
    return fail(wrong("forwarding.type", "is unspecified or unknown: expected a ForwardingType",
                      std::to_string(forwarding.type())));
  }
  printable("forwarding.destination", forwarding.destination(), kDestinationMax, false,
            "a number, or nothing to switch it off");
  *command().mutable_forwarding() = forwarding;
  command().mutable_forwarding()->DiscardUnknownFields();  // the gate has not seen them either
}

void Fields::presence(std::string_view text) {
  printable("presence", text, kDestinationMax, true, "a presence state of the PBX");
  command().set_presence(std::string(text));
}

void Fields::agent_state(AgentState state) {
  if (state == pbxgw::v1::AGENT_STATE_BUSY) {
    return fail(wrong("agent_state", "cannot be asked for: it follows from calls",
                      pbxgw::v1::AgentState_Name(state)));
  }
  if (!pbxgw::v1::AgentState_IsValid(state) || state == pbxgw::v1::AGENT_STATE_UNSPECIFIED) {
    return fail(wrong("agent_state", "is unspecified or unknown: expected an AgentState",
                      std::to_string(state)));
  }
  command().set_agent_state(state);
}

void Fields::note(std::string_view text, std::string_view field) {
  printable(field, text, kNoteMax, false, "a short text, or nothing");
  command().set_note(std::string(text));
}

void Fields::request_id(std::string_view id) {
  if (auto failure = read_request_id(id, *request_.mutable_request_id())) fail(std::move(*failure));
}

void Fields::fail(wire::Failure failure) {
  if (!failure_) failure_ = std::move(failure);
}

void Fields::belong(const base::TenantId& tenant, std::string_view field, std::string_view name) {
  if (tenant_.empty()) {
    tenant_ = tenant;
    request_.set_tenant(wire::tenant_name(tenant));
  } else if (tenant_ != tenant) {
    fail(wrong(field, "is of another tenant: expected one of " + wire::tenant_name(tenant_), name));
  }
}

void Fields::printable(std::string_view field, std::string_view text, std::size_t max,
                       bool required, std::string_view what) {
  if (auto failure = check_text(field, text, max, required, what)) fail(std::move(*failure));
}

wire::Failure wrong_page_token() {
  wire::Failure failure = wrong(
      "page_token",
      "is not of this list: send the last next_page_token with the other arguments unchanged, or "
      "none to start anew");
  failure.why = base::Errc::page_token_invalid;
  return failure;
}

std::optional<int> page_size_of(int asked) {
  if (asked < 0) return std::nullopt;
  return asked == 0 ? kPageSizeOtherwise : std::min(asked, kPageSizeMax);
}

}  // namespace control
