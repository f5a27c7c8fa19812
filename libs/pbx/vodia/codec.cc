#include "pbx/vodia/codec.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "pbx/json.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using simdjson::ondemand::array;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

// The order is the protocol's: with one of these a message has no action, or it does not count.
constexpr std::string_view kFlatKeys[] = {"sdp",       "invitesdp", "candidate", "bye",
                                          "ringtones", "response",  "cancel",    "cancelresponse",
                                          "info",      "change"};

// Around media or of interest to people only.
constexpr std::string_view kAsides[] = {
    "user-change",  "missed-calls", "chat",        "crmcontact",   "sip-register",
    "callerid",     "sip-ringing",  "ringing",     "sip-busy",     "bye",
    "bye-response", "orbit",        "orbit-calls", "orbits",       "sdp-packet",
    "sdp-200ok",    "sdp-answer",   "ringtones",   "ice-candidate"};

json_type type_of(value& it) {
  json_type type = json_type::null;
  if (it.type().get(type)) return json_type::null;
  return type;
}

// Entries are parsed while the message they are from is still needed.
JsonParser& entry_parser() {
  thread_local JsonParser parser;
  return parser;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string cut(std::string_view text, std::size_t most) {
  return std::string(shortened(text, most));
}

std::optional<bool> flag(value& it) {
  const auto text = text_of(it);
  return text ? flag_of(*text) : std::nullopt;
}

// A number within the limit; empty otherwise.
std::string number_in(value& it) {
  const auto text = text_of(it);
  if (!text) return {};
  const auto number = trimmed(*text);
  return number.size() <= kNumberMax ? std::string(number) : std::string();
}

// ---- Calls. ----

// Unix seconds with a fraction.
std::optional<std::int64_t> microseconds_of(std::string_view text) {
  text = trimmed(text);
  double seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(seconds > 0) || seconds > 1e11) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(seconds * 1e6));
}

// A time that is there: "" and 0 mean not yet.
bool is_set(std::string_view text) {
  text = trimmed(text);
  return !text.empty() && text.find_first_not_of("0.") != std::string_view::npos &&
         !is_word(text, "false") && !is_word(text, "null");
}

// "*502" is a member with a mark whose meaning nobody knows; "502@tenant" is 502.
std::string member_of(std::string_view text) {
  text = trimmed(text);
  while (!text.empty() && text.front() == '*') text.remove_prefix(1);
  while (!text.empty() && text.back() == '*') text.remove_suffix(1);
  text = text.substr(0, text.find('@'));
  return text.size() <= kNumberMax ? std::string(text) : std::string();
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

// False if malformed. What is neither a list nor an object is no list.
bool read_list(CallList& list, value& it) {
  switch (type_of(it)) {
    case json_type::array: {
      array items;
      if (it.get_array().get(items)) return false;
      for (auto item : items) {
        value element;
        if (item.get(element)) return false;
        if (type_of(element) != json_type::object) continue;
        object fields;
        std::string_view text;
        if (element.get_object().get(fields) || fields.raw_json().get(text)) return false;
        if (list.entries.size() < kCallsMax) {
          list.entries.push_back(text);
        } else {
          list.complete = false;
        }
      }
      return true;
    }
    case json_type::object: {
      object fields;
      bool empty = false;
      std::string_view text;
      if (it.get_object().get(fields) || fields.is_empty().get(empty)) return false;
      if (empty) return true;
      if (fields.raw_json().get(text)) return false;
      list.entries.push_back(text);
      return true;
    }
    default: return false;
  }
}

// ---- Accounts. ----

void read_aliases(Account& account, value& it) {
  const auto add = [&](std::string_view text) {
    text = trimmed(text);
    if (text.empty() || text.size() > kNumberMax || account.aliases.size() >= kExtensionsMax)
      return;
    account.aliases.emplace_back(text);
  };
  if (type_of(it) != json_type::array) {
    if (auto text = text_of(it)) add(*text);
    return;
  }
  array items;
  if (it.get_array().get(items)) return;
  for (auto item : items) {
    value element;
    if (item.get(element)) return;
    if (auto text = text_of(element)) add(*text);
  }
}

// Takes a field of an account as messages have it; false if it is none. `code` and `chatstatus` are
// replaced by every message, absent or not, so they begin as cleared.
bool take_account_field(Account& account, std::string_view key, value& field) {
  if (key == "account") {
    account.number = number_in(field);
  } else if (key == "name") {
    if (auto text = text_of(field)) account.name = cut(*text, kNameMax);
  } else if (key == "type") {
    if (auto text = text_of(field)) account.type = cut(*text, kNameMax);
  } else if (key == "registered") {
    account.registered = flag(field);
  } else if (key == "dnd") {
    account.do_not_disturb = flag(field);
  } else if (key == "chatstatus") {
    if (auto text = text_of(field)) account.presence = cut(*text, kNameMax);
  } else if (key == "code") {
    account.busy = type_of(field) != json_type::null;
  } else {
    return false;
  }
  return true;
}

// False if malformed.
bool read_accounts(std::vector<Account>& accounts, value& it) {
  if (type_of(it) == json_type::null) return true;
  array items;
  if (type_of(it) != json_type::array || it.get_array().get(items)) return false;
  for (auto item : items) {
    value element;
    if (item.get(element)) return false;
    object fields;
    if (type_of(element) != json_type::object) continue;
    if (element.get_object().get(fields)) return false;
    Account account;
    account.busy = false;
    account.presence = "";
    const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
      take_account_field(account, key, field);
    });
    if (!whole) return false;
    if (!account.number.empty() && accounts.size() < kAccountsMax) {
      accounts.push_back(std::move(account));
    }
  }
  return true;
}

// In the REST directory the number is `name`, and the name `displayname`.
bool read_directory_entry(std::vector<Account>& accounts, object& fields) {
  Account account;
  std::string name, account_number;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "name") {
      name = number_in(field);
    } else if (key == "account") {
      account_number = number_in(field);
    } else if (key == "displayname" || key == "display") {
      if (auto text = text_of(field)) account.name = cut(*text, kNameMax);
    } else if (key == "connected") {
      account.busy = flag(field);
    } else if (key == "login") {
      account.agent_logged_on = flag(field);
    } else if (key == "alias" || key == "ani") {
      read_aliases(account, field);
    } else if (key == "type" || key == "usertype") {
      if (auto text = text_of(field)) account.type = cut(*text, kNameMax);
    } else {
      take_account_field(account, key, field);
    }
  });
  if (!whole) return false;
  account.number = !name.empty() ? std::move(name) : std::move(account_number);
  if (!account.number.empty() && accounts.size() < kAccountsMax) {
    accounts.push_back(std::move(account));
  }
  return true;
}

// ---- Messages. ----

// The few fields of the small messages. They point into the parser's buffers.
struct Fields {
  std::string_view action, id, callid, lamp_number, lamp_state;
  int lamp_number_rank = 99, lamp_state_rank = 99;
  bool orbits = false;
};

template <std::size_t kSize>
int rank_of(const std::string_view (&names)[kSize], std::string_view key) {
  const auto found = std::find(std::begin(names), std::end(names), key);
  return found == std::end(names) ? -1 : static_cast<int>(found - std::begin(names));
}

void take_field(Fields& fields, std::string_view key, value& field) {
  // A lamp's fields are documented nowhere: the first that is there counts.
  constexpr std::string_view kNumbers[] = {"account", "extension", "ext", "user", "name"};
  constexpr std::string_view kStates[] = {"state", "callstate", "status"};
  if (key == "orbits" || key == "orbit") fields.orbits = true;
  const int number = rank_of(kNumbers, key), state = rank_of(kStates, key);
  if (number < 0 && state < 0 && key != "id" && key != "callid") return;
  const auto text = text_of(field);
  if (!text) return;
  if (key == "id") {
    fields.id = *text;
  } else if (key == "callid") {
    fields.callid = *text;
  } else if (number >= 0 && number < fields.lamp_number_rank) {
    fields.lamp_number = *text;
    fields.lamp_number_rank = number;
  } else if (state >= 0 && state < fields.lamp_state_rank) {
    fields.lamp_state = *text;
    fields.lamp_state_rank = state;
  }
}

base::Result<Frame> frame_of(const Fields& fields) {
  if (fields.action == "blf") {
    const auto number = trimmed(fields.lamp_number);
    if (number.empty() || number.size() > kNumberMax) return Errc::bad_frame;
    return Lamp{member_of(number), cut(fields.lamp_state, kNameMax)};
  }
  if (fields.action == "rec-start" || fields.action == "rec-stop") {
    const auto id = fields.id.empty() ? fields.callid : fields.id;
    return RecordingMark{id.size() <= kIdMax ? std::string(id) : std::string(),
                         fields.action == "rec-start"};
  }
  const bool known =
      std::find(std::begin(kAsides), std::end(kAsides), fields.action) != std::end(kAsides);
  if (known || fields.orbits) return Aside{cut(fields.action, kNameMax)};
  return Unknown{cut(fields.action, kNameMax)};
}

}  // namespace

base::Result<Frame> parse(std::string_view text) {
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(text);
  if (!document) return document.error();

  // The action may come last, so everything that any of them needs is read on the way.
  Fields fields;
  Account account;
  account.busy = false;
  account.presence = "";
  std::vector<Account> accounts;
  bool has_accounts = false, accounts_right = true, calls_right = true;
  std::optional<CallList> calls;
  int flat = -1;
  const bool whole = for_each_field(*document, [&](std::string_view key, value& field) {
    if (const int rank = rank_of(kFlatKeys, key); rank >= 0 && (flat < 0 || rank < flat)) {
      flat = rank;
    }
    if (key == "action") {
      if (auto it = text_of(field)) fields.action = *it;
    } else if (key == "accounts") {
      accounts.clear();
      has_accounts = true;
      accounts_right = read_accounts(accounts, field);
    } else if (key == "calls") {
      calls.emplace();
      calls_right = read_list(*calls, field);
    } else if (rank_of(kFlatKeys, key) >= 0) {
      return;  // megabytes of SDP are nobody's here
    } else {
      // A value can be read once: what both read is read for the account, and taken from there.
      if (key == "account" || key == "name") {
        if (auto it = text_of(field)) {
          const auto number = trimmed(*it);
          if (key == "name") account.name = cut(*it, kNameMax);
          if (key == "account" && number.size() <= kNumberMax) account.number = number;
          const int rank = key == "account" ? 0 : 4;
          if (rank < fields.lamp_number_rank) {
            fields.lamp_number = *it;
            fields.lamp_number_rank = rank;
          }
        }
      } else if (!take_account_field(account, key, field)) {
        take_field(fields, key, field);
      }
    }
  });
  if (!whole || !parser.finished()) return Errc::bad_frame;
  if (flat >= 0) return Signalling{std::string(kFlatKeys[flat])};  // whatever its action

  if (fields.action == "call-state") {
    if (!calls || !calls_right) return Errc::bad_frame;
    return CallState{std::move(*calls)};
  }
  if (fields.action == "domain-state") {
    if (!has_accounts || !accounts_right) return Errc::bad_frame;
    DomainState state{std::move(accounts), std::nullopt};
    if (calls && calls_right) state.calls = std::move(*calls);
    return state;
  }
  if (fields.action == "user-state") {
    if (account.number.empty()) return Errc::bad_frame;
    return UserState{std::move(account)};
  }
  return frame_of(fields);
}

base::Result<CallEntry> parse_call(std::string_view text) {
  JsonParser& parser = entry_parser();
  auto fields = parser.parse(text);
  if (!fields) return fields.error();
  auto call = read_call(*fields);
  if (call && !parser.finished()) return Errc::bad_frame;
  return call;
}

base::Result<std::vector<Account>> parse_accounts(std::string_view body) {
  // Our parser wants an object.
  std::string wrapped = R"({"list":)";
  wrapped.append(body).append("}");
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(wrapped);
  if (!document) return document.error();
  std::vector<Account> accounts;
  bool right = false;
  const bool whole = for_each_field(*document, [&](std::string_view key, value& field) {
    array items;
    if (key != "list" || type_of(field) != json_type::array || field.get_array().get(items)) return;
    right = true;
    for (auto item : items) {
      value element;
      if (item.get(element)) {
        right = false;
        return;
      }
      object fields;
      if (type_of(element) != json_type::object) continue;
      if (element.get_object().get(fields) || !read_directory_entry(accounts, fields)) {
        right = false;
        return;
      }
    }
  });
  if (!whole || !right || !parser.finished()) return Errc::bad_frame;
  return accounts;
}

base::Result<std::vector<CallEntry>> parse_calls(std::string_view body) {
  std::string wrapped = R"({"calls":)";
  wrapped.append(body).append("}");
  JsonParser& parser = JsonParser::of_this_thread();
  // {"calls": […]} is borne as well.
  const bool is_object = trimmed(body).starts_with('{');
  auto document = parser.parse(is_object ? body : std::string_view(wrapped));
  if (!document) return document.error();
  CallList list;
  bool right = false;
  const bool whole = for_each_field(*document, [&](std::string_view key, value& field) {
    if (key == "calls") right = read_list(list, field);
  });
  if (!whole || !right || !parser.finished()) return Errc::bad_frame;
  std::vector<CallEntry> calls;
  for (std::string_view text : list.entries) {
    if (auto call = parse_call(text)) calls.push_back(std::move(*call));
  }
  return calls;
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

}  // namespace pbx::vodia
