#include "pbx/innova360/vendor.h"

#include "pbx/innova360/session.h"

namespace pbx::innova360 {
namespace {

using call::Capability;
using call::Confirmation;
using call::Service;

constexpr std::int64_t kSecond = 1'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;

constexpr Setting kSettings[] = {
    {"host", SettingKind::text, "ws.innova360.es", "Where the PBX's WebSocket server is."},
    {"port", SettingKind::integer, "0",
     "Its port; 0 means Innova360's own: 9090 with TLS, 9000 without.", 0, 65'535},
    {"tls", SettingKind::boolean, "true",
     "Whether to encrypt. The login sends passwords in clear text: switch it off in a laboratory "
     "only."},
    {"supervisor_path", SettingKind::text, "/ws", "The path of the connection that sees all."},
    {"agent_path", SettingKind::text, "/agent", "The path of the connections that act."},
    {"user", SettingKind::text, nullptr, "The supervisor's user, as for the web panel."},
    {"password", SettingKind::secret, nullptr, "The supervisor's password."},
    {"agents", SettingKind::accounts, "[]",
     "Logins of single extensions, as set in the web panel. Extensions without one can be seen, "
     "but not act."},
    {"agent_idle", SettingKind::duration, "5m",
     "How long an agent's connection is kept when unused; 0 closes it at once.", 0, 24 * kHour},
    {"agents_max", SettingKind::integer, "200",
     "How many agents' connections may be open at once; for another one, the one that was not used "
     "for longest is closed.",
     1, 10'000},
    {"login_limit", SettingKind::duration, "10s",
     "How long each step of the supervisor's login may take, and the whole of an agent's.",
     kSecond / 10, 5 * kMinute},
    {"snapshot_limit", SettingKind::duration, "10s",
     "How long the list of extensions and calls may take after the login.", kSecond / 10,
     5 * kMinute},
    {"call_limit", SettingKind::duration, "30s",
     "How long after a MakeCall its call may take to appear.", kSecond / 10, 5 * kMinute},
    {"action_limit", SettingKind::duration, "5s",
     "How long any other command's effect may take to be seen.", kSecond / 10, 5 * kMinute},
    {"commands_max", SettingKind::integer, "1000",
     "How many commands may be waiting; another one is refused.", 1, 100'000},
};

constexpr const char* kSeenOnly =
    "Innova360's protocol has no message for it; done at the phone, it is seen as an event.";
constexpr const char* kAbsent = "Innova360's protocol has no message for it.";

constexpr const char* kSetUp = "Innova360 has no documented way to be set up by a program.";

constexpr Capability kCapabilities[] = {
    {Service::make_call, Confirmation::observed,
     "The device's own phone rings first, and the number is dialled when it is answered. Needs the "
     "device's agent credentials. Of data, customfield1 and customfield2 reach the operator's call "
     "log."},
    {Service::answer_call, Confirmation::none,
     "Innova360's protocol has no message to answer a call; answer at the phone."},
    {Service::clear_connection, Confirmation::observed, "Needs the device's agent credentials."},
    {Service::clear_call, Confirmation::observed,
     "Ends the legs of all extensions whose agent credentials are configured; at least one is "
     "needed."},
    {Service::hold_call, Confirmation::none,
     "Innova360's protocol has no message to hold a call; hold from the phone is seen as an "
     "event."},
    {Service::retrieve_call, Confirmation::none,
     "Innova360's protocol has no message to retrieve a call; from the phone it is seen as an "
     "event."},
    {Service::alternate_call, Confirmation::none, kSeenOnly},
    {Service::reconnect_call, Confirmation::none, kSeenOnly},
    {Service::consultation_call, Confirmation::none,
     "Innova360 cannot hold a call by command, so there is no consultation."},
    {Service::transfer_call, Confirmation::none,
     "Innova360's protocol has no attended transfer; use SingleStepTransferCall."},
    {Service::single_step_transfer_call, Confirmation::observed,
     "The call must be answered. Needs the device's agent credentials."},
    {Service::deflect_call, Confirmation::none,
     "Innova360 documents a blind transfer of answered calls only."},
    {Service::conference_call, Confirmation::none, kAbsent},
    {Service::directed_pickup_call, Confirmation::none, kAbsent},
    {Service::park_call, Confirmation::none, kAbsent},
    {Service::generate_digits, Confirmation::none, kAbsent},
    {Service::start_recording, Confirmation::none,
     "Innova360 records as its operator set it up; start and stop are seen as events."},
    {Service::stop_recording, Confirmation::none,
     "Innova360 records as its operator set it up; start and stop are seen as events."},
    {Service::associate_data, Confirmation::none,
     "Data can only be given with MakeCall, and does not come back in events."},
    {Service::set_do_not_disturb, Confirmation::none, kAbsent},
    {Service::set_forwarding, Confirmation::none, kAbsent},
    {Service::set_presence, Confirmation::none, kAbsent},
    {Service::set_agent_state, Confirmation::none, kAbsent},
    {Service::signal, Confirmation::none, "Innova360's protocol carries no media signalling."},
    {Service::search_calls, Confirmation::none, kAbsent},
    {Service::get_recording, Confirmation::none, kAbsent},
    {Service::sign_challenge, Confirmation::none,
     "Innova360 has no login that somebody else could sign."},
    {Service::create_device, Confirmation::none, kSetUp},
    {Service::create_user, Confirmation::none, kSetUp},
    {Service::create_user_token, Confirmation::none, kSetUp},
    {Service::create_agent, Confirmation::none, kSetUp},
    {Service::get_agent_session, Confirmation::none,
     "An Innova360 tells of an agent what GetDevice has, and no causes of a pause."},
};

std::unique_ptr<pbx::Session> make_session(const Settings& settings, std::uint64_t random) {
  Session::Options options;
  const bool tls = settings.boolean("tls");
  const auto port = settings.integer("port");
  options.where.host = settings.text("host");
  options.where.port = port != 0 ? std::to_string(port) : tls ? "9090" : "9000";
  options.where.tls = tls;
  options.where.target = settings.text("supervisor_path");
  options.user = settings.text("user");
  options.password = settings.text("password");
  options.login_limit = settings.duration("login_limit");
  options.snapshot_limit = settings.duration("snapshot_limit");
  options.agents.where = options.where;
  options.agents.where.target = settings.text("agent_path");
  options.agents.accounts = settings.accounts("agents");
  options.agents.idle = settings.duration("agent_idle");
  options.agents.login_limit = options.login_limit;
  options.agents.most = static_cast<std::size_t>(settings.integer("agents_max"));
  options.agents.random = random;
  options.commands.call_limit = settings.duration("call_limit");
  options.commands.action_limit = settings.duration("action_limit");
  options.commands.most = static_cast<std::size_t>(settings.integer("commands_max"));
  return std::make_unique<Session>(std::move(options));
}

}  // namespace

Vendor vendor() { return {"innova360", "Innova360", kSettings, kCapabilities, make_session}; }

}  // namespace pbx::innova360
