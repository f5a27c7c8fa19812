#include "pbx/webitel/vendor.h"

#include "pbx/webitel/capabilities.h"
#include "pbx/webitel/session.h"

namespace pbx::webitel {
namespace {

constexpr std::int64_t kSecond = 1'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;

constexpr std::string_view kWhose[] = {"none", "listed", "minted"};

constexpr Setting kSettings[] = {
    {"host", SettingKind::text, nullptr, "Where the PBX is."},
    {"port", SettingKind::integer, "0",
     "Its port; 0 means the usual one: 443 with TLS, 80 without.", 0, 65'535},
    {"tls", SettingKind::boolean, "true",
     "Whether to encrypt. The token is sent, and is as good as a password: switch it off in a "
     "laboratory only."},
    {"ws_path", SettingKind::text, "/ws/websocket",
     "The path of the WebSocket. A server without the vendor's web server before it has "
     "/websocket."},
    {"api_path", SettingKind::text, "/api", "The path that the REST interface is below."},
    {"token", SettingKind::secret, nullptr,
     "The service user's access token. README.md of the vendor says which permissions he needs."},
    {"domain", SettingKind::text, "",
     "The domain that the token has to be of, by its name or number; empty: whichever it is of."},
    {.name = "user_sockets",
     .kind = SettingKind::choice,
     .fallback = "none",
     .meaning = "Whose calls are told at once, and in full detail, by sockets of their own: none, "
                "listed (those in user_tokens), or minted: every user's who has an extension, with "
                "tokens that the gateway makes, and deletes when it logs in the next time. The "
                "others are watched by lists (snapshot_interval).",
     .choices = kWhose},
    {"user_tokens", SettingKind::tokens, "[]",
     "Access tokens of single users, by their extensions."},
    {"user_sockets_max", SettingKind::integer, "200",
     "How many users' sockets may be open; the users beyond are watched by lists.", 1, 10'000},
    {"snapshot_interval", SettingKind::duration, "2s",
     "How often to read the tenant's calls, at most; three quarters of it at least.", kSecond / 4,
     kMinute},
    {"people_interval", SettingKind::duration, "5s",
     "How often to read the tenant's users and agents, at most; three quarters of it at least.",
     kSecond / 4, kHour},
    {"resubscribe_interval", SettingKind::duration, "60s",
     "How often each socket's subscriptions are renewed: the PBX may lose them without a word.",
     kSecond, kHour},
    {"login_limit", SettingKind::duration, "10s",
     "How long each step of a login, each HTTP request, and the reply to a ping may take.",
     kSecond / 10, 5 * kMinute},
    {"snapshot_limit", SettingKind::duration, "30s",
     "How long the lists of users, agents and calls may take after the login.", kSecond / 10,
     5 * kMinute},
    {"call_limit", SettingKind::duration, "90s",
     "How long after a MakeCall the device's own phone may take to be picked up.", kSecond / 10,
     5 * kMinute},
    {"action_limit", SettingKind::duration, "5s",
     "How long any other command's effect may take to be seen.", kSecond / 10, 5 * kMinute},
    {"commands_max", SettingKind::integer, "1000",
     "How many commands may be waiting; another one is refused.", 1, 100'000},
};

// Without slashes at its end.
std::string path_of(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  if (!path.empty() && !path.starts_with('/')) path.insert(0, 1, '/');
  return path;
}

std::unique_ptr<pbx::Session> make_session(const Settings& settings, std::uint64_t random) {
  Session::Options options;
  const bool tls = settings.boolean("tls");
  const auto port = settings.integer("port");
  options.where.host = settings.text("host");
  options.where.port = port != 0 ? std::to_string(port) : tls ? "443" : "80";
  options.where.tls = tls;
  options.ws_path = path_of(settings.text("ws_path")) + "?application_name=pbx-gateway&ver=1";
  if (options.ws_path.starts_with('?')) options.ws_path.insert(0, 1, '/');
  options.api_path = path_of(settings.text("api_path"));
  options.token = settings.text("token");
  options.domain = settings.text("domain");
  const std::string& whose = settings.text("user_sockets");
  options.users.whose = whose == "minted"   ? UserSockets::Whose::everybody
                        : whose == "listed" ? UserSockets::Whose::listed
                                            : UserSockets::Whose::nobody;
  options.users.tokens = settings.tokens("user_tokens");
  options.users.most = static_cast<std::size_t>(settings.integer("user_sockets_max"));
  options.commands.call_limit = settings.duration("call_limit");
  options.commands.action_limit = settings.duration("action_limit");
  options.commands.most = static_cast<std::size_t>(settings.integer("commands_max"));
  options.login_limit = settings.duration("login_limit");
  options.snapshot_limit = settings.duration("snapshot_limit");
  options.snapshot_interval = settings.duration("snapshot_interval");
  options.people_interval = settings.duration("people_interval");
  options.resubscribe = settings.duration("resubscribe_interval");
  options.random = random;
  return std::make_unique<Session>(std::move(options));
}

std::vector<Mistake> check(const Settings& settings) {
  const bool has_tokens = !settings.tokens("user_tokens").empty();
  const std::string& whose = settings.text("user_sockets");
  if (whose == "listed" && !has_tokens) {
    return {{"user_tokens", "missing; expected at least one, because user_sockets is listed"}};
  }
  if (whose == "none" && has_tokens) {
    return {{"user_sockets",
             "found \"none\"; expected listed or minted, because there are user_tokens"}};
  }
  return {};
}

}  // namespace

Vendor vendor() {
  Vendor it{"webitel", "Webitel", kSettings, capabilities(), make_session};
  it.check = check;
  return it;
}

}  // namespace pbx::webitel
