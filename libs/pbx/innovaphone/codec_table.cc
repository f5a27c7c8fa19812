#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/innovaphone/codec_impl.h"

// The rows of PbxTableUsers, and what PbxApi tells of presence.
namespace pbx::innovaphone {
namespace {

using base::Errc;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

using Taken = base::Result<std::optional<Body>>;

// Of a user's diversions: three types, each also for some callers only.
constexpr std::size_t kDiversionsMax = 32;

bool read_diversion(Diversion& diversion, value& it) {
  return for_each_field_in(it, [&](std::string_view key, value& field) {
    if (key == "type") {
      diversion.type = text_in(field, kIdMax);
    } else if (key == "e164") {
      diversion.e164 = text_in(field, kIdMax);
    } else if (key == "h323") {
      diversion.h323 = text_in(field);
    } else if (key == "bool" || key == "bool-not" || key == "src") {
      // `src` is XML: which callers. Not kept; numbers of outsiders are in it.
      if (const auto text = text_of(field); text && !text->empty()) diversion.conditional = true;
    }
  });
}

// What we did not ask for is not there; if it is, above all the column with the password, it is not
// looked at.
bool read_row(UserRow& row, value& it) {
  constexpr std::pair<std::string_view, std::string UserRow::*> kTexts[] = {
      {"guid", &UserRow::guid}, {"h323", &UserRow::h323},     {"cn", &UserRow::cn},
      {"dn", &UserRow::dn},     {"e164", &UserRow::e164},     {"node", &UserRow::node},
      {"loc", &UserRow::loc},   {"pseudo", &UserRow::pseudo},
  };
  bool right = true;
  const bool whole = for_each_field_in(it, [&](std::string_view key, value& field) {
    if (key == "hide") {
      row.hide = flag_in(field);
    } else if (key == "cds") {
      row.diversions.clear();
      const auto add = [&](value& each) {
        right = read_diversion(row.diversions.emplace_back(), each) && right;
      };
      right = for_each_element(field, add, kDiversionsMax) && right;
    } else if (const auto* text =
                   std::find_if(std::begin(kTexts), std::end(kTexts),
                                [&](const auto& column) { return column.first == key; });
               text != std::end(kTexts)) {
      row.*text->second = text_in(field);
    }
  });
  return whole && right;
}

struct RowMessage {
  std::optional<UserRow> row;
  std::string error;
};

// Nothing if it is malformed.
std::optional<RowMessage> read_message(object& fields) {
  RowMessage message;
  std::string error_text;
  bool right = true;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "columns") {
      if (type_of(field) != simdjson::ondemand::json_type::object) return;
      right = read_row(message.row.emplace(), field) && right;
    } else if (key == "error") {
      message.error = text_in(field);
    } else if (key == "errorText") {
      error_text = text_in(field);
    }
  });
  if (!whole || !right) return std::nullopt;
  if (message.error == "0" || message.error == "false") message.error.clear();
  if (!error_text.empty()) {
    if (!message.error.empty()) message.error += ": ";
    message.error += error_text;
  }
  return message;
}

Taken read_row_message(const Message& message) {
  auto it = read_message(message.fields);
  if (!it) return Errc::bad_frame;
  if (message.mt == "ReplicateNextResult") {
    return std::optional<Body>(NextRow{std::move(it->row), std::move(it->error)});
  }
  // Without its key nobody knows whose row it is.
  if (!it->row || it->row->guid.empty()) return Errc::bad_frame;
  if (message.mt == "ReplicateAdd") return std::optional<Body>(RowAdded{std::move(*it->row)});
  if (message.mt == "ReplicateUpdate") return std::optional<Body>(RowUpdated{std::move(*it->row)});
  return std::optional<Body>(RowDeleted{std::move(it->row->guid)});
}

Taken read_presence_update(object& fields) {
  PresenceUpdate update;
  bool right = true;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key != "presence") return;
    update.items.clear();
    const auto add = [&](value& it) {
      PresenceItem item;
      right = for_each_field_in(it,
                                [&](std::string_view name, value& each) {
                                  if (name == "contact") item.contact = text_in(each, kIdMax);
                                  if (name == "activity") item.activity = text_in(each, kIdMax);
                                  if (name == "status") item.status = text_in(each, kIdMax);
                                  if (name == "note") item.note = text_in(each);
                                }) &&
              right;
      update.items.push_back(std::move(item));
    };
    right = for_each_element(field, add) && right;
  });
  if (!whole || !right) return Errc::bad_frame;
  return std::optional<Body>(std::move(update));
}

Taken read_presence_state(object& fields) {
  PresenceState state;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "up") state.up = flag_in(field);
  });
  if (!whole) return Errc::bad_frame;
  return std::optional<Body>(state);
}

}  // namespace

Read read_table(Message& message) {
  if (message.api != "PbxTableUsers") return std::optional<Body>();
  constexpr std::string_view kRows[] = {"ReplicateNextResult", "ReplicateAdd", "ReplicateUpdate",
                                        "ReplicateDel"};
  if (std::find(std::begin(kRows), std::end(kRows), message.mt) == std::end(kRows)) {
    return std::optional<Body>();
  }
  return read_row_message(message);
}

Read read_presence(Message& message) {
  if (message.api != "PbxApi") return std::optional<Body>();
  if (message.mt == "PresenceUpdate") return read_presence_update(message.fields);
  if (message.mt == "PresenceState") return read_presence_state(message.fields);
  return std::optional<Body>();
}

}  // namespace pbx::innovaphone
