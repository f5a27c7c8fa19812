#include "pbx/innova360/codec.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/overloaded.h"
#include "pbx/innova360/words.h"
#include "pbx/json.h"

namespace pbx::innova360 {
namespace {

using base::Errc;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

// Every field of every message but `data`. They point into the parser's buffers.
struct Fields {
  std::string_view type, action, auth, extension, status, callid, direction, phone_a, phone_b,
      did_a, did_b, state, state_text, cause, error, message, reason, result, success, monitored,
      bridge, hold;
  bool has_error = false;
};

struct Name {
  std::string_view key;
  std::string_view Fields::*field;
};

// Keys are capitalised in `init` and lower-case elsewhere; we read them in any case.
constexpr Name kNames[] = {
    {"type", &Fields::type},           {"action", &Fields::action},
    {"extension", &Fields::extension}, {"callid", &Fields::callid},
    {"state", &Fields::state},         {"statedesc", &Fields::state_text},
    {"direction", &Fields::direction}, {"phonea", &Fields::phone_a},
    {"phoneb", &Fields::phone_b},      {"dida", &Fields::did_a},
    {"didb", &Fields::did_b},          {"status", &Fields::status},
    {"cause", &Fields::cause},         {"auth", &Fields::auth},
    {"error", &Fields::error},         {"message", &Fields::message},
    {"reason", &Fields::reason},       {"result", &Fields::result},
    {"success", &Fields::success},
};
// In Calls, `Status` is the leg's state.
constexpr Name kLegNames[] = {
    {"monitored", &Fields::monitored},
    {"callid", &Fields::callid},
    {"calldirection", &Fields::direction},
    {"direction", &Fields::direction},
    {"phonea", &Fields::phone_a},
    {"phoneb", &Fields::phone_b},
    {"dida", &Fields::did_a},
    {"didb", &Fields::did_b},
    {"status", &Fields::state},
    {"statusdesc", &Fields::state_text},
    {"bridge", &Fields::bridge},
    {"hold", &Fields::hold},
};

std::string_view Fields::*field_of(std::span<const Name> names, std::string_view key) {
  for (const Name& name : names) {
    if (is_word(key, name.key)) return name.field;
  }
  return nullptr;
}

json_type type_of(value& it) {
  json_type type = json_type::null;
  if (it.type().get(type)) return json_type::null;
  return type;
}

std::string number_text(std::string_view text) { return std::string(shortened(text, kNumberMax)); }

Ends ends_of(const Fields& fields, std::string_view extension) {
  return {outgoing_of(fields.direction, extension, fields.phone_a, fields.phone_b),
          number_text(fields.phone_a), number_text(fields.phone_b), number_text(fields.did_a),
          number_text(fields.did_b)};
}

// ---- `init`: lists that come as an array, as an object by id, or as the only element itself. ----

// Whether `it` holds a list, and if so its elements: visit(key, element object), with an empty key
// where there is none. An object all of whose fields are the element's own goes to `lone(key,
// value)` field by field. False if malformed.
template <class Visit, class Lone>
bool for_each_element(value& it, Visit&& visit, Lone&& lone) {
  switch (type_of(it)) {
    case json_type::array: {
      simdjson::ondemand::array array;
      if (it.get_array().get(array)) return false;
      for (auto item : array) {
        value element;
        if (item.get(element)) return false;
        object fields;
        if (type_of(element) != json_type::object) continue;
        if (element.get_object().get(fields) || !visit(std::string_view{}, fields)) return false;
      }
      return true;
    }
    case json_type::object: {
      object fields;
      if (it.get_object().get(fields)) return false;
      bool right = true;
      const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
        if (!right || lone(key, field)) return;
        if (type_of(field) != json_type::object) return;
        object element;
        right = !field.get_object().get(element) && visit(key, element);
      });
      return whole && right;
    }
    case json_type::null: return true;
    default: {
      // `""` is none; any other scalar is nothing we could take for a list.
      auto text = pbx::text_of(it);
      return text && text->empty();
    }
  }
}

// Takes a field of a leg; false if it is none.
bool take_leg_field(Fields& leg, std::string_view key, value& field) {
  const auto member = field_of(kLegNames, key);
  if (!member) return false;
  if (auto text = pbx::text_of(field)) leg.*member = *text;
  return true;
}

// As take_leg_field, but for an element of an object by call id: a scalar there is a field.
void add_leg(std::vector<LegState>& legs, const Fields& leg, std::string_view extension) {
  if (leg.callid.empty() || leg.callid.size() > kCallIdMax) return;
  if (flag_of(leg.monitored) == false) return;
  legs.push_back({std::string(leg.callid), ends_of(leg, extension),
                  step_of(leg.state, leg.state_text), bridge_of(leg.bridge),
                  flag_of(leg.hold).value_or(false)});
}

// The extension's number may come after its calls, and their direction may need it: it is settled
// when both are known.
struct RawExtension {
  std::string_view number, status;
  std::vector<Fields> legs;
};

bool read_legs(RawExtension& extension, value& it) {
  Fields lone;
  bool is_lone = false;
  const bool right = for_each_element(
      it,
      [&](std::string_view key, object& fields) {
        Fields leg;
        leg.callid = key;
        const bool whole = for_each_field(
            fields, [&](std::string_view name, value& field) { take_leg_field(leg, name, field); });
        extension.legs.push_back(leg);
        return whole;
      },
      [&](std::string_view key, value& field) {
        const json_type type = type_of(field);
        if (type == json_type::object || type == json_type::array) return false;
        is_lone |= take_leg_field(lone, key, field);
        return true;
      });
  if (is_lone) extension.legs.push_back(lone);
  return right;
}

// Takes a field of an extension; false if it is none. `right` turns false if it is malformed.
bool take_extension_field(RawExtension& extension, std::string_view key, value& field,
                          bool& right) {
  if (is_word(key, "calls")) {
    right = right && read_legs(extension, field);
  } else if (is_word(key, "extension")) {
    if (auto text = pbx::text_of(field); text && !text->empty()) extension.number = *text;
  } else if (is_word(key, "status")) {
    if (auto text = pbx::text_of(field)) extension.status = *text;
  } else {
    return is_word(key, "hint");
  }
  return true;
}

void add_extension(Init& init, const RawExtension& raw) {
  if (raw.number.empty() || raw.number.size() > kExtensionMax) return;
  Extension& extension = init.extensions.emplace_back();
  extension.number = raw.number;
  extension.state = extension_state_of(raw.status);
  for (const Fields& leg : raw.legs) add_leg(extension.legs, leg, raw.number);
}

bool read_extensions(Init& init, value& data) {
  RawExtension lone;
  bool is_lone = false;
  bool lone_right = true;
  const bool right = for_each_element(
      data,
      [&](std::string_view key, object& fields) {
        RawExtension extension;
        extension.number = key;
        bool all_right = true;
        const bool whole = for_each_field(fields, [&](std::string_view name, value& field) {
          take_extension_field(extension, name, field, all_right);
        });
        add_extension(init, extension);
        return whole && all_right;
      },
      [&](std::string_view key, value& field) {
        const bool taken = take_extension_field(lone, key, field, lone_right);
        is_lone |= taken;
        return taken;
      });
  if (is_lone) add_extension(init, lone);
  return right && lone_right;
}

// ---- Messages. ----

bool is_positive(std::string_view text) {
  return is_word(text, "ok") || is_word(text, "success") || is_word(text, "accepted") ||
         flag_of(text) == true;
}

std::string words_of(const Fields& fields) {
  std::string words;
  for (auto part :
       {fields.error, fields.message, fields.reason, fields.result, fields.state_text}) {
    if (part.empty()) continue;
    if (!words.empty()) words += ": ";
    words += shortened(part, kWordsMax);
  }
  return words;
}

Frame unknown(const Fields& fields) {
  std::string type(shortened(fields.type, 40));
  if (!fields.action.empty()) type.append("/").append(shortened(fields.action, 40));
  return Unknown{std::move(type)};
}

// Ids are as long as the document's public client stores them, or the message is not for us.
bool has_leg(const Fields& fields) {
  return !fields.extension.empty() && fields.extension.size() <= kExtensionMax &&
         !fields.callid.empty() && fields.callid.size() <= kCallIdMax;
}

base::Result<Frame> read_update(const Fields& fields) {
  const std::string extension(fields.extension);
  if (fields.action == "extension-status") {
    if (extension.empty() || extension.size() > kExtensionMax) return Errc::bad_frame;
    return ExtensionStatus{extension, extension_state_of(fields.status)};
  }
  enum class Kind { new_call, call_state, hangup, start_moh, stop_moh, start_record, end_record };
  constexpr std::pair<std::string_view, Kind> kActions[] = {
      {"call-state", Kind::call_state}, {"new-call", Kind::new_call},
      {"hangup", Kind::hangup},         {"start-moh", Kind::start_moh},
      {"stop-moh", Kind::stop_moh},     {"start-record", Kind::start_record},
      {"end-record", Kind::end_record},
  };
  const auto action = std::find_if(std::begin(kActions), std::end(kActions),
                                   [&](const auto& it) { return it.first == fields.action; });
  if (action == std::end(kActions)) return unknown(fields);
  if (!has_leg(fields)) return Errc::bad_frame;

  std::string callid(fields.callid);
  switch (action->second) {
    case Kind::new_call: return NewCall{extension, std::move(callid), ends_of(fields, extension)};
    case Kind::call_state:
      return CallState{extension, std::move(callid), step_of(fields.state, fields.state_text)};
    case Kind::hangup: {
      auto [cause, vendor_cause] = cause_of(fields.cause);
      return Hangup{extension, std::move(callid), cause, std::move(vendor_cause)};
    }
    case Kind::start_moh: return MusicOnHold{extension, std::move(callid), true};
    case Kind::stop_moh: return MusicOnHold{extension, std::move(callid), false};
    case Kind::start_record: return Recording{extension, std::move(callid), true};
    case Kind::end_record: return Recording{extension, std::move(callid), false};
  }
  return unknown(fields);
}

// "error": null, "", false and 0 say that there is none.
bool is_error(std::string_view text) { return !text.empty() && flag_of(text) != false; }

void take_field(Fields& fields, std::string_view key, value& field) {
  const auto member = field_of(kNames, key);
  if (!member) return;
  if (auto text = pbx::text_of(field)) {
    fields.*member = *text;
    if (member == &Fields::error) fields.has_error = is_error(*text);
    return;
  }
  // {"error": {"code": 4, "message": "…"}}
  object nested;
  if (member != &Fields::error || type_of(field) != json_type::object) return;
  if (field.get_object().get(nested)) return;
  fields.has_error = true;
  (void)for_each_field(nested, [&](std::string_view name, value& inner) {
    const auto inner_member = field_of(kNames, name);
    if (inner_member != &Fields::message && inner_member != &Fields::reason) return;
    if (auto text = pbx::text_of(inner)) fields.*inner_member = *text;
  });
}

}  // namespace

base::Result<Frame> parse(std::string_view text) {
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(text);
  if (!document) return document.error();

  Fields fields;
  Init init;
  bool data_right = true;
  const bool whole = for_each_field(*document, [&](std::string_view key, value& field) {
    if (is_word(key, "data")) {
      init.extensions.clear();
      data_right = read_extensions(init, field);
    } else {
      take_field(fields, key, field);
    }
  });
  if (!whole || !parser.finished()) return Errc::bad_frame;

  if (fields.type == "update") return read_update(fields);
  if (fields.type == "init") {
    if (!data_right) return Errc::bad_frame;
    return init;
  }
  if (fields.type == "welcome")
    return Welcome{fields.auth.empty() || is_word(fields.auth, "required")};
  if (fields.type == "auth-resp") {
    return AuthResp{is_word(fields.auth, "ok"),
                    std::string(shortened(fields.extension, kExtensionMax))};
  }
  // A public client's test expects this spelling of a granted login.
  if (fields.type == "auth-ok") {
    return AuthResp{true, std::string(shortened(fields.extension, kExtensionMax))};
  }
  if (fields.type == "error" || fields.has_error) return ActionError{words_of(fields)};
  if (fields.type == "action-resp") {
    for (auto verdict : {fields.result, fields.success, fields.status, fields.state, fields.auth}) {
      if (is_positive(verdict)) return unknown(fields);
    }
    return ActionError{words_of(fields)};
  }
  if (fields.type.empty()) return Errc::bad_frame;
  return unknown(fields);
}

std::string auth_plain(std::string_view user, std::string_view password) {
  std::string text = R"({"type":"auth-plain","user":)";
  append_json(text, user);
  text += R"(,"passwd":)";
  append_json(text, password);
  text += '}';
  return text;
}

std::string text_of(const Action& action) {
  std::string text = R"({"type":"action","action":)";
  const auto add = [&](std::string_view name, std::string_view value) {
    text += ',';
    append_json(text, name);
    text += ':';
    append_json(text, value);
  };
  std::visit(base::overloaded{
                 [&](const Call& it) {
                   text += R"("call")";
                   add("phone", it.phone);
                   if (!it.custom_field1.empty()) add("customfield1", it.custom_field1);
                   if (!it.custom_field2.empty()) add("customfield2", it.custom_field2);
                 },
                 [&](const BlindTransfer& it) {
                   text += R"("blindtransfer")";
                   add("call", it.callid);
                   add("phone", it.phone);
                 },
                 [&](const HangupCalls& it) {
                   // Always a list, also for one.
                   text += R"("hangup","call":[)";
                   for (std::size_t i = 0; i < it.callids.size(); ++i) {
                     if (i > 0) text += ',';
                     append_json(text, it.callids[i]);
                   }
                   text += ']';
                 },
             },
             action);
  text += '}';
  return text;
}

std::string bare_number(std::string_view number) {
  std::string bare;
  bare.reserve(number.size());
  for (char c : number) {
    constexpr std::string_view kSeparators = " -./()\t";
    if (kSeparators.find(c) == std::string_view::npos) bare += c;
  }
  return bare;
}

}  // namespace pbx::innova360
