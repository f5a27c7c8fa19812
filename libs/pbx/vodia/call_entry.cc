#include <algorithm>
#include <utility>

#include "pbx/vodia/codec.h"
#include "pbx/vodia/fields.h"

// Entries of call lists, and the parties in them.
namespace pbx::vodia {
namespace {

using base::Errc;
using simdjson::ondemand::array;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

// Entries are parsed while the message they are from is still needed.
JsonParser& entry_parser() {
  thread_local JsonParser parser;
  return parser;
}

// A time that is there: "" and 0 mean not yet.
bool is_set(std::string_view text) {
  text = trimmed(text);
  return !text.empty() && text.find_first_not_of("0.") != std::string_view::npos &&
         !is_word(text, "false") && !is_word(text, "null");
}

void add_member(CallEntry& call, std::string_view text) {
  std::string member = member_of(text);
  if (member.empty() || call.extensions.size() >= kExtensionsMax) return;
  if (std::find(call.extensions.begin(), call.extensions.end(), member) == call.extensions.end()) {
    call.extensions.push_back(std::move(member));
  }
}

void read_members(CallEntry& call, value& it) {
  if (type_of(it) != json_type::array) {
    if (auto text = text_of(it)) add_member(call, *text);
    return;
  }
  array members;
  if (it.get_array().get(members)) return;
  for (auto item : members) {
    value member;
    if (item.get(member)) return;
    if (auto text = text_of(member)) add_member(call, *text);
  }
}

Progress progress_of(std::string_view state, bool connect, bool ended) {
  const std::string word = folded(state);
  for (std::string_view over : {"disconnected", "terminated", "ended", "end", "cleared"}) {
    if (word == over) return Progress::gone;
  }
  if (ended) return Progress::gone;
  if (word == "holding") return Progress::holding;
  if (word == "onhold") return Progress::on_hold;
  if (word == "connected" || connect) return Progress::connected;
  return Progress::setup;
}

struct Parts {
  std::string_view from, to, from_number, from_name, to_number, to_name;
};

Address joined(std::string_view whole, std::string_view number, std::string_view name) {
  Address address = address_of(whole);
  if (!trimmed(number).empty()) address.number = address_of(number).number;
  if (!trimmed(name).empty()) address.name = cut(trimmed(name), kNameMax);
  return address;
}

base::Result<CallEntry> read_call(object& fields) {
  CallEntry call;
  Parts parts;
  std::string_view id, state, call_state;
  bool connect = false, ended = false;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "extension" || key == "extensions") return read_members(call, field);
    const auto text = text_of(field);
    if (!text) return;
    if (key == "id") {
      id = *text;
    } else if (key == "from") {
      parts.from = *text;
    } else if (key == "to") {
      parts.to = *text;
    } else if (key == "from-number") {
      parts.from_number = *text;
    } else if (key == "from-name") {
      parts.from_name = *text;
    } else if (key == "to-number") {
      parts.to_number = *text;
    } else if (key == "to-name") {
      parts.to_name = *text;
    } else if (key == "state") {
      state = *text;
    } else if (key == "callstate") {
      call_state = *text;
    } else if (key == "start") {
      call.start = microseconds_of(*text);
    } else if (key == "connect") {
      connect = is_set(*text);
    } else if (key == "end") {
      ended = is_set(*text);
    } else if (key == "rec") {
      call.recording = !text->empty() && flag_of(*text) != false;
    } else if (key == "cmc") {
      call.matter = cut(*text, kNameMax);
    }
  });
  if (!whole || id.empty() || id.size() > kIdMax) return Errc::bad_frame;
  call.id = id;
  call.from = joined(parts.from, parts.from_number, parts.from_name);
  call.to = joined(parts.to, parts.to_number, parts.to_name);
  const auto word = state.empty() ? call_state : state;
  call.state = cut(word, kNameMax);
  call.progress = progress_of(word, connect, ended);
  call.answered = connect || call.progress == Progress::connected ||
                  call.progress == Progress::holding || call.progress == Progress::on_hold;
  return call;
}

}  // namespace

base::Result<CallEntry> parse_call(std::string_view text) {
  JsonParser& parser = entry_parser();
  auto fields = parser.parse(text);
  if (!fields) return fields.error();
  auto call = read_call(*fields);
  if (call && !parser.finished()) return Errc::bad_frame;
  return call;
}

// "*502" is a member with a mark whose meaning nobody knows; "502@tenant" is 502.
std::string member_of(std::string_view text) {
  text = trimmed(text);
  while (!text.empty() && text.front() == '*') text.remove_prefix(1);
  while (!text.empty() && text.back() == '*') text.remove_suffix(1);
  text = text.substr(0, text.find('@'));
  return text.size() <= kNumberMax ? std::string(text) : std::string();
}

Address address_of(std::string_view text) {
  text = trimmed(text);
  Address address;
  if (text.starts_with('"')) {
    std::string name;
    std::size_t at = 1;
    for (; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      name += text[at];
    }
    address.name = cut(trimmed(name), kNameMax);
    text = trimmed(text.substr(std::min(at + 1, text.size())));
  }
  if (const auto open = text.find('<'); open != std::string_view::npos) {
    if (address.name.empty()) address.name = cut(trimmed(text.substr(0, open)), kNameMax);
    text = text.substr(open + 1);
    text = text.substr(0, text.find('>'));
  }
  for (std::string_view scheme : {"sips:", "sip:", "tel:"}) {
    if (text.size() >= scheme.size() && is_word(text.substr(0, scheme.size()), scheme)) {
      text.remove_prefix(scheme.size());
      break;
    }
  }
  const auto user = trimmed(text.substr(0, text.find_first_of("@;")));
  for (std::string_view word : {"anonymous", "unavailable", "restricted", "unknown"}) {
    if (is_word(user, word)) return address;
  }
  address.number = cut(user, kNumberMax);
  return address;
}

std::string bare_number(std::string_view number) {
  std::string bare;
  for (char c : number) {
    if ((c >= '0' && c <= '9') || c == '+' || c == '*' || c == '#' || (c >= 'a' && c <= 'z') ||
        (c >= 'A' && c <= 'Z')) {
      bare += c;
    }
  }
  return bare;
}

bool is_same_number(std::string_view one, std::string_view other) {
  constexpr std::size_t kSuffixLeast = 3;
  if (one == other) return true;
  return std::min(one.size(), other.size()) >= kSuffixLeast &&
         (one.ends_with(other) || other.ends_with(one));
}

}  // namespace pbx::vodia
