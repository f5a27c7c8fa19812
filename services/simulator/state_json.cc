#include "simulator/state_json.h"

#include <boost/json.hpp>

namespace simulator {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

std::int64_t milliseconds(std::chrono::steady_clock::duration span) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
}

json::value count_json(std::uint32_t count) {
  return count == engine::Faults::kAlways ? json::value("always") : json::value(count);
}

json::object extension_json(const engine::Extension& it, const Stage& stage) {
  json::array legs;
  for (const auto leg : it.legs) {
    legs.emplace_back(stage.dialect().id_of(*stage.tenant().find_leg(leg)));
  }
  return {{"extension", it.number},
          {"status", name_of(it.status)},
          {"registered", it.registered},
          {"do_not_disturb", it.do_not_disturb},
          {"forced_busy", it.forced_busy},
          {"forwarding",
           {{"always", text_or_null(it.forwarding.always)},
            {"busy", text_or_null(it.forwarding.busy)},
            {"no_answer", text_or_null(it.forwarding.no_answer)}}},
          {"legs", std::move(legs)}};
}

json::object leg_json(const engine::Leg& it, const Stage& stage) {
  const bool outside = it.extension == engine::kOutside;
  return {{"id", stage.dialect().id_of(it)},
          {outside ? "outside" : "extension", it.number},
          {"direction", it.outgoing ? "out" : "in"},
          {"state", name_of(it.state)},
          {"connected", it.connected},
          {"held", it.held},
          {"recording", it.recording},
          {"callback", it.callback},
          {"from", it.from},
          {"to", it.to}};
}

json::object counters_json(const engine::Counters& it) {
  json::object actions, accepted;
  for (const auto& [kind, count] : it.actions) actions[kind] = count;
  for (const auto& [kind, count] : it.accepted) accepted[kind] = count;
  json::array last;
  for (const auto& each : it.last_originations) {
    json::array data(each.user_data.begin(), each.user_data.end());
    last.push_back(json::object{
        {"extension", each.extension}, {"to", each.to}, {"user_data", std::move(data)}});
  }
  return {{"originates", it.originates},
          {"last_originates", std::move(last)},
          {"actions", std::move(actions)},
          {"connections_accepted", std::move(accepted)},
          {"logins_ok", it.logins_ok},
          {"logins_refused", it.logins_refused},
          {"frames_received", it.frames_received},
          {"frames_ignored", it.frames_ignored},
          {"frames_sent", it.frames_sent},
          {"events", it.events}};
}

}  // namespace

json::object faults_json(const engine::Faults& it) {
  using engine::Faults;
  const char* actions = it.actions == Faults::Actions::execute  ? "execute"
                        : it.actions == Faults::Actions::ignore ? "ignore"
                                                                : "error";
  const char* new_call = it.new_call == Faults::NewCall::normal    ? "normal"
                         : it.new_call == Faults::NewCall::missing ? "missing"
                                                                   : "late";
  return {{"refuse_connections", it.refuse_connections},
          {"no_welcome", it.no_welcome},
          {"forbidden", count_json(it.forbidden)},
          {"drop_before_init", count_json(it.drop_before_init)},
          {"silent", it.silent},
          {"delay_ms", it.delay.count()},
          {"duplicate", it.duplicate},
          {"reorder_hangup_ms", it.reorder_hangup.count()},
          {"noise_every", it.noise_every},
          {"init_extensions", it.init_extensions},
          {"actions", actions},
          {"new_call", new_call},
          {"new_call_delay_ms", it.new_call_delay.count()},
          {"login_not_found", count_json(it.login_not_found)},
          {"login_delay_ms", it.login_delay.count()},
          {"refuse_upgrades", count_json(it.refuse_upgrades)},
          {"drop_requests", count_json(it.drop_requests)},
          {"truncated_replies", count_json(it.truncated_replies)},
          {"double_entries", count_json(it.double_entries)},
          {"missing_entries", count_json(it.missing_entries)},
          {"results_late_ms", it.results_late.count()},
          {"two_devices", it.two_devices},
          {"missing_conf", it.missing_conf},
          {"unknown_messages", it.unknown_messages},
          {"unknown_updates", it.unknown_updates},
          {"wrong_digest", count_json(it.wrong_digest)},
          {"replayed_login", count_json(it.replayed_login)},
          {"persons_login", count_json(it.persons_login)},
          {"wrong_domain", count_json(it.wrong_domain)},
          {"no_login", it.no_login},
          {"duplicate_sockets", it.duplicate_sockets},
          {"unlicensed", count_json(it.unlicensed)},
          {"login_unavailable", count_json(it.login_unavailable)},
          {"lost_events", count_json(it.lost_events)},
          {"late_answers", it.late_answers},
          {"text_data", it.text_data},
          {"filler", it.filler}};
}

json::object state_json(const Stage& stage, engine::TimePoint now) {
  const auto& tenant = stage.tenant();
  json::array extensions, calls, connections;
  for (const auto& it : tenant.extensions()) extensions.push_back(extension_json(it, stage));
  for (const auto* call : tenant.calls()) {
    json::array legs;
    for (const auto id : call->legs) legs.push_back(leg_json(*tenant.find_leg(id), stage));
    calls.push_back(json::object{{"id", call->id},
                                 {"age_ms", milliseconds(now - call->created)},
                                 {"transferred", call->transferred},
                                 {"conference", call->conference},
                                 {"legs", std::move(legs)}});
  }
  for (const auto& it : stage.dialect().connections()) {
    connections.push_back(json::object{{"id", it.id},
                                       {"kind", it.kind},
                                       {"extension", text_or_null(it.extension)},
                                       {"logged_in", it.logged_in}});
  }
  json::array agents;
  for (const auto& it : stage.dialect().agents()) {
    agents.push_back(json::object{{"id", it.id},
                                  {"extension", text_or_null(it.extension)},
                                  {"status", it.status},
                                  {"reason", text_or_null(it.reason)}});
  }
  json::value traffic = nullptr;
  if (const auto* it = stage.traffic()) {
    traffic = json::object{
        {"calls_started", it->started()}, {"calls_left_out", it->left_out()}, {"over", it->over()}};
  }
  return {{"tenant", stage.name()},
          {"vendor", name_of(stage.settings().vendor)},
          {"extensions", std::move(extensions)},
          {"calls", std::move(calls)},
          {"connections", std::move(connections)},
          {"agents", std::move(agents)},
          {"counters", counters_json(stage.dialect().counters())},
          {"faults", faults_json(stage.dialect().faults())},
          {"traffic", std::move(traffic)}};
}

}  // namespace simulator
