#include "pbx/vodia/codec.h"

#include <algorithm>
#include <utility>

#include "pbx/vodia/fields.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using simdjson::ondemand::array;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

// Around media or of interest to people only.
constexpr std::string_view kAsides[] = {
    "user-change",  "missed-calls", "chat",        "crmcontact",   "sip-register",
    "callerid",     "sip-ringing",  "ringing",     "sip-busy",     "bye",
    "bye-response", "orbit",        "orbit-calls", "orbits",       "sdp-packet",
    "sdp-200ok",    "sdp-answer",   "ringtones",   "ice-candidate"};

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

// ---- Lists of calls. ----

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

}  // namespace pbx::vodia
