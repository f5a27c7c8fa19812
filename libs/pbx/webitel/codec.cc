#include "pbx/webitel/codec.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "pbx/webitel/fields.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using simdjson::ondemand::array;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

constexpr std::string_view kFiller{"\0\0\0\0", 4};

std::string text_in(value& it) {
  const auto text = text_of(it);
  return text ? std::string(shortened(*text, kTextMax)) : std::string();
}
// Empty if it is too long: cut, it would be another one.
std::string id_in(value& it) {
  const auto text = text_of(it);
  return text && text->size() <= kIdMax ? std::string(*text) : std::string();
}
// Whole numbers, quoted or not; 0 for everything else: a CallItem's time stamp is RFC 3339.
std::int64_t integer_in(value& it) {
  const auto text = text_of(it);
  std::int64_t number = 0;
  if (!text) return 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
  return failure == std::errc{} && end == text->data() + text->size() ? number : 0;
}
std::optional<std::uint64_t> count_in(value& it) {
  const auto text = text_of(it);
  std::uint64_t number = 0;
  if (!text) return std::nullopt;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failure != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return number;
}
bool flag_in(value& it) {
  const auto text = text_of(it);
  return text && flag_of(*text).value_or(false);
}

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

std::optional<End> end_in(value& it) {
  End end;
  const bool read = visit_fields(it, [&](std::string_view key, value& field) {
    if (key == "type") end.type = text_in(field);
    if (key == "number") end.number = text_in(field);
    if (key == "name") end.name = text_in(field);
    if (key == "id") end.id = id_in(field);
  });
  if (!read) return std::nullopt;
  return end;
}

Way way_of(std::string_view word) {
  if (word == "inbound") return Way::inbound;
  if (word == "outbound") return Way::outbound;
  return Way::unknown;
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

LegEvent::Kind kind_of(std::string_view word) {
  using enum LegEvent::Kind;
  constexpr std::pair<std::string_view, LegEvent::Kind> kKinds[] = {
      {"ringing", ringing},     {"progress", progress}, {"active", active},
      {"bridge", bridge},       {"hold", hold},         {"dtmf", dtmf},
      {"eavesdrop", eavesdrop}, {"update", update},     {"hangup", hangup},
  };
  for (const auto& [name, kind] : kKinds) {
    if (word == name) return kind;
  }
  return other;
}

void read_leg_data(LegEvent& event, value& it) {
  visit_fields(it, [&](std::string_view key, value& field) {
    if (key == "user_id") {
      // The envelope's counts, if it has one: in `stats` this one is something else.
      if (event.user.empty()) event.user = id_in(field);
    } else if (key == "direction") {
      event.way = way_of(text_in(field));
    } else if (key == "destination") {
      event.destination = text_in(field);
    } else if (key == "from") {
      event.from = end_in(field).value_or(End{});
    } else if (key == "to") {
      event.to = end_in(field);
    } else if (key == "parent_id") {
      event.parent = id_in(field);
    } else if (key == "bridged_id") {
      event.bridged = id_in(field);
    } else if (key == "originate") {
      event.originate = flag_in(field);
    } else if (key == "queue") {
      visit_fields(field, [&](std::string_view name, value& each) {
        if (name == "queue_name" || (name == "queue_id" && event.queue.empty())) {
          event.queue = text_in(each);
        }
      });
    } else if (key == "cause") {
      event.cause = text_in(field);
    } else if (key == "hangup_by") {
      event.hangup_by = text_in(field);
    } else if (key == "sip") {
      if (const auto text = text_of(field)) event.sip = number_of(*text);
    } else if (key == "transfer_to") {
      event.transfer_to = id_in(field);
    } else if (key == "transfer_from") {
      event.transfer_from = id_in(field);
    }
  });
}

// False if it is no event of a leg. A `data` that is a string is the broker's form, not the
// socket's (3.2).
bool read_leg_event(LegEvent& event, value& data) {
  bool sound = true, found = false;
  const bool read = visit_fields(data, [&](std::string_view outer, value& call) {
    if (outer != "call") return;
    found = visit_fields(call, [&](std::string_view key, value& field) {
      if (key == "id") {
        event.id = id_in(field);
      } else if (key == "event") {
        event.name = text_in(field);
      } else if (key == "timestamp") {
        event.told_at = integer_in(field);
      } else if (key == "user_id") {
        if (std::string user = id_in(field); !user.empty()) event.user = std::move(user);
      } else if (key == "app_id") {
        event.app_id = id_in(field);
      } else if (key == "data") {
        const json_type type = type_of(field);
        if (type == json_type::object) {
          read_leg_data(event, field);
        } else if (type != json_type::null) {
          sound = false;
        }
      }
    });
  });
  event.kind = kind_of(event.name);
  // Media quality comes after the call, sometimes without an id.
  return read && found && sound && (!event.id.empty() || event.kind == LegEvent::Kind::other);
}

UserState user_state_in(value& data) {
  UserState state;
  visit_fields(data, [&](std::string_view outer, value& it) {
    if (outer != "state") return;
    visit_fields(it, [&](std::string_view key, value& field) {
      if (key == "id") state.user = id_in(field);
      if (key == "status") state.status = text_in(field);
    });
  });
  return state;
}

AgentStatus agent_status_in(value& data) {
  AgentStatus status;
  visit_fields(data, [&](std::string_view key, value& field) {
    if (key == "agent_id") status.agent = id_in(field);
    if (key == "user_id") status.user = id_in(field);
    if (key == "status") status.status = text_in(field);
    if (key == "status_payload") status.payload = text_in(field);
  });
  return status;
}

AgentChannel agent_channel_in(value& data) {
  AgentChannel channel;
  visit_fields(data, [&](std::string_view key, value& field) {
    if (key == "agent_id") channel.agent = id_in(field);
    if (key == "user_id") channel.user = id_in(field);
    if (key == "channel") channel.channel = text_in(field);
    if (key == "status") channel.status = text_in(field);
  });
  return channel;
}

Hello hello_in(value& data) {
  Hello hello;
  visit_fields(data, [&](std::string_view key, value& field) {
    if (key == "server_version") {
      hello.version = text_in(field);
    } else if (key == "ping_interval") {
      hello.ping_interval = integer_in(field);
    } else if (key == "session") {
      visit_fields(field, [&](std::string_view name, value& each) {
        if (name == "user_id") hello.user = id_in(each);
        if (name == "domain_id") hello.domain = id_in(each);
        if (name == "domain_name") hello.domain_name = text_in(each);
      });
    }
  });
  return hello;
}

void read_error(value& it, unsigned& code, std::string& id, std::string* detail) {
  visit_fields(it, [&](std::string_view key, value& field) {
    if (key == "id") {
      id = text_in(field);
    } else if (key == "code") {
      if (const auto text = text_of(field)) {
        code = static_cast<unsigned>(std::max(0, number_of(*text).value_or(0)));
      }
    } else if (key == "detail" && detail != nullptr) {
      *detail = text_in(field);
    }
  });
}

SocketError socket_error_in(value& data) {
  SocketError error;
  visit_fields(data, [&](std::string_view key, value& field) {
    if (key == "error") read_error(field, error.code, error.id, nullptr);
  });
  return error;
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
  return read && !row.id.empty();
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
      array channels;
      if (type_of(field) != json_type::array || field.get_array().get(channels)) return;
      for (auto each : channels) {
        value channel;
        if (each.get(channel)) return;
        std::string name, state;
        visit_fields(channel, [&](std::string_view its_key, value& its_field) {
          if (its_key == "channel") name = text_in(its_field);
          if (its_key == "state") state = text_in(its_field);
        });
        if (name == "call") row.call_state = std::move(state);
      }
    }
  });
  return read && !row.id.empty();
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

base::Result<Frame> parse(std::string_view text) {
  if (text == kFiller) return Frame{Filler{}};
  const auto parsed = JsonParser::of_this_thread().parse(text);
  if (!parsed) return parsed.error();
  object fields = *parsed;
  std::string event, status, user;
  std::optional<std::uint64_t> seq, request;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "event") event = text_in(field);
    if (key == "status") status = text_in(field);
    if (key == "seq") seq = count_in(field);
    if (key == "seq_reply") request = count_in(field);
    if (key == "user_id") user = id_in(field);
  });
  bool again = false;
  if (!whole || fields.reset().get(again)) return Errc::bad_frame;

  if (request.value_or(0) > 0) {
    SocketReply reply;
    reply.request = *request;
    reply.ok = status == "OK";
    if (!reply.ok && status != "FAIL") return Errc::bad_frame;
    for_each_field(fields, [&](std::string_view key, value& field) {
      if (key == "error") read_error(field, reply.code, reply.error_id, &reply.detail);
      if (key != "data" || type_of(field) != json_type::object) return;
      object data;
      std::string_view raw;
      if (!field.get_object().get(data) && !data.raw_json().get(raw)) reply.data = raw;
    });
    return Frame{std::move(reply)};
  }
  if (event.empty()) return Errc::bad_frame;

  Push push{seq, Aside{event}};
  bool sound = true;
  for_each_field(fields, [&](std::string_view key, value& field) {
    if (key != "data") return;
    if (event == "call") {
      LegEvent leg;
      sound = read_leg_event(leg, field);
      if (leg.user == "0") leg.user.clear();
      push.what = std::move(leg);
    } else if (event == "hello") {
      push.what = hello_in(field);
    } else if (event == "user_state") {
      UserState state = user_state_in(field);
      if (state.user.empty()) state.user = user;
      push.what = std::move(state);
    } else if (event == "agent_status") {
      AgentStatus agent = agent_status_in(field);
      if (agent.user.empty()) agent.user = user;
      push.what = std::move(agent);
    } else if (event == "channel") {
      AgentChannel channel = agent_channel_in(field);
      if (channel.user.empty()) channel.user = user;
      push.what = std::move(channel);
    } else if (event == "error") {
      push.what = socket_error_in(field);
    }
  });
  // Even what could not be read has been counted by the PBX, and so must be by us.
  if (event == "call" && (!sound || !std::holds_alternative<LegEvent>(push.what))) {
    return Errc::bad_frame;
  }
  return Frame{std::move(push)};
}

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
           !row.id.empty();
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

bool has_token(std::string_view status, std::string_view token) {
  while (!status.empty()) {
    const auto end = status.find_first_of("{}, ");
    if (status.substr(0, end) == token) return true;
    if (end == std::string_view::npos) return false;
    status.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace pbx::webitel
