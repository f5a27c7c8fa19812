#include "pbx/webitel/provisioning.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "base/overloaded.h"
#include "pbx/percent_encoded.h"
#include "pbx/webitel/provisioning_codec.h"
#include "pbx/webitel/refusals.h"
#include "pbx/webitel/rows.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using call::Refusal;
using call::ResourceKind;

constexpr std::size_t kTextMax = 1'024;
constexpr std::size_t kIdsMax = 64;  // of one kind in one order

const char* noun_of(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::phone: return "device";
    case ResourceKind::user: return "user";
    case ResourceKind::user_token: return "token";
    case ResourceKind::agent: return "agent";
  }
  return "resource";
}

// The field of the request that the resource is in.
const char* field_of(ResourceKind kind) {
  return kind == ResourceKind::user_token ? "user_token" : noun_of(kind);
}

// Precondition: `user` is a number, if the kind is a user's.
std::string path_of(ResourceKind kind, const std::string& user) {
  switch (kind) {
    case ResourceKind::phone: return "/devices";
    case ResourceKind::user: return "/users";
    case ResourceKind::user_token: return "/users/" + user + "/tokens";
    case ResourceKind::agent: return "/call_center/agents";
  }
  return {};
}

using Fault = std::optional<Refusal>;

Fault fault(const std::string& field, const char* sentence) {
  return Refusal{Errc::invalid_argument, field + ": " + sentence};
}

Fault fault_of_id(const char* field, const std::string& id, bool required = true) {
  if (id.empty() && !required) return std::nullopt;
  if (is_number(id)) return std::nullopt;
  return fault(field, "must be an id of this PBX's, a number");
}

Fault fault_of_ids(const char* field, const std::vector<std::string>& ids) {
  if (ids.size() > kIdsMax) return fault(field, "too many");
  for (const std::string& id : ids) {
    if (auto wrong = fault_of_id(field, id)) return wrong;
  }
  return std::nullopt;
}

Fault fault_of_text(const char* field, const std::string& text, bool required) {
  if (text.empty() && required) return fault(field, "must not be empty");
  if (text.size() > kTextMax) return fault(field, "must not be longer than 1024 bytes");
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  });
  if (!printable) return fault(field, "must not contain control characters");
  return std::nullopt;
}

Fault first_of(std::initializer_list<Fault> faults) {
  for (const Fault& it : faults) {
    if (it) return it;
  }
  return std::nullopt;
}

Fault fault_of(const call::CreatePhone& it) {
  return first_of({fault_of_text("device.display_name", it.name, true),
                   fault_of_text("device.account", it.account, true),
                   fault_of_text("device.password", it.password, false),
                   fault_of_id("device.user", it.user, false)});
}

Fault fault_of(const call::CreateUser& it) {
  return first_of({fault_of_text("user.display_name", it.name, true),
                   fault_of_text("user.login", it.login, true),
                   fault_of_text("user.password", it.password, false),
                   fault_of_text("user.e_mail", it.e_mail, false),
                   fault_of_text("user.extension", it.extension.str(), false),
                   fault_of_ids("user.devices", it.phones), fault_of_ids("user.roles", it.roles),
                   fault_of_ids("user.licences", it.licences)});
}

Fault fault_of(const call::CreateUserToken& it) {
  if (it.purpose == kOwnUsage) {
    return fault("user_token.purpose", "the gateway calls its own tokens so, and deletes them");
  }
  return first_of(
      {fault_of_id("parent", it.user), fault_of_text("user_token.purpose", it.purpose, false)});
}

Fault fault_of(const call::CreateAgent& it) {
  constexpr unsigned kMost = 1'000;
  const auto count = [](const char* field, unsigned number) {
    return number >= 1 && number <= kMost ? Fault() : fault(field, "must be from 1 to 1000");
  };
  return first_of({fault_of_id("agent.user", it.user), fault_of_id("agent.team", it.team, false),
                   count("agent.max_chats", it.chats), count("agent.max_tasks", it.tasks),
                   count("agent.max_calls", it.calls)});
}

// What says whose it is, and which: parts of the resource's name.
Fault fault_of_names(ResourceKind kind, const std::string& user, const std::string* id) {
  if (kind == ResourceKind::user_token) {
    if (auto wrong = fault_of_id(id ? "name" : "parent", user)) return wrong;
  }
  return id ? fault_of_id("name", *id) : std::nullopt;
}

bool says_it_exists(const RestError& error) {
  std::string text = error.id + ' ' + error.detail;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  const auto has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
  return has("duplicate") || has("already exist") || has("already_exist") ||
         (has("exists") && !has("not exists"));
}

call::OrderReply reply_of(call::Resource resource) { return resource; }

}  // namespace

// "2.50.0"
std::optional<Provisioning::Place> Provisioning::place_in(std::string_view text) {
  Place place;
  const char* it = text.data();
  const char* const end = text.data() + text.size();
  for (unsigned* number : {&place.page, &place.size, &place.skip}) {
    if (number != &place.page && (it == end || *it++ != '.')) return std::nullopt;
    const auto [rest, failure] = std::from_chars(it, end, *number);
    if (failure != std::errc{}) return std::nullopt;
    it = rest;
  }
  if (it != end || place.page == 0 || place.page > 1'000'000 || place.size == 0 ||
      place.size > kPageMax || place.skip > kResourcesMax) {
    return std::nullopt;
  }
  return place;
}

void Provisioning::ask(call::OrderId id, const call::Order& order, TimePoint limit, TimePoint now,
                       Effects& effects) {
  if (open_.contains(id)) return;  // it will be fulfilled
  std::optional<Refusal> refusal;
  if (limit <= now) {
    refusal = Refusal{Errc::timed_out, "no time was left to do it in"};
  } else if (open_.size() >= kOrdersMax) {
    refusal = Refusal{Errc::too_many_requests, "too many orders are waiting for this PBX"};
  } else {
    Open open;
    open.limit_at = limit;
    open.due = std::min(limit, now + limit_);
    open.changes = call::changes_something(order);
    refusal = start(id, order, std::move(open), effects);
  }
  if (refusal) effects.push_back(Fulfil{id, std::move(*refusal)});
}

std::optional<Refusal> Provisioning::start(call::OrderId id, const call::Order& order, Open open,
                                           Effects& effects) {
  const auto create = [&](ResourceKind kind, std::string user, std::string password,
                          std::string body) {
    open.doing = Doing::create;
    open.kind = kind;
    open.user = std::move(user);
    open.password = std::move(password);
    const std::string path = path_of(kind, open.user);
    open_.emplace(id, std::move(open));
    send(id, "POST", path, std::move(body), effects);
  };
  return std::visit(
      base::overloaded{
          [&](const call::CreatePhone& it) {
            auto wrong = fault_of(it);
            if (!wrong) create(ResourceKind::phone, {}, it.password, phone_body(it));
            return wrong;
          },
          [&](const call::CreateUser& it) {
            auto wrong = fault_of(it);
            if (!wrong) create(ResourceKind::user, {}, it.password, user_body(it));
            return wrong;
          },
          [&](const call::CreateUserToken& it) {
            auto wrong = fault_of(it);
            if (!wrong) create(ResourceKind::user_token, it.user, {}, token_body(it));
            return wrong;
          },
          [&](const call::CreateAgent& it) {
            auto wrong = fault_of(it);
            if (!wrong) create(ResourceKind::agent, {}, {}, agent_body(it));
            return wrong;
          },
          [&](const call::ListResources& it) -> Fault {
            if (auto wrong = first_of({fault_of_names(it.kind, it.user, nullptr),
                                       fault_of_text("text", it.text, false)})) {
              return wrong;
            }
            open.doing = Doing::list;
            open.kind = it.kind;
            open.user = it.user;
            open.limit = std::clamp(it.limit, 1u, kPageMax);
            open.place.size = open.limit;
            if (!it.after.empty()) {
              const auto place = place_in(it.after);
              if (!place) return Refusal{Errc::page_token_invalid, ""};
              open.place = *place;
            }
            std::string path = path_of(it.kind, it.user) +
                               "?page=" + std::to_string(open.place.page) +
                               "&size=" + std::to_string(open.place.size);
            if (!it.text.empty()) path += "&q=" + percent_encoded(it.text);
            open_.emplace(id, std::move(open));
            send(id, "GET", path, {}, effects);
            return std::nullopt;
          },
          [&](const call::GetResource& it) -> Fault {
            if (auto wrong = fault_of_names(it.kind, it.user, &it.id)) return wrong;
            open.doing = Doing::get;
            open.kind = it.kind;
            open.user = it.user;
            open_.emplace(id, std::move(open));
            send(id, "GET", path_of(it.kind, it.user) + '/' + it.id, {}, effects);
            return std::nullopt;
          },
          [&](const call::DeleteResource& it) -> Fault {
            if (auto wrong = fault_of_names(it.kind, it.user, &it.id)) return wrong;
            open.doing = Doing::remove;
            open.kind = it.kind;
            open.user = it.user;
            open_.emplace(id, std::move(open));
            std::string path = path_of(it.kind, it.user) + '/' + it.id;
            // Others are kept, hidden, and their names stay taken.
            if (it.kind == ResourceKind::phone || it.kind == ResourceKind::user) {
              path += "?permanent=true";
            }
            send(id, "DELETE", path, {}, effects);
            return std::nullopt;
          },
          [&](const call::GetAgentSession& it) -> Fault {
            const Person* person = directory_.by_extension(it.device.str());
            if (!person || !is_number(person->id)) {
              return Refusal{Errc::device_not_found, "no user of the PBX has this extension"};
            }
            open.doing = Doing::find_agent;
            open.kind = ResourceKind::agent;
            open.user = person->id;
            open_.emplace(id, std::move(open));
            send(id, "GET", "/call_center/agents?page=1&size=100&user_id=" + person->id, {},
                 effects);
            return std::nullopt;
          },
      },
      order);
}

void Provisioning::send(call::OrderId id, std::string method, const std::string& path,
                        std::string body, Effects& effects) {
  SendHttp send = rest_.make(std::move(method), path, std::move(body));
  asked_.emplace(send.id, id);
  effects.push_back(std::move(send));
}

void Provisioning::fulfil(Iterator it, call::OrderReply reply, Effects& effects) {
  effects.push_back(Fulfil{it->first, std::move(reply)});
  open_.erase(it);
}

// ---- What the PBX says.

bool Provisioning::on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint now,
                           Effects& effects) {
  const auto asked = asked_.find(id);
  if (asked == asked_.end()) return false;
  const auto it = open_.find(asked->second);
  asked_.erase(asked);
  if (it == open_.end()) return true;  // its time was over
  Open& open = it->second;
  if (!reply) {
    fulfil(it, refusal_of(reply.error(), open.changes), effects);
  } else if (const auto error = error_of(*reply)) {
    // Old servers have no causes: then anything will do for one.
    if (open.doing == Doing::find_causes && (error->code == 404 || error->code == 501)) {
      fulfil(it, std::move(open.session), effects);
    } else {
      fulfil(it, refusal_of_order(open, *error), effects);
    }
  } else {
    take(it, *reply, now, effects);
  }
  return true;
}

Refusal Provisioning::refusal_of_order(const Open& open, const RestError& error) const {
  if (open.changes && may_have_happened(error)) {
    return {Errc::outcome_unknown, "it was sent, and the PBX did not answer"};
  }
  const std::string noun = noun_of(open.kind);
  const bool creates = open.doing == Doing::create;
  if (error.code == 409 || (creates && says_it_exists(error))) {
    return {Errc::already_exists, "the PBX has such a " + noun + " already"};
  }
  Refusal refusal = refusal_of(error);
  if (refusal.why == Errc::call_not_found) {
    return {Errc::resource_not_found, creates ? "the PBX does not have what the " + noun + " is for"
                                              : "the PBX has no such " + noun};
  }
  if (error.code != 400 || refusal.why != Errc::pbx_refused) return refusal;
  const bool secret =
      rest_.repeats_token(error.detail) ||
      (!open.password.empty() && error.detail.find(open.password) != std::string::npos);
  if (!secret && is_tellable(error.detail)) refusal.detail = "the PBX says: " + error.detail;
  // Which field of it is wrong, only people can tell.
  refusal = {Errc::invalid_argument, std::string(field_of(open.kind)) + ": " + refusal.detail};
  return refusal;
}

void Provisioning::take(Iterator it, const HttpReply& reply, TimePoint now, Effects& effects) {
  Open& open = it->second;
  const Refusal unreadable{Errc::pbx_refused, "the PBX's answer cannot be read"};
  switch (open.doing) {
    case Doing::create:
    case Doing::get: {
      auto resource = parse_resource(open.kind, reply.body, open.doing == Doing::create);
      auto* token = resource ? std::get_if<call::UserToken>(&*resource) : nullptr;
      const bool lacks = !resource || (token && open.changes && token->secret.empty());
      if (lacks && open.changes) {
        return fulfil(it,
                      Refusal{Errc::outcome_unknown,
                              "it was made, but the PBX's answer does not "
                              "say as what"},
                      effects);
      }
      if (lacks) return fulfil(it, unreadable, effects);
      if (token) token->user = open.user;
      return fulfil(it, reply_of(std::move(*resource)), effects);
    }
    // The answer's form is documented nowhere: often it is the list of what was deleted.
    case Doing::remove: return fulfil(it, call::Deleted(), effects);
    case Doing::list: return take_list(it, reply.body, effects);
    case Doing::find_agent: return take_agents(it, reply.body, now, effects);
    case Doing::find_causes: {
      auto causes = parse_pause_causes(reply.body);
      if (!causes) return fulfil(it, unreadable, effects);
      open.session.pause_causes = std::move(*causes);
      return fulfil(it, std::move(open.session), effects);
    }
  }
}

void Provisioning::take_list(Iterator it, const std::string& body, Effects& effects) {
  Open& open = it->second;
  auto list = parse_resources(open.kind, body);
  if (!list) {
    return fulfil(it, Refusal{Errc::pbx_refused, "the PBX's list cannot be read"}, effects);
  }
  if (list->unread > 0) {
    effects.push_back(Note{Errc::bad_frame, "a list of " + std::string(noun_of(open.kind)) +
                                                "s: " + std::to_string(list->unread) +
                                                " of them have no id, and were left out"});
  }
  if (list->cut) {
    effects.push_back(Note{Errc::message_too_big, "a list of " + std::string(noun_of(open.kind)) +
                                                      "s: the PBX sent more at once than is read"});
  }
  call::Resources page;
  Place next = open.place;
  unsigned position = 0;
  for (call::Resource& resource : list->resources) {
    if (position++ < open.place.skip) continue;
    if (page.resources.size() >= open.limit) break;
    if (auto* token = std::get_if<call::UserToken>(&resource)) token->user = open.user;
    page.resources.push_back(std::move(resource));
  }
  next.skip += static_cast<unsigned>(page.resources.size());
  // A PBX may give more than was asked for: that is read again, from there on.
  const bool rest = next.skip < list->resources.size();
  if (!rest) {
    ++next.page;
    next.skip = 0;
  }
  if (rest || (list->next && !list->resources.empty())) {
    page.next = std::to_string(next.page) + '.' + std::to_string(next.size) + '.' +
                std::to_string(next.skip);
  }
  fulfil(it, std::move(page), effects);
}

void Provisioning::take_agents(Iterator it, const std::string& body, TimePoint now,
                               Effects& effects) {
  Open& open = it->second;
  auto desks = parse_agent_desks(body);
  if (!desks) {
    return fulfil(it, Refusal{Errc::pbx_refused, "the PBX's list of agents cannot be read"},
                  effects);
  }
  const auto desk = std::find_if(desks->begin(), desks->end(), [&](const AgentDesk& one) {
    return one.user == open.user && is_number(one.session.agent);
  });
  if (desk == desks->end()) {
    return fulfil(it, Refusal{Errc::resource_not_found, "the user of this extension is no agent"},
                  effects);
  }
  open.session = std::move(desk->session);
  open.doing = Doing::find_causes;
  open.due = std::min(open.limit_at, now + limit_);
  send(it->first, "GET", "/call_center/agents/" + open.session.agent + "/pause_causes", {},
       effects);
}

void Provisioning::on_tick(TimePoint now, Effects& effects) {
  for (auto it = open_.begin(); it != open_.end();) {
    const auto here = it++;
    if (here->second.due > now) continue;
    fulfil(here,
           here->second.changes
               ? Refusal{Errc::outcome_unknown, "it was sent, and the PBX did not answer"}
               : Refusal{Errc::timed_out, "the PBX did not answer in time"},
           effects);
  }
}

TimePoint Provisioning::deadline() const {
  TimePoint first = TimePoint::max();
  for (const auto& [id, open] : open_) first = std::min(first, open.due);
  return first;
}

}  // namespace pbx::webitel
