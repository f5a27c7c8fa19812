#include "pbx/webitel/provisioning_codec.h"

#include <utility>

#include "pbx/webitel/codec.h"
#include "pbx/webitel/fields.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using call::AgentState;
using call::Resource;
using call::ResourceKind;
using simdjson::ondemand::json_type;
using simdjson::ondemand::value;

constexpr std::size_t kTextMost = 1'024, kIdMost = 64, kTokenMost = 2'048;
constexpr std::size_t kNamesMax = 256;  // of one list within a resource

using webitel::text_in;
std::string text_in(value& field) { return text_in(field, kTextMost); }

std::optional<call::Time> time_in(value& field) {
  const auto text = text_of(field);
  return text ? time_of(*text) : std::nullopt;
}

// {id,name}
call::Named named_in(value& field) {
  call::Named named;
  visit_fields(field, [&](std::string_view key, value& it) {
    if (key == "id") named.id = text_in(it, kIdMost);
    if (key == "name") named.name = text_in(it);
  });
  return named;
}

void read_names(std::vector<call::Named>& all, value& field) {
  visit_elements(field, [&](value& element) {
    call::Named named = named_in(element);
    if (!named.id.empty() && all.size() < kNamesMax) all.push_back(std::move(named));
    return true;
  });
}

// A licence has the name of its product.
void read_licences(std::vector<call::Named>& all, value& field) {
  visit_elements(field, [&](value& element) {
    call::Named named;
    visit_fields(element, [&](std::string_view key, value& it) {
      if (key == "id") named.id = text_in(it, kIdMost);
      if (key == "prod") named.name = text_in(it);
    });
    if (!named.id.empty() && all.size() < kNamesMax) all.push_back(std::move(named));
    return true;
  });
}

void read_field(call::Phone& phone, std::string_view key, value& field, bool /*secret*/) {
  if (key == "id") {
    phone.id = text_in(field, kIdMost);
  } else if (key == "name") {
    phone.name = text_in(field);
  } else if (key == "account") {
    phone.account = text_in(field);
  } else if (key == "user") {
    phone.user = named_in(field).id;
  } else if (key == "created_at") {
    phone.made = time_in(field);
  }
}

void read_field(call::User& user, std::string_view key, value& field, bool /*secret*/) {
  if (key == "id") {
    user.id = text_in(field, kIdMost);
  } else if (key == "name") {
    user.name = text_in(field);
  } else if (key == "username") {
    user.login = text_in(field);
  } else if (key == "email") {
    user.e_mail = text_in(field);
  } else if (key == "extension") {
    user.extension = call::DeviceId(text_in(field));
  } else if (key == "devices") {
    read_names(user.phones, field);
  } else if (key == "device") {
    const call::Named phone = named_in(field);
    if (!phone.id.empty()) user.phones.insert(user.phones.begin(), phone);
  } else if (key == "roles") {
    read_names(user.roles, field);
  } else if (key == "license") {
    read_licences(user.licences, field);
  } else if (key == "created_at") {
    user.made = time_in(field);
  }
}

void read_field(call::UserToken& token, std::string_view key, value& field, bool secret) {
  if (key == "id") {
    token.id = text_in(field, kIdMost);
  } else if (key == "user") {
    token.user = named_in(field).id;
  } else if (key == "usage") {
    token.purpose = text_in(field);
  } else if (key == "token" && secret) {
    token.secret = text_in(field, kTokenMost);
  } else if (key == "created_at") {
    token.made = time_in(field);
  }
}

// Rows of the list have `channel`, an agent's session has `channels`, in an array or alone.
template <class Visit>
void visit_channels(value& field, Visit&& visit) {
  visit_one_or_many(field, [&](value& element) {
    call::AgentChannel channel;
    visit_fields(element, [&](std::string_view key, value& it) {
      if (key == "channel") channel.name = text_in(it);
      if (key == "state") channel.state = text_in(it);
      if (key == "joined_at") channel.since = time_in(it);
    });
    if (!channel.name.empty()) visit(std::move(channel));
  });
}

struct AgentRecord {
  call::Agent agent;
  std::string status;
  std::optional<call::Time> since;
  std::vector<call::AgentChannel> channels;
  bool supervisor = false;

  AgentState state() const {
    for (const call::AgentChannel& channel : channels) {
      if (channel.name == "call") return agent_state_of(status, channel.state);
    }
    return agent_state_of(status, {});
  }
};

void read_field(AgentRecord& record, std::string_view key, value& field, bool /*secret*/) {
  call::Agent& agent = record.agent;
  if (key == "id") {
    agent.id = text_in(field, kIdMost);
  } else if (key == "user") {
    agent.user = named_in(field);
  } else if (key == "team") {
    agent.team = named_in(field);
  } else if (key == "extension") {
    agent.extension = call::DeviceId(text_in(field));
  } else if (key == "status") {
    record.status = text_in(field);
  } else if (key == "status_payload") {
    agent.reason = text_in(field);
  } else if (key == "last_status_change") {
    record.since = time_in(field);
  } else if (key == "is_supervisor") {
    record.supervisor = flag_of(text_in(field)).value_or(false);
  } else if (key == "channel" || key == "channels") {
    visit_channels(field, [&](call::AgentChannel channel) {
      if (record.channels.size() < kNamesMax) record.channels.push_back(std::move(channel));
    });
  }
}

// `name`: of the field that it may be wrapped in.
template <class Record>
Record read_record(value& field, bool secret) {
  Record record;
  visit_fields(field,
               [&](std::string_view key, value& it) { read_field(record, key, it, secret); });
  return record;
}

template <class Record>
base::Result<Record> parse_record(std::string_view body, std::string_view name, bool secret) {
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(body);
  if (!document) return Errc::bad_frame;
  Record record;
  std::optional<Record> wrapped;
  const bool whole = for_each_field(*document, [&](std::string_view key, value& field) {
    if (key == name && type_of(field) == json_type::object) {
      wrapped = read_record<Record>(field, secret);
    } else {
      read_field(record, key, field, secret);
    }
  });
  if (!whole || !parser.finished()) return Errc::bad_frame;
  return wrapped ? std::move(*wrapped) : std::move(record);
}

// Calls visit(record) for each one of `items`; false if it is no list.
template <class Record, class Visit>
bool parse_list(std::string_view body, bool& next, Visit&& visit) {
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(body);
  if (!document) return false;
  bool right = true;
  const bool whole = for_each_field(*document, [&](std::string_view key, value& field) {
    if (key == "next") {
      next = flag_of(text_in(field)).value_or(false);
    } else if (key == "items" && type_of(field) != json_type::null) {
      right = visit_elements(field, [&](value& element) {
        visit(read_record<Record>(element, false));
        return true;
      });
    }
  });
  return whole && right && parser.finished();
}

void tidy(call::User& user) {
  // `device` is one of `devices`, or the only one that is told.
  auto& all = user.phones;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].id == all.front().id) {
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  }
}

Resource resource_of(call::Phone phone) { return phone; }
Resource resource_of(call::User user) {
  tidy(user);
  return user;
}
Resource resource_of(call::UserToken token) { return token; }
Resource resource_of(AgentRecord record) {
  record.agent.state = record.state();
  return std::move(record.agent);
}

const std::string& id_of(const call::Phone& it) { return it.id; }
const std::string& id_of(const call::User& it) { return it.id; }
const std::string& id_of(const call::UserToken& it) { return it.id; }
const std::string& id_of(const AgentRecord& it) { return it.agent.id; }

template <class Record>
base::Result<Resource> parse_one(std::string_view body, std::string_view name, bool secret) {
  auto record = parse_record<Record>(body, name, secret);
  if (!record) return record.error();
  if (id_of(*record).empty()) return Errc::bad_frame;
  return resource_of(std::move(*record));
}

template <class Record>
base::Result<ResourceList> parse_many(std::string_view body) {
  ResourceList all;
  const bool right = parse_list<Record>(body, all.next, [&](Record record) {
    if (id_of(record).empty()) {
      ++all.unread;
    } else if (all.resources.size() >= kResourcesMax) {
      all.cut = true;
    } else {
      all.resources.push_back(resource_of(std::move(record)));
    }
  });
  if (!right) return Errc::bad_frame;
  return all;
}

// [{"id":"4"},…]
std::string id_list(const std::vector<std::string>& ids) {
  std::string list = "[";
  for (const std::string& id : ids) {
    if (list.size() > 1) list += ',';
    list += JsonObject().text("id", id).take();
  }
  return list += ']';
}

std::string id_object(std::string_view id) { return JsonObject().text("id", id).take(); }

}  // namespace

std::string phone_body(const call::CreatePhone& order) {
  JsonObject body;
  body.text("name", order.name).text("account", order.account);
  if (!order.password.empty()) body.text("password", order.password);
  if (!order.user.empty()) body.raw("user", id_object(order.user));
  return body.take();
}

std::string user_body(const call::CreateUser& order) {
  JsonObject body;
  body.text("name", order.name).text("username", order.login);
  if (!order.password.empty()) body.text("password", order.password);
  if (!order.e_mail.empty()) body.text("email", order.e_mail);
  if (!order.extension.empty()) body.text("extension", order.extension.str());
  if (!order.roles.empty()) body.raw("roles", id_list(order.roles));
  if (!order.phones.empty()) {
    body.raw("device", id_object(order.phones.front())).raw("devices", id_list(order.phones));
  }
  if (!order.licences.empty()) body.raw("license", id_list(order.licences));
  return body.take();
}

std::string token_body(const call::CreateUserToken& order) {
  return JsonObject().text("token", "").text("usage", order.purpose).take();
}

std::string agent_body(const call::CreateAgent& order) {
  JsonObject body;
  body.raw("user", id_object(order.user))
      .raw("chat_count", std::to_string(order.chats))
      .raw("task_count", std::to_string(order.tasks))
      .raw("progressive_count", std::to_string(order.calls));
  if (!order.team.empty()) body.raw("team", id_object(order.team));
  return body.take();
}

base::Result<Resource> parse_resource(ResourceKind kind, std::string_view body, bool secret) {
  switch (kind) {
    case ResourceKind::phone: return parse_one<call::Phone>(body, "device", secret);
    case ResourceKind::user: return parse_one<call::User>(body, "user", secret);
    case ResourceKind::user_token: return parse_one<call::UserToken>(body, "token", secret);
    case ResourceKind::agent: return parse_one<AgentRecord>(body, "agent", secret);
  }
  return Errc::internal;
}

base::Result<ResourceList> parse_resources(ResourceKind kind, std::string_view body) {
  switch (kind) {
    case ResourceKind::phone: return parse_many<call::Phone>(body);
    case ResourceKind::user: return parse_many<call::User>(body);
    case ResourceKind::user_token: return parse_many<call::UserToken>(body);
    case ResourceKind::agent: return parse_many<AgentRecord>(body);
  }
  return Errc::internal;
}

base::Result<std::vector<AgentDesk>> parse_agent_desks(std::string_view body) {
  std::vector<AgentDesk> desks;
  bool next = false;
  const bool right = parse_list<AgentRecord>(body, next, [&](AgentRecord record) {
    if (record.agent.id.empty() || desks.size() >= kResourcesMax) return;
    AgentDesk desk;
    desk.user = record.agent.user.id;
    desk.session.agent = record.agent.id;
    desk.session.state = record.state();
    desk.session.reason = std::move(record.agent.reason);
    desk.session.since = record.since;
    desk.session.team = std::move(record.agent.team);
    desk.session.channels = std::move(record.channels);
    desk.session.supervisor = record.supervisor;
    desks.push_back(std::move(desk));
  });
  if (!right) return Errc::bad_frame;
  return desks;
}

base::Result<std::vector<std::string>> parse_pause_causes(std::string_view body) {
  std::vector<std::string> names;
  bool next = false;
  const bool right = parse_list<call::Phone>(body, next, [&](call::Phone cause) {
    // Only its name counts, which is where a phone has it.
    if (!cause.name.empty() && names.size() < kNamesMax) names.push_back(std::move(cause.name));
  });
  if (!right) return Errc::bad_frame;
  return names;
}

}  // namespace pbx::webitel
