#include "pbx/webitel/codec.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "pbx/webitel/codec_fields.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

constexpr std::string_view kFiller{"\0\0\0\0", 4};

std::optional<std::uint64_t> count_in(value& it) {
  const auto text = text_of(it);
  std::uint64_t number = 0;
  if (!text) return std::nullopt;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failure != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return number;
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
  // It is not counted either: the next event shows the gap, and everything is read again.
  if (event == "call" && (!sound || !std::holds_alternative<LegEvent>(push.what))) {
    return Errc::bad_frame;
  }
  return Frame{std::move(push)};
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

call::AgentState agent_state_of(std::string_view status, std::string_view channel) {
  if (status == "offline") return call::AgentState::logged_off;
  if (status == "pause" || status == "break_out") return call::AgentState::not_ready;
  if (status != "online") return call::AgentState::unknown;
  if (channel == "processing" || channel == "wrap_time")
    return call::AgentState::working_after_call;
  for (const std::string_view busy :
       {"distribute", "offering", "answered", "bridged", "active", "transfer"}) {
    if (channel == busy) return call::AgentState::busy;
  }
  return call::AgentState::ready;
}

}  // namespace pbx::webitel
