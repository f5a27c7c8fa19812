#include "pbx/webitel/rows.h"

#include <utility>

#include "pbx/webitel/codec_fields.h"
#include "pbx/webitel/rest.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using simdjson::ondemand::array;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

// References: {"id":…,"name":…}, or the id alone.
struct Reference {
  std::string id, name;
};
Reference reference_in(value& it) {
  Reference found;
  if (type_of(it) != json_type::object) {
    found.id = id_in(it);
    return found;
  }
  visit_fields(it, [&](std::string_view key, value& field) {
    if (key == "id") found.id = id_in(field);
    if (key == "name") found.name = text_in(field);
  });
  return found;
}

Step step_of(std::string_view word) {
  constexpr std::pair<std::string_view, Step> kSteps[] = {
      {"idle", Step::idle},     {"ringing", Step::ringing}, {"progress", Step::progress},
      {"active", Step::active}, {"bridge", Step::bridge},   {"hold", Step::hold},
      {"amd", Step::amd},       {"hangup", Step::hangup},
  };
  for (const auto& [name, step] : kSteps) {
    if (word == name) return step;
  }
  return Step::unknown;
}

// The list in it, item by item: `read` returns false for one that it cannot make sense of.
template <class Item, class Read>
base::Result<Page<Item>> read_page(std::string_view text, Read&& read) {
  const auto parsed = JsonParser::of_this_thread().parse(text);
  if (!parsed) return parsed.error();
  object fields = *parsed;
  Page<Item> page;
  bool found = false, sound = true;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "next") page.next = flag_in(field);
    if (key != "items") return;
    const json_type type = type_of(field);
    if (type == json_type::null) {
      found = true;  // some encoders write an empty list so
      return;
    }
    array items;
    if (type != json_type::array || field.get_array().get(items)) return;
    found = true;
    for (auto item : items) {
      value element;
      if (item.get(element)) {
        sound = false;
        return;
      }
      if (page.items.size() >= kItemsMax) {
        page.cut = true;
        continue;
      }
      Item row;
      if (read(row, element)) {
        page.items.push_back(std::move(row));
      } else {
        ++page.unread;
      }
    }
  });
  // Directory endpoints leave empty lists out (5.1).
  if (!whole || !sound) return Errc::bad_frame;
  if (!found && text.find("\"items\"") != std::string_view::npos) return Errc::bad_frame;
  return page;
}

bool read_leg_row(LegRow& row, value& item) {
  const bool read = visit_fields(item, [&](std::string_view key, value& field) {
    if (key == "id") {
      row.id = id_in(field);
    } else if (key == "app_id") {
      row.app_id = id_in(field);
    } else if (key == "parent_id") {
      row.parent = id_in(field);
    } else if (key == "bridged_id") {
      row.bridged = id_in(field);
    } else if (key == "user") {
      row.user = reference_in(field).id;
    } else if (key == "user_id") {
      if (row.user.empty()) row.user = id_in(field);
    } else if (key == "direction") {
      row.way = way_of(text_in(field));
    } else if (key == "state") {
      row.raw_step = text_in(field);
      row.step = step_of(row.raw_step);
    } else if (key == "destination") {
      row.destination = text_in(field);
    } else if (key == "from") {
      row.from = end_in(field).value_or(End{});
    } else if (key == "to") {
      row.to = end_in(field);
    } else if (key == "timestamp") {
      row.told_at = integer_in(field);
    } else if (key == "created_at") {
      row.created_at = integer_in(field);
    } else if (key == "answered_at") {
      row.answered_at = integer_in(field);
    } else if (key == "bridged_at") {
      row.bridged_at = integer_in(field);
    } else if (key == "hangup_at") {
      row.hangup_at = integer_in(field);
    } else if (key == "queue") {
      Reference queue = reference_in(field);
      row.queue = queue.name.empty() ? std::move(queue.id) : std::move(queue.name);
    }
  });
  if (row.user == "0") row.user.clear();
  return read && !row.id.empty();
}

bool read_user_row(UserRow& row, value& item) {
  const bool read = visit_fields(item, [&](std::string_view key, value& field) {
    if (key == "id") {
      row.id = id_in(field);
    } else if (key == "name") {
      row.name = text_in(field);
    } else if (key == "extension") {
      row.extension = id_in(field);
    } else if (key == "presence") {
      if (type_of(field) == json_type::object) {
        visit_fields(field, [&](std::string_view name, value& each) {
          if (name == "status") row.presence = text_in(each);
        });
      } else {
        row.presence = text_in(field);
      }
    }
  });
  return read && is_number(row.id);
}

bool read_agent_row(AgentRow& row, value& item) {
  const bool read = visit_fields(item, [&](std::string_view key, value& field) {
    if (key == "id") {
      row.id = id_in(field);
    } else if (key == "user") {
      row.user = reference_in(field).id;
    } else if (key == "team") {
      row.team = reference_in(field).id;
    } else if (key == "status") {
      row.status = text_in(field);
    } else if (key == "status_payload" || key == "pause_cause") {
      if (std::string text = text_in(field); !text.empty()) row.payload = std::move(text);
    } else if (key == "channel") {
      visit_one_or_many(field, [&](value& channel) {
        std::string name, state;
        visit_fields(channel, [&](std::string_view its_key, value& its_field) {
          if (its_key == "channel") name = text_in(its_field);
          if (its_key == "state") state = text_in(its_field);
        });
        if (name == "call") row.call_state = std::move(state);
      });
    }
  });
  return read && is_number(row.id);
}

void read_token_field(TokenRow& row, std::string_view key, value& field) {
  if (key == "id") row.id = id_in(field);
  if (key == "usage") row.usage = text_in(field);
  if (key == "token") {
    const auto text = text_of(field);
    if (text && text->size() <= 4 * kTextMax) row.token = *text;
  }
}

}  // namespace

base::Result<Page<LegRow>> parse_legs(std::string_view text) {
  return read_page<LegRow>(text, read_leg_row);
}
base::Result<Page<UserRow>> parse_users(std::string_view text) {
  return read_page<UserRow>(text, read_user_row);
}
base::Result<Page<AgentRow>> parse_agents(std::string_view text) {
  return read_page<AgentRow>(text, read_agent_row);
}
base::Result<Page<TokenRow>> parse_tokens(std::string_view text) {
  return read_page<TokenRow>(text, [](TokenRow& row, value& item) {
    return visit_fields(item, [&](std::string_view key,
                                  value& field) { read_token_field(row, key, field); }) &&
           is_number(row.id);
  });
}

base::Result<TokenRow> parse_token(std::string_view text) {
  const auto parsed = JsonParser::of_this_thread().parse(text);
  if (!parsed) return parsed.error();
  object fields = *parsed;
  TokenRow row;
  const bool whole = for_each_field(
      fields, [&](std::string_view key, value& field) { read_token_field(row, key, field); });
  if (!whole || row.token.empty()) return Errc::bad_frame;
  return row;
}

}  // namespace pbx::webitel
