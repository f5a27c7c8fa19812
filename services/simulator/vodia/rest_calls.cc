#include <charconv>

#include <boost/json.hpp>

#include "simulator/vodia/phones.h"
#include "simulator/vodia/rest.h"
#include "simulator/vodia/text.h"

// Live calls and their control, and click-to-dial.
namespace simulator::vodia {

namespace json = boost::json;
using engine::Faults;
using engine::HttpReply;

namespace {

constexpr std::size_t kNoteMax = 256;

HttpReply show_calls(const RestCall& call) {
  json::array list = call.pbx.encoder.calls(call.account);
  for (json::value& each : list) each.as_object()["now"] = call.pbx.encoder.time(call.now);
  return json_reply(list);
}

bool annotate(const RestCall& call, const std::string& id) {
  const auto* leg = own_leg(call.pbx, call.account, id);
  CallRecord* record = leg ? call.pbx.calls.find(leg->call) : nullptr;
  if (!record) return false;
  if (call.body.contains("comment")) record->comment = call.text("comment").substr(0, kNoteMax);
  if (call.body.contains("category")) record->category = call.text("category").substr(0, kNoteMax);
  return true;
}

// The body's key says what to do.
struct Action {
  std::string_view key;
  bool (*perform)(const RestCall& call, const std::string& value);
};
constexpr Action kActions[] = {
    {"hangup", [](const RestCall& it,
                  const std::string& id) { return hang_up(it.pbx, it.account, id, it.now); }},
    {"reject", [](const RestCall& it,
                  const std::string& id) { return reject(it.pbx, it.account, id, it.now); }},
    {"transfer",
     [](const RestCall& it, const std::string& id) {
       if (it.body.contains("id")) return join(it.pbx, it.account, id, it.text("id"), it.now);
       return transfer(it.pbx, it.account, id, it.text("number"), it.now);
     }},
    {"remote-dial",
     [](const RestCall& it, const std::string& to) {
       return dial(it.pbx, it.account, Dial::phone, to, it.text("name"), it.now);
     }},
    {"remote-answer", [](const RestCall& it,
                         const std::string& id) { return answer(it.pbx, it.account, id, it.now); }},
    {"remote-hold", [](const RestCall& it,
                       const std::string& id) { return hold(it.pbx, it.account, id, it.now); }},
    {"remote-resume", [](const RestCall& it,
                         const std::string& id) { return resume(it.pbx, it.account, id, it.now); }},
    {"id", annotate},
};

// Whatever comes of it, the answer is 200: true, or false if there was nothing to do it to.
HttpReply control_calls(const RestCall& call) {
  for (const Action& action : kActions) {
    if (!call.body.contains(action.key)) continue;
    ++call.pbx.counters.actions[std::string(action.key)];
    if (call.pbx.faults.actions == Faults::Actions::ignore) return json_reply(true);
    if (call.pbx.faults.actions == Faults::Actions::error) return json_reply(false);
    return json_reply(action.perform(call, call.text(action.key)));
  }
  return bare_reply(400);
}

// ---- /remote_call.htm

std::int64_t number_of(const std::string& text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() ? number : 0;
}

// auth=<md5 of user, password, destination, time and duration>, good for that long
bool is_hash_right(const RestCall& call, const std::string& password) {
  const std::string user = call.query("user"), dest = call.query("dest");
  const std::string time = call.query("time"), duration = call.query("duration");
  if (time.empty()) return false;
  const auto now = call.pbx.settings.clock.unix_millis(call.now) / 1'000;
  const auto age = now - number_of(time);
  return call.query("auth") == md5_hex(user + password + dest + time + duration) && age >= 0 &&
         age <= number_of(duration);
}

bool may_dial(const RestCall& call, engine::ExtensionIndex extension) {
  if (call.who.scope == Scope::system) return true;
  if (call.who.scope == Scope::extension && call.who.extension == extension) return true;
  const std::string password =
      call.pbx.settings.password.of(call.pbx.tenant.extension(extension).number);
  const std::string auth = call.query("auth");
  if (auth.empty()) return false;
  if (is_hash_right(call, password)) return true;
  const auto colon = auth.find(':');
  if (colon == std::string::npos || auth.substr(0, colon) != call.query("user")) return false;
  return auth.substr(colon + 1) == password;
}

// Says only that it was accepted; the extension's phone rings first.
HttpReply remote_call(const RestCall& call) {
  const auto [user, domain] = split_account(call.query("user"));
  const auto extension = call.pbx.user(user);
  const bool known =
      extension != engine::kOutside && (domain.empty() || domain == call.pbx.settings.domain);
  if (!known || !may_dial(call, extension)) {
    HttpReply reply = bare_reply(401);
    reply.headers.emplace_back("WWW-Authenticate", "Basic realm=\"PBX\"");
    return reply;
  }
  ++call.pbx.counters.actions["remote_call"];
  HttpReply reply = bare_reply(200);
  reply.headers.emplace_back("Content-Type", "text/html");
  reply.body = "<html><body>OK</body></html>";
  if (call.pbx.faults.actions != Faults::Actions::execute) return reply;
  (void)dial(call.pbx, extension, Dial::callback, call.query("dest"), call.query("src"), call.now);
  return reply;
}

}  // namespace

std::span<const RestRoute> call_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"GET", "/rest/user/{account}/calls", Needs::itself, show_calls},
      {"POST", "/rest/user/{account}/calls", Needs::itself, control_calls},
      {"GET", "/remote_call.htm", Needs::nothing, remote_call},
  };
  return kRoutes;
}

}  // namespace simulator::vodia
