#include <cstdio>
#include <cstdlib>

#include "pbx/innova360/vendor.h"
#include "support/session_script.h"

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kLogin[] = {
    R"({"type":"welcome","auth":"required"})",
    R"({"type":"auth-resp","auth":"ok"})",
    R"({"type":"init","data":{"201":{"Status":"0"},"202":{"Status":"0"},"203":{"Status":"0"}}})",
};

constexpr std::string_view kMessages[] = {
    R"({"type":"update","action":"new-call","extension":"$","callid":"$","direction":"out","phonea":"$","phoneb":"$"})",
    R"({"type":"update","action":"new-call","extension":"$","callid":"$","direction":"in","phonea":"$","phoneb":"$"})",
    R"({"type":"update","action":"new-call","extension":"$","callid":"$","direction":"$","phonea":"$","phoneb":"$","dida":"$","didb":"$"})",
    R"({"type":"update","action":"call-state","extension":"$","callid":"$","state":"$"})",
    R"({"type":"update","action":"call-state","extension":"$","callid":"$","state":"5"})",
    R"({"type":"update","action":"call-state","extension":"$","callid":"$","state":"6"})",
    R"({"type":"update","action":"call-state","extension":"$","callid":"$","state":"4"})",
    R"({"type":"update","action":"hangup","extension":"$","callid":"$","cause":"$"})",
    R"({"type":"update","action":"start-moh","extension":"$","callid":"$"})",
    R"({"type":"update","action":"stop-moh","extension":"$","callid":"$"})",
    R"({"type":"update","action":"start-record","extension":"$","callid":"$"})",
    R"({"type":"update","action":"end-record","extension":"$","callid":"$"})",
    R"({"type":"update","action":"extension-status","extension":"$","status":"$"})",
    R"({"type":"init","data":{"$":{"Status":"$","Calls":{"$":{"CallDirection":"out","PhoneA":"$","PhoneB":"$","Status":"$","Bridge":"$","Hold":"$"}}},"$":{"Status":"$","Calls":[{"CallID":"$","CallDirection":"in","PhoneA":"$","PhoneB":"$","Status":"$","Bridge":"$"}]}}})",
    R"({"type":"auth-resp","auth":"ok","extension":"$"})",
    R"({"type":"auth-resp","auth":"forbidden"})",
    R"({"type":"error","message":"$"})",
};

constexpr std::string_view kTokens[] = {"201"sv, "202"sv, "203"sv, "1"sv, "2"sv,    "3"sv,
                                        "4"sv,   "5"sv,   "6"sv,   "7"sv, "16"sv,   "17"sv,
                                        "19"sv,  "26"sv,  "600"sv, ""sv,  "true"sv, "201/1"sv};

pbx::Settings settings() {
  using std::chrono::milliseconds;
  pbx::Settings settings;
  settings.set("host", std::string("pbx.test"));
  settings.set("port", std::int64_t{0});
  settings.set("tls", true);
  settings.set("supervisor_path", std::string("/ws"));
  settings.set("agent_path", std::string("/agent"));
  settings.set("user", std::string("boss"));
  settings.set("password", std::string("s3cret"));
  settings.set("agents", std::map<std::string, pbx::Account>{{"201", {"u", "p", true}},
                                                             {"202", {"u", "p", false}},
                                                             {"203", {"u", "p", false}}});
  settings.set("agent_idle", milliseconds(20'000));
  settings.set("agents_max", std::int64_t{2});
  settings.set("login_limit", milliseconds(10'000));
  settings.set("snapshot_limit", milliseconds(10'000));
  settings.set("call_limit", milliseconds(30'000));
  settings.set("action_limit", milliseconds(5'000));
  settings.set("commands_max", std::int64_t{8});
  return settings;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const pbx::Settings kSettings = settings();
  support::SessionScript script(pbx::innova360::vendor(), kSettings, {kMessages, kTokens, kLogin});
  const std::string broken = script.play({data, size});
  if (!broken.empty()) {
    std::fprintf(stderr, "%s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
