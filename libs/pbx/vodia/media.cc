#include "pbx/vodia/media.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pbx/vodia/fields.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using call::Cause;
using simdjson::ondemand::array;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

constexpr std::size_t kCseqMax = 32;
constexpr std::size_t kMidMax = 64;
constexpr std::size_t kPlainIntegerMax = 15;  // digits that every JSON reader keeps

// What the small fields of any of the messages say. They point into the parser's buffers.
struct Fields {
  int flat = -1;
  std::string_view action, call, id, reason, from, from_user, from_display, from_number, to,
      to_user, name, number;
  std::string cseq;
  unsigned code = 0, expires = 0;
  Sdp sdp;
  std::string candidate, mid;
  bool candidate_too_long = false;
  unsigned m_line = 0;
  std::vector<IceAddress> addresses;
};

unsigned count_in(value& it) {
  const auto text = text_of(it);
  const auto number = text ? number_of(*text) : std::nullopt;
  return number && *number > 0 ? static_cast<unsigned>(*number) : 0;
}

// A number stays one, and a text a text.
std::string json_in(value& it) {
  const bool number = type_of(it) == json_type::number;
  const auto text = text_of(it);
  if (!text || text->empty() || text->size() > kCseqMax) return {};
  if (number && text->size() <= kPlainIntegerMax &&
      text->find_first_not_of("0123456789") == std::string_view::npos) {
    return std::string(*text);
  }
  std::string json;
  append_json(json, *text);
  return json;
}

// Calls visit(key, value&) for the fields of a value that is an object.
template <class Visit>
bool visit_inner(value& it, Visit&& visit) {
  object inner;
  if (type_of(it) != json_type::object) return false;
  if (!it.get_object().get(inner)) for_each_field(inner, visit);
  return true;
}

// The text itself, or {type, sdp}.
void read_sdp(Sdp& sdp, value& it) {
  const auto take = [&](value& field) {
    const auto text = text_of(field);
    if (!text) return;
    sdp.too_long = text->size() > kSdpMax;
    sdp.text = sdp.too_long ? std::string() : std::string(*text);
  };
  const bool inside = visit_inner(it, [&](std::string_view key, value& field) {
    if (key == "sdp") take(field);
  });
  if (!inside) take(it);
}

// A line, or {candidate, sdpMid, sdpMLineIndex}; nothing, or null: there are no more.
void read_candidate(Fields& fields, value& it) {
  const auto take = [&](value& field) {
    const auto text = text_of(field);
    if (!text) return;
    auto line = trimmed(*text);
    if (line.starts_with("a=")) line.remove_prefix(2);
    fields.candidate_too_long = line.size() > kCandidateMax;
    fields.candidate = fields.candidate_too_long ? std::string() : std::string(line);
  };
  const bool inside = visit_inner(it, [&](std::string_view key, value& field) {
    if (key == "candidate") {
      take(field);
    } else if (key == "sdpMid") {
      if (const auto text = text_of(field)) fields.mid = cut(*text, kMidMax);
    } else if (key == "sdpMLineIndex") {
      fields.m_line = count_in(field);
    }
  });
  if (!inside) take(it);
}

bool is_address(std::string_view text) {
  return !text.empty() && text.size() <= kNumberMax &&
         text.find_first_not_of(
             "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
             ".:-_%") == std::string_view::npos;
}

// [["192.0.2.10", 49152], …]
void read_addresses(Fields& fields, value& it) {
  array pairs;
  if (type_of(it) != json_type::array || it.get_array().get(pairs)) return;
  for (auto item : pairs) {
    value pair;
    array parts;
    if (item.get(pair)) return;
    if (type_of(pair) != json_type::array || pair.get_array().get(parts)) continue;
    IceAddress address;
    int place = 0;
    for (auto part : parts) {
      value field;
      if (part.get(field)) return;
      const auto text = text_of(field);
      if (text && place == 0) address.address = is_address(*text) ? *text : "";
      if (text && place == 1) {
        const auto port = number_of(*text);
        if (port && *port > 0 && *port <= 65'535) address.port = std::to_string(*port);
      }
      ++place;
    }
    if (address.address.empty() || address.port.empty()) continue;
    if (fields.addresses.size() < kAddressesMax) fields.addresses.push_back(std::move(address));
  }
}

void take_field(Fields& fields, std::string_view key, value& field) {
  if (const int rank = rank_of(kFlatKeys, key); rank >= 0) {
    if (fields.flat < 0 || rank < fields.flat) fields.flat = rank;
    // Only one of the two is in a message that means anything.
    if (key == "sdp" || key == "invitesdp") read_sdp(fields.sdp, field);
    if (key == "candidate") read_candidate(fields, field);
    return;
  }
  if (key == "cseq") {
    fields.cseq = json_in(field);
  } else if (key == "code") {
    fields.code = count_in(field);
  } else if (key == "expires") {
    fields.expires = count_in(field);
  } else if (key == "adr") {
    read_addresses(fields, field);
  } else {
    constexpr struct {
      std::string_view key;
      std::string_view Fields::*field;
    } kTexts[] = {
        {"action", &Fields::action},
        {"callid", &Fields::call},
        {"id", &Fields::id},
        {"reason", &Fields::reason},
        {"from", &Fields::from},
        {"from-user", &Fields::from_user},
        {"from-display", &Fields::from_display},
        {"from-number", &Fields::from_number},
        {"to", &Fields::to},
        {"to-user", &Fields::to_user},
        {"name", &Fields::name},
        {"number", &Fields::number},
    };
    for (const auto& text : kTexts) {
      if (text.key != key) continue;
      if (const auto it = text_of(field)) fields.*(text.field) = *it;
      return;
    }
  }
}

// The number of a call from outside may be whole only in the URI.
Address caller_of(const Fields& fields) {
  Address caller = address_of(fields.from);
  for (std::string_view number : {fields.from_number, fields.from_user}) {
    if (caller.number.empty()) caller.number = address_of(number).number;
  }
  if (const auto name = trimmed(fields.from_display); !name.empty()) {
    caller.name = cut(name, kNameMax);
  }
  return caller;
}

base::Result<MediaFrame> flat_frame(Fields& fields) {
  const std::string call(fields.call);
  const std::string_view key = kFlatKeys[fields.flat];
  std::string reason = cut(fields.reason, kNameMax);
  if (key == "sdp") {
    return Description{call,        std::move(fields.cseq), std::move(fields.sdp),
                       fields.code, std::move(reason),      address_of(fields.to_user).number};
  }
  if (key == "invitesdp") {
    return Invitation{call, std::move(fields.cseq), std::move(fields.sdp), caller_of(fields),
                      address_of(fields.to).number};
  }
  if (key == "candidate") {
    if (fields.candidate_too_long) return Errc::bad_frame;
    return Candidates{call, expanded(fields.candidate, fields.addresses), std::move(fields.mid),
                      fields.m_line};
  }
  if (key == "bye") {
    return Goodbye{call, std::move(fields.cseq), fields.code, std::move(reason)};
  }
  if (key == "cancel") return Cancellation{call, std::move(fields.cseq)};
  return Aside{std::string(key)};
}

base::Result<MediaFrame> action_frame(Fields& fields) {
  const std::string call(fields.call);
  const std::string_view action = fields.action;
  std::string reason = cut(fields.reason, kNameMax);
  if (action == "sip-register") return Registration{fields.expires};
  if (action == "sip-busy") return Rejection{call, fields.code, std::move(reason)};
  if (action == "sip-ringing" || action == "ringing") return Ringing{call};
  if (action == "cancel" || action == "sip-cancel") {
    return Cancellation{call, std::move(fields.cseq)};
  }
  if (action == "bye") return Goodbye{call, std::move(fields.cseq), fields.code, std::move(reason)};
  if (action == "callerid") {
    return Identity{call, {address_of(fields.number).number, cut(trimmed(fields.name), kNameMax)}};
  }
  if (action == "rec-start" || action == "rec-stop") {
    return RecordingMark{fields.call.empty() ? std::string(fields.id) : call,
                         action == "rec-start"};
  }
  return Aside{cut(action, kNameMax)};
}

}  // namespace

base::Result<MediaFrame> parse_media(std::string_view text) {
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(text);
  if (!document) return document.error();
  Fields fields;
  const bool whole = for_each_field(
      *document, [&](std::string_view key, value& field) { take_field(fields, key, field); });
  if (!whole || !parser.finished()) return Errc::bad_frame;
  if (fields.call.size() > kIdMax || fields.id.size() > kIdMax) return Errc::bad_frame;
  if (fields.flat >= 0) return flat_frame(fields);
  if (fields.action != "call-state") return action_frame(fields);

  const auto frame = parse(text);
  if (!frame) return frame.error();
  OwnCalls own;
  if (const auto* state = std::get_if<CallState>(&*frame)) {
    for (const std::string_view entry : state->calls.entries) {
      if (auto call = parse_call(entry)) own.calls.push_back(std::move(*call));
    }
  }
  return own;
}

std::vector<std::string> expanded(std::string_view candidate,
                                  const std::vector<IceAddress>& addresses) {
  // candidate:<foundation> <component> <transport> <priority> <address> <port> typ … (RFC 8839)
  std::size_t begin = 0;
  for (int blanks = 0; blanks < 4; ++blanks) {
    begin = candidate.find(' ', begin);
    if (begin == std::string_view::npos) break;
    ++begin;
  }
  const auto middle =
      begin == std::string_view::npos ? std::string_view::npos : candidate.find(' ', begin);
  const auto end =
      middle == std::string_view::npos ? std::string_view::npos : candidate.find(' ', middle + 1);
  if (addresses.empty() || end == std::string_view::npos) return {std::string(candidate)};
  std::vector<std::string> lines;
  for (const IceAddress& it : addresses) {
    std::string line(candidate.substr(0, begin));
    line.append(it.address).append(" ").append(it.port).append(candidate.substr(end));
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string as_answer(std::string sdp) {
  constexpr std::string_view kOffered = "a=setup:actpass", kAnswered = "a=setup:passive";
  static_assert(kOffered.size() == kAnswered.size());
  for (auto at = sdp.find(kOffered); at != std::string::npos; at = sdp.find(kOffered, at)) {
    sdp.replace(at, kOffered.size(), kAnswered);
  }
  return sdp;
}

Cause cause_of_sip(unsigned code, bool rang) noexcept {
  if (code < 300) return Cause::normal_clearing;
  if (code >= 500 && code < 600) return Cause::network_not_obtainable;
  switch (code) {
    case 404:
    case 410:
    case 484:
    case 604: return Cause::dest_not_obtainable;
    case 408:
    case 480: return rang ? Cause::call_not_answered : Cause::dest_out_of_order;
    case 486:
    case 600: return Cause::busy;
    case 403:
    case 603: return Cause::blocked;  // as Q.850's "call rejected"
    case 487: return Cause::call_cancelled;
    case 415:
    case 488:
    case 606: return Cause::incompatible_destination;
    default: return Cause::normal;
  }
}

}  // namespace pbx::vodia
