#include "pbx/innovaphone/vendor.h"

#include "pbx/innovaphone/check.h"
#include "pbx/innovaphone/reception.h"
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

}  // namespace
}  // namespace pbx::innovaphone
