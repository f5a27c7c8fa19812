#include "pbx/webitel/history_codec.h"

#include <utility>

#include "pbx/percent_encoded.h"
#include "pbx/webitel/fields.h"
#include "pbx/webitel/rest.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using simdjson::ondemand::json_type;
using simdjson::ondemand::value;

constexpr std::size_t kTextMost = 256, kIdMost = 128, kNameMost = 64;

// The default set has no transfers, holds or children (webitel.md 5.3).
constexpr std::string_view kFields[] = {
    "id",        "parent_id", "user",         "extension",     "direction",     "destination",
    "from",      "to",        "created_at",   "answered_at",   "bridged_at",    "hangup_at",
    "hangup_by", "cause",     "sip_code",     "files",         "queue",         "agent",
    "team",      "variables", "has_children", "transfer_from", "transfer_to",   "talk_sec",
    "hold_sec",  "wait_sec",  "bill_sec",     "tags",          "hangup_phrase", "amd_result",
};

std::int64_t milliseconds_of(std::string_view text) {
  const auto time = time_of(text);
  if (!time) return 0;
  return std::chrono::duration_cast<std::chrono::milliseconds>(time->time_since_epoch()).count();
}

void read_end(PastLeg::End& end, value& field) {
  visit_fields(field, [&](std::string_view key, value& it) {
    if (key == "type") {
      end.type = text_in(it, kNameMost);
    } else if (key == "number") {
      end.number = text_in(it, kTextMost);
    } else if (key == "name") {
      end.name = text_in(it, kTextMost);
    } else if (key == "id") {
      end.id = text_in(it, kIdMost);
    }
  });
}

// The name of a {id,name}, or its id if it has none.
std::string name_in(value& field) {
  std::string id, name;
  visit_fields(field, [&](std::string_view key, value& it) {
    if (key == "id") id = text_in(it, kIdMost);
    if (key == "name") name = text_in(it, kTextMost);
  });
  return name.empty() ? id : name;
}

void read_files(PastLeg& leg, value& field) {
  visit_elements(field, [&](value& element) {
    visit_fields(element, [&](std::string_view key, value& it) {
      if (key != "id") return;
      std::string id = text_in(it, kIdMost);
      if (is_number(id) && leg.files.size() < kPastFilesMax) leg.files.push_back(std::move(id));
    });
    return true;
  });
}

void put(PastLeg& leg, std::string key, std::string text) {
  if (text.empty() || leg.data.size() >= kPastFieldsMax) return;
  leg.data[std::move(key)] = std::move(text);
}

void read_other(PastLeg& leg, std::string_view key, value& field) {
  switch (type_of(field)) {
    case json_type::object:
      if (key == "queue" || key == "agent" || key == "team") {
        put(leg, std::string(key), name_in(field));
      } else if (key == "variables") {
        visit_fields(field, [&](std::string_view name, value& it) {
          put(leg, "variables." + cut(name, kNameMost), text_in(it, kTextMost));
        });
      }
      break;
    case json_type::array: {
      std::string joined;
      visit_elements(field, [&](value& element) {
        const auto text = text_of(element);
        if (text && joined.size() < kTextMost) (joined += joined.empty() ? "" : ",") += *text;
        return true;
      });
      put(leg, cut(key, kNameMost), cut(joined, kTextMost));
      break;
    }
    default: put(leg, cut(key, kNameMost), text_in(field, kTextMost)); break;
  }
}

void read_field(PastLeg& leg, std::string_view key, value& field) {
  if (key == "id") {
    leg.id = text_in(field, kIdMost);
  } else if (key == "parent_id") {
    leg.parent = text_in(field, kIdMost);
  } else if (key == "user") {
    visit_fields(field, [&](std::string_view name, value& it) {
      if (name == "id") leg.user = text_in(it, kIdMost);
    });
  } else if (key == "extension") {
    leg.extension = text_in(field, kTextMost);
  } else if (key == "direction") {
    leg.direction = text_in(field, kNameMost);
  } else if (key == "destination") {
    leg.destination = text_in(field, kTextMost);
  } else if (key == "from") {
    read_end(leg.from, field);
  } else if (key == "to") {
    read_end(leg.to, field);
  } else if (key == "created_at") {
    leg.created = milliseconds_of(text_in(field, kNameMost));
  } else if (key == "answered_at") {
    leg.answered = milliseconds_of(text_in(field, kNameMost));
  } else if (key == "bridged_at") {
    leg.bridged = milliseconds_of(text_in(field, kNameMost));
  } else if (key == "hangup_at") {
    leg.hangup = milliseconds_of(text_in(field, kNameMost));
  } else if (key == "has_children") {
    leg.has_children = flag_of(text_in(field, kNameMost)).value_or(false);
  } else if (key == "files") {
    read_files(leg, field);
  } else {
    read_other(leg, key, field);
  }
}

}  // namespace

base::Result<PastLegs> parse_past_legs(std::string_view body) {
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(body);
  if (!document) return Errc::bad_frame;
  PastLegs all;
  bool right = true;
  const bool whole = for_each_field(*document, [&](std::string_view key, value& field) {
    if (key == "next") {
      all.next = flag_of(text_in(field, kNameMost)).value_or(false);
    } else if (key == "items" && type_of(field) != json_type::null) {
      right = visit_elements(field,
                             [&](value& element) {
                               if (all.legs.size() >= kPastLegsMax) {
                                 all.cut = true;
                                 return true;
                               }
                               PastLeg leg;
                               visit_fields(element, [&](std::string_view name, value& it) {
                                 read_field(leg, name, it);
                               });
                               if (leg.id.empty() || leg.created == 0) {
                                 ++all.unread;
                                 return true;
                               }
                               if (const auto code = leg.data.find("sip_code");
                                   code != leg.data.end()) {
                                 leg.sip_code = number_of(code->second).value_or(0);
                               }
                               all.legs.push_back(std::move(leg));
                               return true;
                             }) &&
              right;
    }
  });
  if (!whole || !right || !parser.finished()) return Errc::bad_frame;
  return all;
}

std::string history_path(const PastQuery& query) {
  std::string path = "/calls/history?page=" + std::to_string(query.page) +
                     "&size=" + std::to_string(query.size) +
                     "&sort=-created_at&created_at.from=" + std::to_string(query.from) +
                     "&created_at.to=" + std::to_string(query.until);
  if (!query.user.empty()) path += "&user_id=" + percent_encoded(query.user);
  if (query.roots) path += "&skip_parent=true";
  for (const std::string_view field : kFields) (path += "&fields=") += field;
  return path;
}

}  // namespace pbx::webitel
