#include <cstdio>
#include <cstdlib>

#include "pbx/vodia/vendor.h"
#include "support/session_script.h"

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kAccounts =
    R"([{"name":"500"},{"name":"501","registered":true},{"name":"502","dnd":"true"},{"name":"503"}])";

constexpr std::string_view kLogin[] = {
    R"({"action":"domain-state","accounts":[{"account":"501","type":"extensions"},{"account":"502","type":"extensions"},{"account":"600","type":"acds"},{"account":"800","type":"orbits"}],"calls":[]})",
    R"({"action":"call-state","calls":[]})",
};

// Lists of one to three calls of any shape, and everything else that may come.
constexpr std::string_view kMessages[] = {
    R"({"action":"call-state","calls":[]})",
    R"({"action":"call-state","calls":[{"id":"$","from":"$","to":"$","state":"alerting","extension":["$","*$"]}]})",
    R"({"action":"call-state","calls":[{"id":"$","from":"$","to":"$","state":"connected","extension":["$","$"],"connect":"1"}]})",
    R"({"action":"call-state","calls":[{"id":"$","from":"$","to":"$","state":"$","extension":["$","$"],"start":"1"},{"id":"$","from":"$","to":"$","state":"$","extension":["$"],"start":"2"}]})",
    R"({"action":"call-state","calls":[{"id":"$","from":"$","to":"$","state":"$","extension":["$"]},{"id":"$","from":"$","to":"$","state":"$","rec":"$","extension":["$","$","$"]},{"id":"$","from":"$","to":"$","state":"$"}]})",
    R"({"action":"call-state","calls":{"id":"$","from":"$","to":"$","callstate":"$","connect":"$"}})",
    R"({"action":"domain-state","accounts":[{"account":"$","type":"extensions"},{"account":"$","type":"acds"}],"calls":[{"id":"$","from":"$","to":"$","state":"$","extension":["$","$"]}]})",
    R"({"action":"domain-state","accounts":[{"account":"501"},{"account":"502"}]})",
    R"({"action":"user-state","account":"$","type":"extensions","dnd":"$","code":"$"})",
    R"({"action":"blf","account":"$","state":"$"})",
    R"({"action":"rec-start","callid":"$"})",
    R"({"action":"rec-stop","id":"$"})",
    R"({"action":"user-change"})",
    R"({"bye":"true","callid":"$"})",
};

// To phones.
constexpr std::string_view kPhoneMessages[] = {
    R"({"action":"sip-register","expires":"$"})",
    R"({"sdp":"v=0","code":183,"callid":"$","cseq":1,"to-user":"$"})",
    R"({"sdp":"v=0 $","code":180,"callid":"$","cseq":"2"})",
    R"({"sdp":{"type":"offer","sdp":"v=0"},"code":200,"callid":"$"})",
    R"({"sdp":"v=0","code":486,"callid":"$","reason":"$"})",
    R"({"invitesdp":"v=0","callid":"$","cseq":1,"from":"$","to":"$"})",
    R"({"invitesdp":"","callid":"$"})",
    R"({"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","callid":"$"})",
    R"({"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","callid":"$","adr":[["$",9],["192.0.2.2","$"]]})",
    R"({"candidate":null})",
    R"({"bye":"true","callid":"$","cseq":3})",
    R"({"bye":"true","callid":"$","code":415})",
    R"({"cancel":"true","callid":"$"})",
    R"({"action":"sip-busy","callid":"$","code":"$"})",
    R"({"action":"ringing","callid":"$"})",
    R"({"action":"callerid","callid":"$","name":"$","number":"$"})",
    R"({"action":"rec-start","id":"$"})",
    R"({"action":"call-state","calls":[{"id":"$","from":"$","to":"$","state":"$"},{"id":"$","from":"$","to":"$","state":"connected"}]})",
};
constexpr std::string_view kDevices[] = {"500", "501", "502", "999"};

constexpr std::string_view kTokens[] = {
    "500"sv,      "501"sv,     "502"sv,    "503"sv,   "600"sv,       "800"sv,    "501"sv,
    "502"sv,      "a@pbx"sv,   "b@pbx"sv,  ""sv,      "true"sv,      "+34911"sv, "connected"sv,
    "alerting"sv, "holding"sv, "onhold"sv, "ended"sv, "a@pbx/501"sv, "adhoc"sv};

pbx::HttpReply http(const pbx::SendHttp& request) {
  pbx::HttpReply reply{200, {}, "true"};
  const std::string& target = request.where.target;
  if (target == "/rest/system/session") {
    reply.headers = {{"server", "PBX/70.1"}, {"set-cookie", "session=abc"}};
    if (request.method == "GET") reply.body = R"({"type":"user","cuser":"500"})";
    if (request.body.find("3rd") != std::string::npos) reply.body = R"("abcdefghij0123456789")";
  } else if (target.find("/accounts") != std::string::npos) {
    reply.body = kAccounts;
  } else if (target.find("/user_settings/") != std::string::npos) {
    reply.body = R"({"cfa":"501","cfb":"","cfn":""})";
  }
  return reply;
}

pbx::Settings settings(const char* generation) {
  using std::chrono::milliseconds;
  pbx::Settings settings;
  settings.set("host", std::string("pbx.test"));
  settings.set("port", std::int64_t{0});
  settings.set("tls", true);
  settings.set("path", std::string("/websocket"));
  settings.set("domain", std::string("t.example"));
  settings.set("user", std::string("500"));
  settings.set("password", std::string("s3cret"));
  settings.set("admin_user", std::string("admin"));
  settings.set("admin_password", std::string("r00t"));
  settings.set("login", std::string("auto"));
  settings.set("generation", std::string(generation));
  settings.set("confirm_ends", true);
  settings.set("confirm_limit", milliseconds(1'000));
  settings.set("poll", milliseconds(10'000));
  settings.set("session_check", milliseconds(60'000));
  settings.set("login_limit", milliseconds(10'000));
  settings.set("snapshot_limit", milliseconds(10'000));
  settings.set("call_limit", milliseconds(30'000));
  settings.set("answer_limit", milliseconds(10'000));
  settings.set("action_limit", milliseconds(5'000));
  settings.set("commands_max", std::int64_t{8});
  settings.set("signals_max", std::int64_t{4});
  settings.set("extensions", std::map<std::string, pbx::Account>{{"501", {"501", "w0rd", false}}});
  settings.set("portals_max", std::int64_t{2});
  settings.set("portal_idle", milliseconds(60'000));
  return settings;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const pbx::Settings kModern = settings("modern"), kLegacy = settings("legacy");
  const bool legacy = size > 0 && data[size - 1] % 2 == 0;
  support::SessionScript script(pbx::vodia::vendor(), legacy ? kLegacy : kModern,
                                {kMessages, kTokens, kLogin, http, kDevices, kPhoneMessages});
  const std::string broken = script.play({data, size});
  if (!broken.empty()) {
    std::fprintf(stderr, "%s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
