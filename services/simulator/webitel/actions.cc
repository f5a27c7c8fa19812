#include <algorithm>
#include <chrono>
#include <utility>

#include "simulator/webitel/dialect.h"
#include "simulator/webitel/encoder.h"
#include "simulator/webitel/text.h"

// What clients ask for on the socket, once they have logged in.
namespace simulator::webitel {

using engine::ConnectionId;
using engine::Faults;
using engine::Millis;
using engine::TimePoint;

namespace {

constexpr std::int64_t kDayMax = 86'400;  // of timeouts, in seconds

std::map<std::string, std::string> texts_of(const json::object* object) {
  std::map<std::string, std::string> all;
  if (!object) return all;
  for (const auto& [name, value] : *object) {
    if (value.is_string()) all[name] = value.get_string();
  }
  return all;
}

// As the engine does it: only digits and '+' are left.
std::string dialled(std::string_view destination) {
  std::string number;
  for (const char c : destination) {
    if (c == '+' || (c >= '0' && c <= '9')) number += c;
  }
  return number;
}

}  // namespace

// One action: who may, and what comes of it.
struct Dialect::Action {
  struct At {
    Dialect& dialect;
    ConnectionId connection;
    Peer& peer;
    const User& user;
    const Request& request;
    TimePoint now;

    Pbx& pbx() const { return dialect.pbx_; }
    std::string text(std::string_view key) const { return text_at(request.data, key); }
    std::optional<std::int64_t> number(std::string_view key) const {
      return number_at(request.data, key);
    }
    Asker asker() const { return {connection, request.seq, 0}; }
  };
  // What has to be named for a leg: nothing, its id, or its id and its node.
  enum class Names : std::uint8_t { nothing, leg, leg_and_node };

  std::string_view name;
  std::string_view scope;  // empty: whoever has logged in may
  char access;             // one of "crud"
  bool command;            // the fault `actions` says what becomes of it
  Names names;
  Result (*perform)(const At& at);
};

namespace {

using Wrong = std::optional<Problem>;

Problem no_agent() { return {"User.valid.agent_id", 404, "not an agent"}; }

}  // namespace

const std::vector<Dialect::Action>& Dialect::actions() {
  using At = Action::At;
  using Names = Action::Names;
  static constexpr auto kNothing = Names::nothing;
  static constexpr auto kLeg = Names::leg;
  static constexpr auto kLegAndNode = Names::leg_and_node;

  static const auto calls_of = [](const At& at) {
    json::array items;
    for (const Channel* each : at.pbx().channels.live()) {
      const User* owner = at.pbx().channels.user_of(*each);
      if (owner && owner->id == at.user.id) {
        items.push_back(call_item(at.pbx(), *each, at.now));
      }
    }
    return Result{{{"items", std::move(items)}}};
  };
  static const auto done = [](Wrong wrong) { return Result{{}, std::move(wrong)}; };
  static const auto refused = [](Problem problem) { return Result{{}, std::move(problem)}; };
  // Its own phone rings first. The answer comes once it is picked up.
  static const auto invite = [](const At& at, Phones::Invitation wish) {
    const auto action = at.pbx().faults.actions;
    if (action == Faults::Actions::error) return refused(problems::refused());
    if (action == Faults::Actions::ignore) {
      json::object data;
      data[wish.key] = at.pbx().channels.id_of(~static_cast<std::uint64_t>(at.request.seq));
      return Result{std::move(data)};
    }
    if (auto wrong = at.pbx().phones.invite(at.user, wish, at.asker(), at.now)) {
      return refused(std::move(*wrong));
    }
    return Result{{}, {}, true};
  };
  // The one named; everybody's, if that is allowed.
  static const auto agent_named = [](const At& at) -> std::pair<Agent*, Wrong> {
    const auto id = at.number("agent_id");
    if (!id) return {nullptr, problems::invalid_param()};
    Agent* agent = at.pbx().accounts.find_agent(*id);
    if (!agent) return {nullptr, Problem{"store.sql_agent.get.app_error", 404, "no such agent"}};
    return {agent, std::nullopt};
  };
  static const auto set_agent = [](const At& at, const char* status, std::string payload) {
    auto [agent, wrong] = agent_named(at);
    if (wrong) return refused(std::move(*wrong));
    if (agent->user != at.user.id && !Accounts::may(at.user, "cc_agent", 'r')) {
      return refused(problems::forbidden(at.user.id, "cc_agent", 'r'));
    }
    const Agents::Wish wish{status, std::move(payload), at.text("status_comment"),
                            boolean_at(at.request.data, "on_demand").value_or(false)};
    return done(at.pbx().agents.set_status(*agent, wish, at.now));
  };

  static const std::vector<Action> kActions{
      // ---- The socket.
      {"ping", "", 'r', false, kNothing,
       [](const At& at) {
         json::object data{{"pong", 1}};
         if (at.pbx().settings.variants.latency) data["server_ts"] = at.pbx().millis(at.now);
         return Result{std::move(data)};
       }},
      {"latency_start", "", 'r', false, kNothing,
       [](const At& at) {
         return Result{{{"server_ts", at.pbx().millis(at.now)}}};
       }},
      {"latency_ack", "", 'r', false, kNothing,
       [](const At& at) {
         json::object data = at.request.data;
         data["server_ack_ts"] = at.pbx().millis(at.now);
         return Result{std::move(data)};
       }},

      // ---- Calls.
      {"subscribe_call", "calls", 'r', false, kNothing,
       [](const At& at) {
         at.dialect.subscribe(at.user.id, Topic::calls, at.now);
         return calls_of(at);
       }},
      {"un_subscribe_call", "calls", 'r', false, kNothing,
       [](const At& at) {
         at.dialect.subscriptions_.erase({at.user.id, Topic::calls});
         return Result{};
       }},
      {"call_by_user", "calls", 'r', false, kNothing, calls_of},
      {"call_invite", "calls", 'c', false, kNothing,
       [](const At& at) {
         const json::object* params = object_at(at.request.data, "params");
         if (at.text("destination").empty()) return refused(problems::invalid_param());
         Phones::Invitation wish;
         wish.destination = dialled(at.text("destination"));
         if (params) {
           wish.click.auto_answer = !boolean_at(*params, "disableAutoAnswer").value_or(false);
           wish.click.display = text_at(*params, "display");
           wish.click.variables = texts_of(object_at(*params, "variables"));
           const auto timeout = number_at(*params, "timeout").value_or(0);
           if (timeout > 0 && timeout < kDayMax) wish.timeout = std::chrono::seconds(timeout);
         }
         return invite(at, std::move(wish));
       }},
      {"call_user", "", 'c', false, kNothing,
       [](const At& at) {
         const auto id = at.number("toUserId");
         if (!id) return refused(problems::invalid_param());
         const User* to = at.pbx().accounts.find_user(*id);
         if (!to || to->extension.empty()) {
           return refused({"app.call.create.valid.from", 400, "no such user"});
         }
         Phones::Invitation wish;
         wish.destination = to->extension;
         wish.click.variables = texts_of(object_at(at.request.data, "variables"));
         wish.key = "call_id";
         return invite(at, std::move(wish));
       }},
      {"call_hangup", "", 'u', true, kLegAndNode,
       [](const At& at) {
         return done(at.pbx().phones.hang_up(at.text("id"), at.text("cause"), at.now));
       }},
      {"call_hold", "", 'u', true, kLegAndNode,
       [](const At& at) { return done(at.pbx().phones.hold(at.text("id"), true, at.now)); }},
      {"call_unhold", "", 'u', true, kLegAndNode,
       [](const At& at) { return done(at.pbx().phones.hold(at.text("id"), false, at.now)); }},
      {"call_dtmf", "", 'u', true, kLegAndNode,
       [](const At& at) {
         const std::string digits = at.text("dtmf");
         if (digits.empty()) return refused(problems::invalid_param());
         return done(at.pbx().phones.dial_tone(at.text("id"), digits.substr(0, 1), at.now));
       }},
      {"call_mute", "", 'u', true, kLegAndNode,
       [](const At& at) {
         const auto on = boolean_at(at.request.data, "mute");
         if (!on) return refused(problems::invalid_param());
         return done(at.pbx().phones.mute(at.text("id"), *on));
       }},
      {"call_blind_transfer", "calls", 'u', true, kLeg,
       [](const At& at) {
         if (at.text("destination").empty()) return refused(problems::invalid_param());
         return done(at.pbx().phones.transfer(at.text("id"), at.text("destination"), at.now));
       }},
      {"call_blind_transfer_ext", "calls", 'u', true, kLeg,
       [](const At& at) {
         if (at.text("destination").empty()) return refused(problems::invalid_param());
         return done(at.pbx().phones.transfer(at.text("id"), at.text("destination"), at.now));
       }},
      {"call_bridge", "", 'u', true, kNothing,
       [](const At& at) {
         if (at.text("from_id").empty() || at.text("to_id").empty()) {
           return refused(problems::invalid_param());
         }
         return done(at.pbx().phones.bridge(at.text("from_id"), at.text("to_id"), at.now));
       }},
      // The switch of this simulator cannot listen in.
      {"call_eavesdrop", "calls", 'u', true, kLeg,
       [](const At& at) {
         if (!at.pbx().channels.find(at.text("id"))) return refused(problems::no_call());
         return refused(problems::new_call("FACILITY_NOT_IMPLEMENTED"));
       }},
      {"call_eavesdrop_state", "calls", 'u', true, kLeg,
       [](const At& at) {
         if (at.text("state").empty()) return refused(problems::invalid_param());
         return refused(problems::no_call());
       }},
      {"call_recordings", "", 'r', false, kLeg,
       [](const At& at) {
         const Channels& channels = at.pbx().channels;
         const Channel* channel = channels.find_any(at.text("id"));
         std::int64_t file = 0;
         for (const Channel* each : {channel ? &channels.root_of(*channel) : nullptr, channel}) {
           if (each && !each->recordings.empty()) file = each->recordings.back().id;
         }
         return Result{{{"file_id", file}}};
       }},
      {"call_set_params", "", 'u', true, kLeg,
       [](const At& at) {
         Channel* channel = at.pbx().channels.find(at.text("id"));
         if (!channel) return refused(problems::no_call());
         for (auto& [name, value] : texts_of(object_at(at.request.data, "variables"))) {
           channel->variables[name] = value;
         }
         return Result{};
       }},
      {"user_default_device", "", 'r', false, kNothing,
       [](const At& at) {
         const Device* device = at.pbx().accounts.find_device(at.user.device);
         if (!device) return refused({"store.device.get.app_error", 404, "no device"});
         const std::string& domain = at.pbx().settings.domain;
         return Result{{{"authorization_user", device->account},
                        {"display_name", at.user.name},
                        {"extension", at.user.extension},
                        {"ha1", ""},
                        {"password", device->password},
                        {"realm", domain},
                        {"server", "wss://" + domain + "/sip"},
                        {"uri", "sip:" + device->account + "@" + domain}}};
       }},
      {"sip_proxy", "", 'r', false, kNothing,
       [](const At& at) {
         return at.text("data").empty() ? refused(problems::invalid_param()) : Result{};
       }},

      // ---- Users and agents.
      {"subscribe_users_status", "", 'r', false, kNothing,
       [](const At& at) {
         at.dialect.subscribe(at.user.id, Topic::presence, at.now);
         return Result{};
       }},
      {"cc_agent_session", "", 'r', false, kNothing,
       [](const At& at) {
         if (!at.pbx().accounts.has_product(at.user, kCallCenter)) {
           return refused(problems::forbidden(at.user.id, "cc_agent", 'r'));
         }
         const Agent* agent = at.pbx().accounts.agent_of(at.user.id);
         if (!agent) return refused(no_agent());
         return Result{at.pbx().agents.session(*agent, at.now)};
       }},
      {"cc_agent_tasks", "", 'r', false, kNothing,
       [](const At& at) {
         if (!at.number("agent_id")) return refused(problems::invalid_param());
         return Result{{{"items", json::array()}}};
       }},
      {"cc_agent_subscribe_status", "", 'r', false, kNothing,
       [](const At& at) {
         if (!at.number("agent_id")) return refused(problems::invalid_param());
         at.dialect.subscribe(at.user.id, Topic::agent, at.now);
         return Result{};
       }},
      {"cc_agent_online", "", 'u', true, kNothing,
       [](const At& at) { return set_agent(at, "online", ""); }},
      {"cc_agent_pause", "", 'u', true, kNothing,
       [](const At& at) { return set_agent(at, "pause", at.text("payload")); }},
      {"cc_agent_offline", "", 'u', true, kNothing,
       [](const At& at) { return set_agent(at, "offline", ""); }},
      {"cc_agent_waiting", "", 'u', true, kNothing,
       [](const At& at) {
         auto [agent, wrong] = agent_named(at);
         if (wrong) return refused(std::move(*wrong));
         if (at.text("channel").empty()) return refused(problems::invalid_param());
         return Result{{{"timestamp", at.pbx().agents.set_waiting(*agent, at.now)}}};
       }},
  };
  return kActions;
}

Dialect::Result Dialect::act(ConnectionId connection, Peer& peer, const Request& request,
                             TimePoint now) {
  const auto it = std::find_if(actions().begin(), actions().end(),
                               [&](const Action& each) { return each.name == request.action; });
  if (it == actions().end()) {
    ++pbx_.counters.frames_ignored;
    return {{}, Problem{"api.web_socket_router.bad_action.app_error", 400, "unknown action"}};
  }
  const Action& action = *it;
  ++pbx_.counters.actions[request.action];
  const User& user = *pbx_.accounts.find_user(peer.user);
  if (!action.scope.empty() && !Accounts::may(user, action.scope, action.access)) {
    return {{}, problems::forbidden(user.id, action.scope, action.access)};
  }
  const bool named = !text_at(request.data, "id").empty();
  const std::string node = text_at(request.data, "app_id");
  if ((action.names != Action::Names::nothing && !named) ||
      (action.names == Action::Names::leg_and_node && node.empty())) {
    return {{}, problems::invalid_param()};
  }
  if (action.names == Action::Names::leg_and_node && node != pbx_.settings.media_node) {
    return {{}, problems::no_node()};
  }
  if (action.command && pbx_.faults.actions != Faults::Actions::execute) {
    if (pbx_.faults.actions == Faults::Actions::ignore) return {};
    return {{}, problems::refused()};
  }
  return action.perform({*this, connection, peer, user, request, now});
}

}  // namespace simulator::webitel
