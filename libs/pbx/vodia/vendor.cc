#include "pbx/vodia/vendor.h"

#include "pbx/vodia/session.h"

namespace pbx::vodia {
namespace {

using call::Capability;
using call::Confirmation;
using call::Service;

constexpr std::int64_t kSecond = 1'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;

constexpr std::string_view kLogins[] = {"auto", "password", "token"};
constexpr std::string_view kGenerations[] = {"auto", "legacy", "modern"};

constexpr Setting kSettings[] = {
    {"host", SettingKind::text, nullptr,
     "Where the PBX's web server is: the name that its cookie is good for."},
    {"port", SettingKind::integer, "0",
     "Its port; 0 means the usual one: 443 with TLS, 80 without.", 0, 65'535},
    {"tls", SettingKind::boolean, "true",
     "Whether to encrypt. The login sends what is as good as a password: switch it off in a "
     "laboratory only."},
    {"path", SettingKind::text, "/websocket",
     "The path of the WebSocket. Servers of 2016 want / and take no query."},
    {"domain", SettingKind::text, nullptr,
     "The tenant's name, exactly as on the PBX; localhost on a fresh one."},
    {"user", SettingKind::text, nullptr,
     "The extension that watches: one of the gateway's own, without a phone. Not a person's."},
    {"password", SettingKind::secret, "", "Its web password, for login: password."},
    {"admin_user", SettingKind::text, "",
     "A system administrator, for login: token and for commands. Without one, commands to servers "
     "from 69 on can only act for the extension that watches."},
    {"admin_password", SettingKind::secret, "", "The system administrator's password."},
    {"extensions", SettingKind::accounts, "[]",
     "Web passwords of single extensions, for servers that know no third-party login: commands to "
     "servers before 69 are given as the extension that acts. Elsewhere admin_user will do."},
    {"portals_max", SettingKind::integer, "50",
     "How many extensions' connections for commands may be open at once, on servers before 69; for "
     "another one, the one that was not used for longest is closed.",
     1, 10'000},
    {"portal_idle", SettingKind::duration, "5m", "How long such a connection is kept when unused.",
     kSecond, 24 * kHour},
    {.name = "login",
     .kind = SettingKind::choice,
     .fallback = "auto",
     .meaning = "How to log in: password, token (a third-party login by the system administrator), "
                "or auto: token if there is an admin_user.",
     .choices = kLogins},
    {.name = "generation",
     .kind = SettingKind::choice,
     .fallback = "auto",
     .meaning = "Which protocol the server speaks: legacy (before 69), modern, or auto: what its "
                "Server header says.",
     .choices = kGenerations},
    {"confirm_ends", SettingKind::boolean, "true",
     "Whether to ask for the list of calls again before a call that is missing from it is told as "
     "ended."},
    {"confirm_limit", SettingKind::duration, "1s",
     "How long to wait for that list; then the call has ended.", 0, kMinute},
    {"poll", SettingKind::duration, "10s",
     "How often to read the accounts of a server that does not push them, at most; half of it at "
     "least.",
     kSecond, kHour},
    {"session_check", SettingKind::duration, "5m",
     "How often to see whether the login is still good.", 10 * kSecond, 24 * kHour},
    {"login_limit", SettingKind::duration, "10s",
     "How long each HTTP request may take. A token is good for ten seconds.", kSecond / 10,
     5 * kMinute},
    {"snapshot_limit", SettingKind::duration, "10s",
     "How long the lists of accounts and calls may take after the connection is open.",
     kSecond / 10, 5 * kMinute},
    {"call_limit", SettingKind::duration, "30s",
     "How long after a MakeCall its call may take to appear.", kSecond / 10, 5 * kMinute},
    {"answer_limit", SettingKind::duration, "10s",
     "How long after an AnswerCall or a pickup the call may take to be connected.", kSecond / 10,
     5 * kMinute},
    {"action_limit", SettingKind::duration, "5s",
     "How long any other command's effect may take to be seen.", kSecond / 10, 5 * kMinute},
    {"commands_max", SettingKind::integer, "1000",
     "How many commands may be waiting; another one is refused.", 1, 100'000},
    {"signals_max", SettingKind::integer, "200",
     "How many media clients' streams may be open, each with a connection of its own to the PBX; "
     "another one is refused.",
     1, 10'000},
};

constexpr const char* kTwoCommands =
    "Vodia has no message that does both at once; use HoldCall, RetrieveCall or ClearConnection.";
constexpr const char* kRecording =
    "Servers before 69 only: later ones have no documented command, and refuse it as not "
    "supported.";

constexpr const char* kSetUp =
    "Not asked for yet: a Vodia is set up with its own administrator's pages.";

constexpr Capability kCapabilities[] = {
    {Service::make_call, Confirmation::observed,
     "The device's own phone rings first, and the number is dialled when it is answered."},
    {Service::answer_call, Confirmation::observed,
     "The device's phone must be of a kind that the PBX can answer for."},
    {Service::clear_connection, Confirmation::observed, ""},
    {Service::clear_call, Confirmation::observed, "Ends the connections of all its extensions."},
    {Service::hold_call, Confirmation::observed, ""},
    {Service::retrieve_call, Confirmation::observed,
     "Of an internal call, only if the PBX or a HoldCall of ours told who holds."},
    {Service::alternate_call, Confirmation::none, kTwoCommands},
    {Service::reconnect_call, Confirmation::none, kTwoCommands},
    {Service::consultation_call, Confirmation::observed,
     "Holds the call, and then makes the other one."},
    {Service::transfer_call, Confirmation::observed, ""},
    {Service::single_step_transfer_call, Confirmation::observed, ""},
    {Service::deflect_call, Confirmation::observed,
     "A transfer of a call that still rings; not documented for all servers."},
    {Service::conference_call, Confirmation::none,
     "Vodia's protocol has no message for it; conferences made at the phone are seen as events."},
    {Service::directed_pickup_call, Confirmation::observed,
     "The device dials *87 and the number that rings."},
    {Service::park_call, Confirmation::observed,
     "A transfer to a park orbit, whose number has to be given."},
    {Service::generate_digits, Confirmation::none,
     "Vodia has no message for it: the media endpoint must send RFC 4733 events."},
    {Service::start_recording, Confirmation::observed, kRecording},
    {Service::stop_recording, Confirmation::observed, kRecording},
    {Service::associate_data, Confirmation::none,
     "Vodia's protocol has no data that would come back with a call."},
    {Service::set_do_not_disturb, Confirmation::observed, ""},
    {Service::set_forwarding, Confirmation::acknowledged,
     "Immediately, when busy and when not answered; the setting is read back."},
    {Service::set_presence, Confirmation::none,
     "How to set the chat status is not documented; it is seen as an event."},
    {Service::set_agent_state, Confirmation::none,
     "What the queue login takes is not documented; logging on and off is seen as an event."},
    {Service::signal, Confirmation::acknowledged,
     "A stream is a WebRTC phone of its device. Servers from 69 on answer StartCall with a "
     "RemoteOffer of their own, which needs an AnswerOffer; those of 2016 have one call on each "
     "stream. Without an admin_user only the extension that watches can open one."},
    {Service::search_calls, Confirmation::acknowledged,
     "Reading the PBX's records takes an admin_user. A recording is told with the call that has "
     "the "
     "same parties and time: the PBX has no key in common."},
    {Service::get_recording, Confirmation::acknowledged,
     "Takes an admin_user, as SearchCalls does."},
    {Service::sign_challenge, Confirmation::none,
     "Vodia has no login that somebody else could sign."},
    {Service::create_device, Confirmation::none, kSetUp},
    {Service::create_user, Confirmation::none, kSetUp},
    {Service::create_user_token, Confirmation::none, kSetUp},
    {Service::create_agent, Confirmation::none, kSetUp},
    {Service::get_agent_session, Confirmation::none,
     "A Vodia tells of an agent what GetDevice has; causes of a pause it does not know."},
};

std::unique_ptr<pbx::Session> make_session(const Settings& settings, std::uint64_t random) {
  Session::Options options;
  const bool tls = settings.boolean("tls");
  const auto port = settings.integer("port");
  options.where.host = settings.text("host");
  options.where.port = port != 0 ? std::to_string(port) : tls ? "443" : "80";
  options.where.tls = tls;
  options.path = settings.text("path");
  if (!settings.text("admin_user").empty()) {
    options.basic =
        basic_authorization(settings.text("admin_user"), settings.text("admin_password"));
  }
  options.login.domain = settings.text("domain");
  options.login.user = settings.text("user");
  options.login.password = settings.text("password");
  const std::string& method = settings.text("login");
  if (method == "password") {
    options.login.method = Method::password;
  } else if (method == "token") {
    options.login.method = Method::token;
  }
  const std::string& generation = settings.text("generation");
  if (generation == "legacy") {
    options.login.generation = Generation::legacy;
  } else if (generation == "modern") {
    options.login.generation = Generation::modern;
  }
  options.calls.confirm = settings.boolean("confirm_ends");
  options.calls.confirm_limit = settings.duration("confirm_limit");
  options.commands.domain = options.login.domain;
  options.commands.user = options.login.user;
  options.commands.call_limit = settings.duration("call_limit");
  options.commands.answer_limit = settings.duration("answer_limit");
  options.commands.action_limit = settings.duration("action_limit");
  options.commands.most = static_cast<std::size_t>(settings.integer("commands_max"));
  options.login_limit = settings.duration("login_limit");
  options.portals.domain = options.login.domain;
  options.portals.path = options.path;
  options.portals.accounts = settings.accounts("extensions");
  options.portals.login_limit = settings.duration("login_limit");
  options.portals.idle = settings.duration("portal_idle");
  options.portals.most = static_cast<std::size_t>(settings.integer("portals_max"));
  options.phones.domain = options.login.domain;
  options.phones.user = options.login.user;
  options.phones.path = options.path;
  options.phones.login_limit = options.login_limit;
  options.phones.most = static_cast<std::size_t>(settings.integer("signals_max"));
  options.snapshot_limit = settings.duration("snapshot_limit");
  options.poll = settings.duration("poll");
  options.check = settings.duration("session_check");
  options.random = random;
  return std::make_unique<Session>(std::move(options));
}

}  // namespace

Vendor vendor() { return {"vodia", "Vodia", kSettings, kCapabilities, make_session}; }

}  // namespace pbx::vodia
