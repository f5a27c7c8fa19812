#include <algorithm>
#include <chrono>

#include "simulator/webitel/encoder.h"
#include "simulator/webitel/rest.h"
#include "simulator/webitel/text.h"

// Live calls of the whole domain, and what can be done to them by HTTP.
namespace simulator::webitel {

using engine::Faults;
using engine::HttpAnswer;

namespace {

constexpr std::chrono::seconds kFinishedFor{2};  // if they are shown at all
constexpr std::size_t kActiveSize = 40;

bool has(const std::vector<std::string>& wanted, std::string_view value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

// What the query wants to see.
class Filter {
 public:
  explicit Filter(const RestCall& call)
      : pbx_(call.pbx),
        users_(call.queries("user_id")),
        agents_(call.queries("agent_id")),
        directions_(call.queries("direction")),
        states_(call.queries("state")),
        parents_(call.queries("parent_id")),
        numbers_{call.query("number"), call.query("q")},
        roots_only_(call.query("skip_parent") == "true") {
    for (const auto* name : {"queue_id", "team_id", "supervisor_id"}) {
      nothing_ = nothing_ || !call.query(name).empty();
    }
  }

  bool wants(const Channel& it) const {
    if (nothing_ || (roots_only_ && !it.parent.empty())) return false;
    if (!has(directions_, it.outbound ? "outbound" : "inbound")) return false;
    if (!has(states_, it.state) || !has(parents_, it.parent)) return false;
    const User* user = pbx_.channels.user_of(it);
    if (!users_.empty() && !has(users_, user ? std::to_string(user->id) : "")) return false;
    if (!agents_.empty()) {
      const Agent* agent = user ? pbx_.accounts.agent_of(user->id) : nullptr;
      if (!has(agents_, agent ? std::to_string(agent->id) : "")) return false;
    }
    for (const std::string& number : numbers_) {
      const bool its = it.number == number || it.destination == number ||
                       it.from.number == number || (it.to && it.to->number == number);
      if (!number.empty() && !its) return false;
    }
    return true;
  }

 private:
  const Pbx& pbx_;
  std::vector<std::string> users_, agents_, directions_, states_, parents_;
  std::vector<std::string> numbers_;  // those that are empty do not count
  bool roots_only_;
  bool nothing_ = false;  // of queues, teams and supervisors, of which there are none
};

HttpAnswer show_active(const RestCall& call) {
  Pbx& pbx = call.pbx;
  std::vector<const Channel*> all;
  if (pbx.settings.variants.finished == Variants::Finished::shown) {
    for (const Channel& each : pbx.channels.ended()) {
      if (call.now - *each.ended < kFinishedFor) all.push_back(&each);
    }
  }
  for (const Channel* each : pbx.channels.live()) all.push_back(each);
  const Filter filter(call);
  std::erase_if(all, [&](const Channel* it) { return !filter.wants(*it); });
  if (!all.empty() && take_one(pbx.faults.missing_entries)) all.pop_back();
  const bool twice = !all.empty() && take_one(pbx.faults.double_entries);
  json::array items;
  for (const Channel* each : all) {
    for (int i = 0; i < (twice ? 2 : 1); ++i) {
      items.push_back(active_call(pbx, *each, call.now));
    }
  }
  return engine_answer(pbx, page_of(call, std::move(items), kActiveSize));
}

HttpAnswer show_one(const RestCall& call) {
  const Channel* channel = call.pbx.channels.find(call.args[0]);
  if (!channel) return engine_problem(call.pbx, problems::no_call());
  return engine_answer(call.pbx, active_call(call.pbx, *channel, call.now));
}

// Without an app_id the node is looked up by the call.
std::optional<Problem> wrong_node(const RestCall& call) {
  const std::string node = text_at(call.body, "app_id");
  if (node.empty()) {
    if (!call.pbx.channels.find(call.args[0])) return problems::no_call();
  } else if (node != call.pbx.settings.media_node) {
    return problems::no_node();
  }
  return std::nullopt;
}

template <class Deed>
HttpAnswer done(const RestCall& call, json::object answer, const Deed& deed) {
  auto wrong = wrong_node(call);
  if (!wrong) wrong = deed();
  return wrong ? engine_problem(call.pbx, *wrong) : engine_answer(call.pbx, std::move(answer));
}

HttpAnswer hang_up(const RestCall& call) {
  return done(call, {}, [&] {
    return call.pbx.phones.hang_up(call.args[0], text_at(call.body, "cause"), call.now);
  });
}
HttpAnswer hold(const RestCall& call) {
  return done(call, {{"state", "hold"}},
              [&] { return call.pbx.phones.hold(call.args[0], true, call.now); });
}
HttpAnswer unhold(const RestCall& call) {
  return done(call, {{"state", "active"}},
              [&] { return call.pbx.phones.hold(call.args[0], false, call.now); });
}
// The server's own mistake: of a single character nothing comes through but a NUL.
HttpAnswer dtmf(const RestCall& call) {
  const std::string digit = text_at(call.body, "digit");
  return done(call, {}, [&] {
    const std::string sent = digit.size() > 1 ? digit.substr(0, 1) : std::string(1, '\0');
    return call.pbx.phones.dial_tone(call.args[0], sent, call.now);
  });
}
HttpAnswer transfer(const RestCall& call) {
  const std::string to = text_at(call.body, "destination");
  if (to.empty()) {
    return engine_problem(call.pbx, Problem{"app.call.transfer", 400, "destination is empty"});
  }
  return done(call, {}, [&] { return call.pbx.phones.transfer(call.args[0], to, call.now); });
}
HttpAnswer set_variables(const RestCall& call) {
  Channel* channel = call.pbx.channels.find(call.args[0]);
  if (!channel) return engine_problem(call.pbx, problems::no_call());
  if (const json::object* variables = object_at(call.body, "variables")) {
    for (const auto& [name, value] : *variables) {
      if (value.is_string()) channel->variables[name] = value.get_string();
    }
  }
  return engine_answer(call.pbx, json::object());
}
// The switch of this simulator cannot listen in.
HttpAnswer eavesdrop(const RestCall& call) {
  if (!call.pbx.channels.find(call.args[0])) return engine_problem(call.pbx, problems::no_call());
  return engine_problem(call.pbx, problems::new_call("FACILITY_NOT_IMPLEMENTED"));
}

// `from` is an id, an extension, or whoever asks.
const User* caller_of(const RestCall& call) {
  const json::object* from = object_at(call.body, "from");
  if (!from) return call.user;
  const auto& accounts = call.pbx.accounts;
  if (const auto id = id_from(from->if_contains("id"))) return accounts.find_user(*id);
  const std::string extension = text_at(*from, "extension");
  if (extension.empty()) return call.user;
  return accounts.user_at(call.pbx.tenant.find_extension(extension));
}

HttpAnswer make(const RestCall& call) {
  Pbx& pbx = call.pbx;
  ++pbx.counters.actions["POST /calls"];
  if (pbx.faults.actions == Faults::Actions::error) return engine_problem(pbx, problems::refused());
  if (pbx.faults.actions == Faults::Actions::ignore) {
    return json_answer(json::object{{"id", pbx.channels.id_of(UINT64_MAX - call.ticket)}});
  }
  const User* caller = caller_of(call);
  if (!caller) return engine_problem(pbx, {"app.call.create.valid.from", 400, "bad from"});
  Phones::Invitation wish;
  wish.destination = text_at(call.body, "destination");
  if (const json::object* params = object_at(call.body, "params")) {
    wish.click.auto_answer = !boolean_at(*params, "disable_auto_answer").value_or(false);
    wish.click.display = text_at(*params, "display");
    const auto timeout = id_from(params->if_contains("timeout"));
    if (timeout && *timeout > 0 && *timeout < 86'400) {
      wish.timeout = std::chrono::seconds(*timeout);
    }
    if (const json::object* variables = object_at(*params, "variables")) {
      for (const auto& [name, value] : *variables) {
        if (value.is_string()) wish.click.variables[name] = value.get_string();
      }
    }
  }
  Asker asker;
  asker.ticket = call.ticket;
  if (const auto wrong = pbx.phones.invite(*caller, wish, asker, call.now)) {
    return engine_problem(pbx, *wrong);
  }
  HttpAnswer answer;
  answer.kind = HttpAnswer::Kind::later;
  answer.ticket = call.ticket;
  return answer;
}

}  // namespace

std::span<const RestRoute> call_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"POST", "/calls", "calls", 'c', false, make},
      {"GET", "/calls/active", "calls", 'r', false, show_active},
      {"GET", "/calls/active/{}", "calls", 'r', false, show_one},
      {"DELETE", "/calls/active/{}", "calls", 'd', true, hang_up},
      {"PATCH", "/calls/active/{}/hold", "calls", 'u', true, hold},
      {"PATCH", "/calls/active/{}/unhold", "calls", 'u', true, unhold},
      {"PATCH", "/calls/active/{}/dtmf", "calls", 'u', true, dtmf},
      {"PATCH", "/calls/active/{}/transfer", "calls", 'u', true, transfer},
      {"PATCH", "/calls/active/{}/variables", "calls", 'u', true, set_variables},
      {"POST", "/calls/active/{}/eavesdrop", "calls", 'u', true, eavesdrop},
  };
  return kRoutes;
}

}  // namespace simulator::webitel
