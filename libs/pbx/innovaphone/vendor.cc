#include "pbx/innovaphone/vendor.h"

#include <sstream>

#include "pbx/innovaphone/check.h"
#include "pbx/innovaphone/reception.h"
#include "pbx/innovaphone/session.h"
#include "pbx/innovaphone/sign.h"

namespace pbx::innovaphone {
namespace {

using call::Capability;
using call::Confirmation;
using call::Service;

constexpr std::int64_t kSecond = 1'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;

constexpr std::string_view kDirections[] = {"outbound", "inbound"};
constexpr std::string_view kDirectories[] = {"auto", "table_users", "rcc"};

constexpr Setting kSettings[] = {
    {.name = "direction",
     .kind = SettingKind::choice,
     .fallback = "outbound",
     .meaning = "Who opens the connection: we (outbound), or the PBX, whose App object has "
                "Websocket ticked (inbound).",
     .choices = kDirections},
    {"app_object", SettingKind::text, nullptr,
     "The name of the gateway's App object in the PBX (its Name, not its Long Name)."},
    {"password", SettingKind::secret, nullptr, "The App object's password."},
    {"host", SettingKind::text, "", "Outbound: where the PBX is."},
    {"port", SettingKind::integer, "0",
     "Outbound: its web server's port; 0 means the usual one: 443 with TLS, 80 without.", 0,
     65'535},
    {"tls", SettingKind::boolean, "true", "Outbound: whether to encrypt."},
    {"path", SettingKind::text, "/PBX0/APPS/websocket",
     "Outbound: the path of the WebSocket; another one for dynamic PBXs."},
    {"url_path", SettingKind::text, "",
     "Inbound: the path of the App object's URL without its last component: /acme if the URL is "
     "https://gateway/acme/inbound."},
    {"url_app", SettingKind::text, "inbound", "Inbound: the last component of that URL."},
    {"domain", SettingKind::text, "",
     "The PBX's system name. Inbound: if given, a PBX of another system is turned away."},
    {"pbxs", SettingKind::text, "",
     "Inbound: the names of the PBXs that may connect, with blanks between; empty: any. Of those "
     "named, the first snapshot waits for all, for as long as gather says."},
    {"gather", SettingKind::duration, "5s",
     "Inbound: how long after the first PBX of a system the others have to connect before what "
     "they do not tell counts as ended.",
     0, 5 * kMinute},
    {.name = "directory",
     .kind = SettingKind::choice,
     .fallback = "auto",
     .meaning = "Where names and forwardings are read: table_users (the App object has TableUsers "
                "ticked), rcc (just what RCC shows), or auto: table_users if it is granted.",
     .choices = kDirectories},
    {"groups", SettingKind::boolean, "false",
     "Whether to watch the members of the groups in which the App object is an active member, and "
     "not the users who have the App assigned. For about 50 users at most."},
    {"users_max", SettingKind::integer, "20000",
     "How many users are watched; those beyond it are left out, and said to be.", 1, 100'000},
    {"initialize_batch", SettingKind::integer, "50",
     "How many UserInitialize may wait for their answers at once.", 1, 1'000},
    {"keep_alive", SettingKind::duration, "30s",
     "A KeepAlive after this long without sending anything.", kSecond, kHour},
    {"silence_limit", SettingKind::duration, "90s",
     "A PBX of which nothing was heard for so long is lost.", kSecond, kHour},
    {"login_limit", SettingKind::duration, "10s", "How long challenge and login may take, each.",
     kSecond / 10, 5 * kMinute},
    {"request_limit", SettingKind::duration, "10s",
     "How long any other request may take; of an API that is not granted there is no answer at "
     "all.",
     kSecond / 10, 5 * kMinute},
    {"initialize_limit", SettingKind::duration, "60s",
     "How long the list of users may take, and then their initialisation.", kSecond, kHour},
    {"confirm_limit", SettingKind::duration, "5s",
     "After a reconnect: how long a call that was known may take to be told again before it has "
     "ended.",
     0, 5 * kMinute},
    {"call_limit", SettingKind::duration, "30s",
     "How long after a MakeCall its call may take to appear.", kSecond / 10, 5 * kMinute},
    {"answer_limit", SettingKind::duration, "10s",
     "How long after an AnswerCall or a pickup the call may take to be connected.", kSecond / 10,
     5 * kMinute},
    {"action_limit", SettingKind::duration, "5s",
     "How long any other command's effect may take to be seen.", kSecond / 10, 5 * kMinute},
    {"commands_max", SettingKind::integer, "1000",
     "How many commands may be waiting; another one is refused.", 1, 100'000},
    {"dtmf_reversed", SettingKind::boolean, "false",
     "Whether digits reach the far end only with recv, against the vendor's documentation."},
    {"apps", SettingKind::apps, "[]",
     "App objects whose logins AppLogin.SignChallenge signs. Not the gateway's own: a signature "
     "for it would open our own inbound door too."},
};

constexpr Inbound kInbound{inbound_path, receive};

constexpr const char* kUnseen =
    "RCC has a code for it, but nothing that the PBX says would show whether anything came of it.";
constexpr const char* kPhone = "The device's phone must be of a kind that the PBX can answer for.";
constexpr const char* kPbxApi = "The App object has to grant PbxApi.";

constexpr const char* kSetUp =
    "Not asked for yet: an innovaphone is set up with its own administrator's pages.";

constexpr Capability kCapabilities[] = {
    {Service::make_call, Confirmation::observed,
     "innovaphone's own phones go off-hook by themselves; others ring first."},
    {Service::answer_call, Confirmation::observed, kPhone},
    {Service::clear_connection, Confirmation::observed, ""},
    {Service::clear_call, Confirmation::observed, "Ends the connections of all its extensions."},
    {Service::hold_call, Confirmation::observed, ""},
    {Service::retrieve_call, Confirmation::observed, ""},
    {Service::alternate_call, Confirmation::observed,
     "Holds the active call, and then retrieves the held one."},
    {Service::reconnect_call, Confirmation::observed,
     "Clears the active call, and then retrieves the held one."},
    {Service::consultation_call, Confirmation::observed,
     "Holds the call, and then makes the other one."},
    {Service::transfer_call, Confirmation::observed, ""},
    {Service::single_step_transfer_call, Confirmation::observed,
     "Forwardings of the destination are not obeyed."},
    {Service::deflect_call, Confirmation::observed,
     "Forwardings of the destination are not obeyed."},
    {Service::conference_call, Confirmation::none, kUnseen},
    {Service::directed_pickup_call, Confirmation::observed, ""},
    {Service::park_call, Confirmation::observed,
     "At the device itself if no slot is given, else at a position there (two digits) or at an "
     "object."},
    {Service::generate_digits, Confirmation::acknowledged, ""},
    {Service::start_recording, Confirmation::none, kUnseen},
    {Service::stop_recording, Confirmation::none, kUnseen},
    {Service::associate_data, Confirmation::none,
     "RCC has no data that would come back with a call."},
    {Service::set_do_not_disturb, Confirmation::acknowledged,
     "Sets the presence; whether it refuses calls is for the PBX's configuration to say."},
    {Service::set_forwarding, Confirmation::acknowledged,
     "Immediately, when busy and when not answered; PBXs from 14r1 on."},
    {Service::set_presence, Confirmation::acknowledged, kPbxApi},
    {Service::set_agent_state, Confirmation::none, "RCC has nothing for agents of queues."},
    {Service::signal, Confirmation::none,
     "The PBX would route calls to us as if we were a phone; WebRTC is for its own clients."},
    {Service::search_calls, Confirmation::none,
     "Call records are in the PBX's Reports App, not in these APIs."},
    {Service::get_recording, Confirmation::none,
     "Phones upload recordings to a web server of the customer's; the PBX has none."},
    {Service::sign_challenge, Confirmation::acknowledged,
     "For the App objects in the setting apps."},
    {Service::create_device, Confirmation::none, kSetUp},
    {Service::create_user, Confirmation::none, kSetUp},
    {Service::create_user_token, Confirmation::none, kSetUp},
    {Service::create_agent, Confirmation::none, kSetUp},
    {Service::get_agent_session, Confirmation::none, "An innovaphone has no agents."},
};

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::unique_ptr<pbx::Session> make_session(const Settings& settings, std::uint64_t) {
  Session::Options options;
  options.inbound = settings.text("direction") == "inbound";
  const bool tls = settings.boolean("tls");
  const auto port = settings.integer("port");
  options.where.host = settings.text("host");
  options.where.port = port != 0 ? std::to_string(port) : tls ? "443" : "80";
  options.where.target = settings.text("path");
  options.where.tls = tls;
  options.pbxs = words_of(settings.text("pbxs"));
  options.users_max = static_cast<std::size_t>(settings.integer("users_max"));
  options.peer.login.app_object = settings.text("app_object");
  options.peer.login.password = settings.text("password");
  options.peer.login.limit = settings.duration("login_limit");
  options.peer.groups = settings.boolean("groups");
  options.peer.batch = static_cast<std::size_t>(settings.integer("initialize_batch"));
  options.peer.request_limit = settings.duration("request_limit");
  options.peer.initialize_limit = settings.duration("initialize_limit");
  options.peer.keep_alive = settings.duration("keep_alive");
  options.peer.silence_limit = settings.duration("silence_limit");
  const std::string& directory = settings.text("directory");
  options.directory.table = directory != "rcc";
  options.directory.required = directory == "table_users";
  options.directory.limit = options.peer.request_limit;
  options.directory.most = options.users_max;
  options.commands.call_limit = settings.duration("call_limit");
  options.commands.answer_limit = settings.duration("answer_limit");
  options.commands.action_limit = settings.duration("action_limit");
  options.commands.request_limit = settings.duration("request_limit");
  options.commands.most = static_cast<std::size_t>(settings.integer("commands_max"));
  options.commands.dtmf_reversed = settings.boolean("dtmf_reversed");
  options.gather = settings.duration("gather");
  options.confirm_limit = settings.duration("confirm_limit");
  return std::make_unique<Session>(std::move(options));
}

}  // namespace

Vendor vendor() {
  Vendor it{"innovaphone", "innovaphone", kSettings, kCapabilities, make_session};
  it.inbound = &kInbound;
  it.sign_login = sign_login;
  it.check = check;
  return it;
}

}  // namespace pbx::innovaphone
