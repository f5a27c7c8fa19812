#include "pbx/vodia/records.h"

#include <utility>

#include "pbx/percent_encoded.h"
#include "pbx/vodia/fields.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using simdjson::ondemand::array;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

// Calls visit(element) for each one of a list; false if `body` is none.
template <class Visit>
bool for_each_element(std::string_view body, Visit visit) {
  // Our parser wants an object.
  std::string wrapped = R"({"list":)";
  wrapped.append(body).append("}");
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(wrapped);
  if (!document) return false;
  bool right = false;
  const bool whole = for_each_field(*document, [&](std::string_view key, value& field) {
    array elements;
    if (key != "list" || type_of(field) != json_type::array || field.get_array().get(elements)) {
      return;
    }
    right = true;
    for (auto element : elements) {
      value it;
      if (element.get(it) || !visit(it)) {
        right = false;
        return;
      }
    }
  });
  return whole && right && parser.finished();
}

// Calls visit(text) for the elements of a list, or for what stands for the only one.
template <class Visit>
void for_each_text(value& field, Visit visit) {
  if (type_of(field) != json_type::array) {
    if (const auto text = text_of(field)) visit(*text);
    return;
  }
  array elements;
  if (field.get_array().get(elements)) return;
  for (auto element : elements) {
    value it;
    if (element.get(it)) return;
    if (const auto text = text_of(it)) visit(*text);
  }
}

void read_extensions(HistoryRecord& record, value& field) {
  for_each_text(field, [&](std::string_view text) {
    std::string member = member_of(text);
    if (!member.empty() && record.extensions.size() < kExtensionsMax) {
      record.extensions.push_back(std::move(member));
    }
  });
}

void read_other(HistoryRecord& record, std::string_view key, value& field) {
  if (type_of(field) == json_type::object || record.data.size() >= kRecordFieldsMax) return;
  std::string joined;
  for_each_text(field, [&](std::string_view text) {
    if (joined.size() >= kRecordTextMax) return;
    if (!joined.empty()) joined += ',';
    joined += text;
  });
  if (!joined.empty()) record.data[cut(key, kNameMax)] = cut(joined, kRecordTextMax);
}

bool is_id(std::string_view text) { return !text.empty() && text.size() <= kIdMax; }

}  // namespace

base::Result<HistoryRecords> parse_call_records(std::string_view body) {
  HistoryRecords all;
  const bool right = for_each_element(body, [&](value& element) {
    object fields;
    if (type_of(element) != json_type::object) {
      ++all.unread;
      return true;
    }
    if (element.get_object().get(fields)) return false;
    HistoryRecord record;
    std::optional<std::int64_t> start;
    const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
      if (key == "extensions") return read_extensions(record, field);
      const bool known = key == "id" || key == "from" || key == "to" || key == "start" ||
                         key == "connect" || key == "end";
      if (!known) return read_other(record, key, field);
      const auto text = text_of(field);
      if (!text) return;
      if (key == "id") {
        record.id = *text;
      } else if (key == "from") {
        record.from = address_of(*text);
      } else if (key == "to") {
        record.to = address_of(*text);
      } else if (key == "start") {
        start = microseconds_of(*text);
      } else if (key == "connect") {
        record.connect = microseconds_of(*text);
      } else {
        record.end = microseconds_of(*text);
      }
    });
    if (!whole) return false;
    if (!start || !is_id(record.id)) {
      ++all.unread;
      return true;
    }
    record.start = *start;
    all.records.push_back(std::move(record));
    return true;
  });
  if (!right) return Errc::bad_frame;
  return all;
}

base::Result<RecordingList> parse_recordings(std::string_view body) {
  RecordingList all;
  const bool right = for_each_element(body, [&](value& element) {
    if (type_of(element) != json_type::object) {
      const auto id = text_of(element);
      if (id && is_id(*id)) all.ids.emplace_back(*id);
      return true;
    }
    object fields;
    if (element.get_object().get(fields)) return false;
    RecordingEntry entry;
    const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
      const auto text = text_of(field);
      if (!text) return;
      if (key == "id") {
        entry.id = *text;
      } else if (key == "from") {
        entry.from = address_of(*text);
      } else if (key == "to") {
        entry.to = address_of(*text);
      } else if (key == "time") {
        entry.time = microseconds_of(*text);
      } else if (key == "file" && text->size() <= kRecordTextMax) {
        entry.file = *text;
      }
    });
    if (whole && is_id(entry.id)) all.entries.push_back(std::move(entry));
    return whole;
  });
  if (!right) return Errc::bad_frame;
  return all;
}

Request list_call_records(std::string_view domain, std::string_view first, std::string_view last,
                          unsigned size, unsigned page) {
  return {"GET",
          "/rest/domain/" + percent_encoded(domain) + "/cdrs?size=" + std::to_string(size) +
              "&page=" + std::to_string(page) + "&start=" + std::string(first) +
              "&end=" + std::string(last),
          {}};
}

Request list_recordings(std::string_view domain, unsigned size, unsigned page) {
  return {"GET",
          "/rest/domain/" + percent_encoded(domain) + "/recs?size=" + std::to_string(size) +
              "&page=" + std::to_string(page),
          {}};
}

Request describe_recordings(std::string_view domain, const std::vector<std::string>& ids) {
  std::string list;
  for (const std::string& id : ids) {
    if (!list.empty()) list += ',';
    list += percent_encoded(id);
  }
  return {"GET", "/rest/domain/" + percent_encoded(domain) + "/recs/" + list, {}};
}

Request recording_bytes(std::string_view domain, std::string_view id) {
  return {"GET", "/rest/domain/" + percent_encoded(domain) + "/recs?id=" + percent_encoded(id), {}};
}

Request legacy_recording_bytes(std::string_view file) {
  return {"GET", "/audio.wav?type=recording&id=" + percent_encoded(file), {}};
}

}  // namespace pbx::vodia
