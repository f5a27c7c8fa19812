#include "simulator/control.h"

#include <utility>

#include <boost/json.hpp>

#include "simulator/scenario/operation.h"
#include "simulator/state_json.h"

namespace simulator {

namespace asio = boost::asio;
namespace json = boost::json;
using scenario::Verb;

namespace {

using Answer = Control::Answer;
using Work = std::function<Answer(Stage&, engine::TimePoint)>;

Answer error(unsigned status, std::string text, std::string field = {}) {
  json::object body{{"error", std::move(text)}};
  body["field"] = field.empty() ? json::value(nullptr) : json::value(field);
  return {status, std::move(body)};
}

Answer wrong_method(std::string_view allowed) {
  return error(405, "only " + std::string(allowed) + " here");
}

Answer problems_of(const std::vector<config::Problem>& problems) {
  json::array all;
  for (const auto& it : problems) {
    all.push_back(json::object{{"line", it.line}, {"field", it.path}, {"error", it.message}});
  }
  Answer answer = error(400, problems.front().text(), problems.front().path);
  answer.body.as_object()["problems"] = std::move(all);
  return answer;
}

unsigned status_of(const base::Error& why) {
  if (why == base::Errc::device_not_found) return 404;
  if (why == base::Errc::invalid_argument) return 400;
  return 409;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto digit = [&](std::size_t at) -> int {
      const char c = at < text.size() ? text[at] : 'x';
      if (c >= '0' && c <= '9') return c - '0';
      if (c >= 'a' && c <= 'f') return c - 'a' + 10;
      if (c >= 'A' && c <= 'F') return c - 'A' + 10;
      return -1;
    };
    const int high = digit(i + 1), low = digit(i + 2);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<std::vector<std::string>> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = std::min(path.find('/'), path.size());
    auto part = decoded(path.substr(0, end));
    if (!part) return std::nullopt;
    if (!part->empty()) parts.push_back(std::move(*part));
    path.remove_prefix(end);
  }
  return parts;
}

// A request's body, read with the same words for mistakes as a configuration.
class Body {
 public:
  explicit Body(const std::string& text)
      : document_(config::Document::parse(compact(text), "request", {})) {}

  config::Section root() { return document_.root(); }
  // Nothing, if all was well.
  std::optional<Answer> wrong() const {
    const auto problems = document_.finish();
    if (problems.empty()) return std::nullopt;
    return problems_of(problems);
  }

 private:
  // JSON may be indented with tabs and escape slashes, which YAML does not like.
  static std::string compact(const std::string& text) {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return "{}";
    boost::system::error_code not_json;
    const auto value = json::parse(text, not_json);
    return not_json ? text : json::serialize(value);
  }

  config::Document document_;
};

// The leg a client of the control face means by its id on the wire; 0 if none was given.
std::optional<engine::LegId> leg_named(const std::string& id, const std::string& device,
                                       const Stage& stage) {
  if (id.empty()) return engine::LegId{0};
  for (const auto* call : stage.tenant().calls()) {
    for (const auto leg : call->legs) {
      const auto& it = *stage.tenant().find_leg(leg);
      if (it.number == device && stage.dialect().id_of(it) == id) return leg;
    }
  }
  return std::nullopt;
}

// Of a call that was just placed: its leg, unless it has failed already.
Answer placed(base::Result<engine::LegId> leg, const Stage& stage) {
  if (!leg) return error(status_of(leg.error()), scenario::explain(leg.error()));
  json::object body{{"leg", nullptr}, {"call", nullptr}};
  if (const auto* it = stage.tenant().find_leg(*leg)) {
    body["leg"] = stage.dialect().id_of(*it);
    body["call"] = it->call;
  }
  return {201, std::move(body)};
}

Answer operate(const scenario::Operation& operation, const std::string& leg, Stage& stage,
               engine::TimePoint now) {
  auto& tenant = stage.tenant();
  if (operation.verb == Verb::call) {
    return placed(tenant.originate(operation.device, operation.to, operation.plan, now), stage);
  }
  if (operation.verb == Verb::callback) {
    return placed(tenant.call_back(operation.device, operation.to, operation.plan, now), stage);
  }
  const auto id = leg_named(leg, operation.device, stage);
  if (!id) return error(404, operation.device + " has no leg " + leg, "leg");
  if (const auto why = scenario::perform(operation, tenant, now, *id)) {
    return error(status_of(why), operation.device + ": " + scenario::explain(why));
  }
  return {200, json::object{{"done", name_of(operation.verb)}}};
}

std::string verbs() {
  std::string list;
  for (const Verb verb : scenario::all_verbs()) {
    list += (list.empty() ? "" : ", ") + std::string(name_of(verb));
  }
  return list;
}

// POST /tenants/{t}/calls
Answer prepare_call(const std::string& text, Work& work) {
  Body body(text);
  const auto root = body.root();
  const bool callback =
      root.boolean("callback", {.doc = "Ring the caller's phone first.", .otherwise = false});
  const auto operation = scenario::read_operation(callback ? Verb::callback : Verb::call, root);
  if (auto wrong = body.wrong()) return std::move(*wrong);
  work = [operation](Stage& stage, engine::TimePoint now) {
    return operate(operation, {}, stage, now);
  };
  return {};
}

// POST /tenants/{t}/extensions/{e}/{verb}
Answer prepare_operation(const std::string& device, const std::string& name,
                         const std::string& text, Work& work) {
  const auto verb = scenario::verb_from(name);
  if (!verb) return error(404, "no operation \"" + name + "\"; there are " + verbs());
  Body body(text);
  const auto root = body.root();
  const auto operation = scenario::read_operation(*verb, root, device);
  const auto leg = root.text("leg", {.doc = "Which one, by its id.", .otherwise = ""});
  if (auto wrong = body.wrong()) return std::move(*wrong);
  work = [operation, leg](Stage& stage, engine::TimePoint now) {
    return operate(operation, leg, stage, now);
  };
  return {};
}

// POST, DELETE /tenants/{t}/faults
Answer prepare_faults(const std::string& method, const std::string& text, Work& work) {
  if (method == "GET") {
    work = [](Stage& stage, engine::TimePoint) {
      return Answer(200, faults_json(stage.dialect().faults()));
    };
    return {};
  }
  if (method == "DELETE") {
    work = [](Stage& stage, engine::TimePoint now) {
      stage.clear_faults(now);
      return Answer(200, faults_json(stage.dialect().faults()));
    };
    return {};
  }
  if (method != "POST") return wrong_method("GET, POST and DELETE");
  Body body(text);
  const auto change = scenario::read_faults(body.root());
  if (auto wrong = body.wrong()) return std::move(*wrong);
  work = [change](Stage& stage, engine::TimePoint now) {
    if (auto why = stage.change_faults(change, now); !why.empty()) return error(409, why);
    return Answer(200, faults_json(stage.dialect().faults()));
  };
  return {};
}

// POST /tenants/{t}/password
Answer prepare_password(const std::string& text, Work& work) {
  Body body(text);
  const auto password = body.root().text("password", {.doc = "The new one."});
  if (auto wrong = body.wrong()) return std::move(*wrong);
  work = [password](Stage& stage, engine::TimePoint) {
    auto* dialect = dynamic_cast<innova360::Dialect*>(&stage.dialect());
    if (!dialect) return error(409, "only Innova360's can be changed");
    dialect->change_password(password);
    return Answer(200, json::object{{"done", true}});
  };
  return {};
}

// POST, DELETE /tenants/{t}/traffic
Answer prepare_traffic(const std::string& method, const std::string& text, Work& work) {
  if (method == "DELETE") {
    work = [](Stage& stage, engine::TimePoint) {
      stage.stop_traffic();
      return Answer(200, json::object{{"traffic", nullptr}});
    };
    return {};
  }
  if (method != "POST") return wrong_method("POST and DELETE");
  Body body(text);
  const auto options = scenario::read_traffic(body.root());
  if (auto wrong = body.wrong()) return std::move(*wrong);
  work = [options](Stage& stage, engine::TimePoint now) {
    stage.start_traffic(options, now);
    return Answer(201, json::object{{"seed", options.seed}});
  };
  return {};
}

const char* name_of(scenario::Run::State state) {
  switch (state) {
    case scenario::Run::State::running: return "running";
    case scenario::Run::State::finished: return "finished";
    case scenario::Run::State::failed: return "failed";
  }
  return "?";
}

constexpr std::string_view kRoutes =
    "GET /livez; GET /v1/tenants; GET /v1/tenants/{t}/state; POST /v1/tenants/{t}/calls; "
    "POST /v1/tenants/{t}/extensions/{e}/{operation}; GET, POST, DELETE /v1/tenants/{t}/faults; "
    "POST /v1/tenants/{t}/password; POST, DELETE /v1/tenants/{t}/traffic; "
    "GET, POST /v1/scenarios; "
    "GET, DELETE /v1/scenarios/{id}";

}  // namespace

Control::Control(const std::vector<std::unique_ptr<Host>>& hosts,
                 const std::vector<TenantPorts>& ports)
    : hosts_(hosts), ports_(ports) {
  for (const auto& host : hosts) by_name_.emplace(host->name(), host.get());
}

asio::awaitable<net::HttpReply> Control::handle(net::HttpRequest request) {
  net::HttpReply reply;
  reply.headers.emplace_back("Content-Type", "application/json");
  const auto path = split(request.path());
  Answer answer = error(404, "no such path; there are " + std::string(kRoutes));
  if (path && path->size() == 1 && path->front() == "livez") {
    answer = Answer(200, json::object{{"ok", true}});
  } else if (path && !path->empty() && path->front() == "v1") {
    Request inner;
    inner.method = request.method;
    inner.body = std::move(request.body);
    inner.path.assign(path->begin() + 1, path->end());
    auto pending = route(std::move(inner));
    answer = co_await std::move(pending);
  }
  reply.status = answer.status;
  reply.body = json::serialize(answer.body) + "\n";
  co_return reply;
}

asio::awaitable<Control::Answer> Control::route(Request request) {
  const auto& path = request.path;
  if (path.size() == 1 && path[0] == "tenants") co_return list_tenants();
  if (path.size() >= 3 && path[0] == "tenants") {
    Host* host = find(path[1]);
    if (!host) co_return no_tenant(path[1]);
    auto pending = at_tenant(*host, request);
    Answer answer = co_await std::move(pending);
    co_return answer;
  }
  if (path.size() == 1 && path[0] == "scenarios") {
    if (request.method == "POST") co_return start_scenarios(request);
    if (request.method != "GET") co_return wrong_method("GET and POST");
    json::array ids;
    for (const auto& [id, runs] : launches_) ids.emplace_back(std::to_string(id));
    co_return Answer(200, json::object{{"scenarios", std::move(ids)}});
  }
  if (path.size() == 2 && path[0] == "scenarios") {
    const auto id = config::integer_from(path[1]);
    if (!id || *id < 0 || !launches_.contains(static_cast<RunId>(*id))) {
      co_return error(404, "no scenarios were started as \"" + path[1] + "\"");
    }
    if (request.method == "DELETE") co_return stop_launch(static_cast<RunId>(*id));
    if (request.method != "GET") co_return wrong_method("GET and DELETE");
    auto pending = show_launch(static_cast<RunId>(*id));
    Answer answer = co_await std::move(pending);
    co_return answer;
  }
  co_return error(404, "no such path; there are " + std::string(kRoutes));
}

// Reads the request here, so that a mistake in it costs the tenant nothing, and acts there.
asio::awaitable<Control::Answer> Control::at_tenant(Host& host, const Request& request) {
  const auto& path = request.path;
  const auto& method = request.method;
  Work work;
  Answer wrong = error(404, "no such path; there are " + std::string(kRoutes));
  if (path.size() == 3 && path[2] == "state") {
    wrong = wrong_method("GET");
    if (method == "GET") {
      work = [](Stage& stage, engine::TimePoint now) {
        return Answer(200, state_json(stage, now));
      };
    }
  } else if (path.size() == 3 && path[2] == "calls") {
    wrong = method == "POST" ? prepare_call(request.body, work) : wrong_method("POST");
  } else if (path.size() == 3 && path[2] == "faults") {
    wrong = prepare_faults(method, request.body, work);
  } else if (path.size() == 3 && path[2] == "password") {
    wrong = method == "POST" ? prepare_password(request.body, work) : wrong_method("POST");
  } else if (path.size() == 3 && path[2] == "traffic") {
    wrong = prepare_traffic(method, request.body, work);
  } else if (path.size() == 5 && path[2] == "extensions") {
    wrong = method == "POST" ? prepare_operation(path[3], path[4], request.body, work)
                             : wrong_method("POST");
  }
  if (!work) co_return wrong;
  auto pending = host.ask(std::move(work));
  Answer answer = co_await std::move(pending);
  co_return answer;
}

Control::Answer Control::list_tenants() const {
  json::array all;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    json::object it{{"name", hosts_[i]->name()},
                    {"vendor", simulator::name_of(hosts_[i]->settings().vendor)},
                    {"extensions", hosts_[i]->extension_count()}};
    if (ports_[i].plain) it["port"] = *ports_[i].plain;
    if (ports_[i].tls) it["tls_port"] = *ports_[i].tls;
    all.push_back(std::move(it));
  }
  return {200, json::object{{"tenants", std::move(all)}}};
}

Host* Control::find(std::string_view tenant) const {
  const auto it = by_name_.find(tenant);
  return it == by_name_.end() ? nullptr : it->second;
}

Control::Answer Control::no_tenant(std::string_view name) const {
  constexpr std::size_t kNamed = 10;
  std::string some;
  for (std::size_t i = 0; i < hosts_.size() && i < kNamed; ++i) {
    some += (some.empty() ? "" : ", ") + hosts_[i]->name();
  }
  if (hosts_.size() > kNamed) some += ", and " + std::to_string(hosts_.size() - kNamed) + " more";
  return error(404, "no tenant \"" + std::string(name) + "\"; there are " + some);
}

std::optional<RunId> Control::launch(
    const std::vector<std::shared_ptr<const scenario::Scenario>>& all, std::string& why) {
  if (launches_.size() >= kLaunchesMax) {
    why = "there are " + std::to_string(kLaunchesMax) + " already; delete some";
    return std::nullopt;
  }
  std::vector<Launched> launched;
  std::vector<std::shared_ptr<const scenario::Scenario>> scripts;
  for (const auto& script : all) {
    std::vector<Host*> where;
    for (const auto& name : script->tenants) {
      where.push_back(find(name));
      if (where.back()) continue;
      why = "scenario " + script->name + ": no tenant \"" + name + "\"";
      return std::nullopt;
    }
    if (script->tenants.empty()) {
      for (const auto& host : hosts_) where.push_back(host.get());
    }
    for (Host* host : where) {
      launched.push_back({host, script->name, ++last_run_});
      scripts.push_back(script);
    }
  }
  for (std::size_t i = 0; i < launched.size(); ++i) {
    launched[i].host->start_run(launched[i].run, scripts[i]);
  }
  launches_[++last_launch_] = std::move(launched);
  return last_launch_;
}

Control::Answer Control::start_scenarios(const Request& request) {
  const auto parsed = scenario::parse_scenarios(request.body, "request");
  if (!parsed.problems.empty()) return problems_of(parsed.problems);
  std::string why;
  const auto id = launch(parsed.scenarios, why);
  if (!id) return error(launches_.size() >= kLaunchesMax ? 429 : 400, why);
  return {201, json::object{{"id", std::to_string(*id)}}};
}

asio::awaitable<Control::Answer> Control::show_launch(RunId id) {
  const std::vector<Launched> launched = launches_.at(id);  // it may be deleted meanwhile
  json::array runs;
  bool running = false, failed = false;
  for (const Launched& it : launched) {
    const RunId run_id = it.run;
    auto look = [run_id](Stage& stage, engine::TimePoint) -> json::value {
      const auto* run = stage.run(run_id);
      if (!run) return {{"state", "stopped"}, {"why", ""}, {"steps_done", 0}};
      return {
          {"state", name_of(run->state())}, {"why", run->why()}, {"steps_done", run->steps_done()}};
    };
    auto pending = it.host->ask(look);
    json::value state = co_await std::move(pending);
    auto& object = state.as_object();
    running = running || object["state"] == "running";
    failed = failed || object["state"] == "failed";
    object["tenant"] = it.host->name();
    object["scenario"] = it.scenario;
    runs.push_back(std::move(state));
  }
  json::object body{{"id", std::to_string(id)},
                    {"state", failed    ? "failed"
                              : running ? "running"
                                        : "finished"},
                    {"runs", std::move(runs)}};
  co_return Answer(200, std::move(body));
}

Control::Answer Control::stop_launch(RunId id) {
  for (const Launched& it : launches_.at(id)) it.host->stop_run(it.run);
  launches_.erase(id);
  return {200, json::object{{"stopped", std::to_string(id)}}};
}

}  // namespace simulator
