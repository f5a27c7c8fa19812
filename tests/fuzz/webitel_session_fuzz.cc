#include <cstdio>
#include <cstdlib>

#include "pbx/webitel/vendor.h"
#include "support/session_script.h"

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kHello =
    R"({"event":"hello","data":{"session":{"user_id":1,"domain_id":1,"domain_name":"acme"}},"seq":0})";

// The first request of each socket is its login, the second its subscription.
constexpr std::string_view kLogin[] = {
    kHello,
    R"({"status":"OK","seq_reply":1})",
    R"({"status":"OK","seq_reply":2,"data":{"items":[]}})",
};

constexpr std::string_view kMessages[] = {
    R"({"event":"call","data":{"call":{"id":"$","event":"ringing","timestamp":"1795250277117","user_id":"$","app_id":"fs","data":{"user_id":10,"direction":"outbound","destination":"$","from":{"type":"user","number":"$"}}}}})",
    R"({"event":"call","data":{"call":{"id":"$","event":"ringing","user_id":"$","app_id":"fs","data":{"direction":"inbound","destination":"$","from":{"number":"$"},"to":{"number":"$"},"parent_id":"$"}}}})",
    R"({"event":"call","data":{"call":{"id":"$","event":"ringing","user_id":"$","data":{"direction":"outbound","originate":true,"destination":"$","queue":{"queue_id":"$"}}}}})",
    R"({"event":"call","data":{"call":{"id":"$","event":"progress","user_id":"$"}}})",
    R"({"event":"call","data":{"call":{"id":"$","event":"active","user_id":"$"}}})",
    R"({"event":"call","data":{"call":{"id":"$","event":"bridge","user_id":"$","data":{"bridged_id":"$","to":{"number":"$"}}}}})",
    R"({"event":"call","data":{"call":{"id":"$","event":"hold","user_id":"$"}}})",
    R"({"event":"call","data":{"call":{"id":"$","event":"hangup","user_id":"$","data":{"cause":"$","sip":486}}}})",
    R"({"event":"call","data":{"call":{"id":"$","event":"hangup","user_id":"$","data":{"cause":"ATTENDED_TRANSFER","transfer_from":"$"}}}})",
    R"({"event":"call","data":{"call":{"id":"$","event":"hangup","user_id":"$","data":{"cause":"ATTENDED_TRANSFER","transfer_to":"$"}}}})",
    R"({"event":"user_state","data":{"state":{"id":"$","status":"sip,dnd"}},"seq":9})",
    R"({"event":"agent_status","data":{"agent_id":5,"user_id":"$","status":"$"}})",
    R"({"event":"channel","data":{"channel":"call","status":"$"},"user_id":10})",
    R"({"event":"error","data":{"error":{"code":401,"id":"$"}}})",
    R"({"status":"OK","seq_reply":$,"data":{"items":[{"id":"$","state":"$","direction":"outbound","destination":"$"}]}})",
    R"({"status":"FAIL","seq_reply":$,"error":{"id":"$","code":404}})",
    R"({"status":"OK","seq_reply":$})",
};

constexpr std::string_view kTokens[] = {"A"sv,         "B"sv,        "C"sv,
                                        "D"sv,         "A/to"sv,     "B/from"sv,
                                        "10"sv,        "11"sv,       "12"sv,
                                        "2010"sv,      "2011"sv,     "2012"sv,
                                        "+34911"sv,    ""sv,         "3"sv,
                                        "4"sv,         "5"sv,        "online"sv,
                                        "pause"sv,     "waiting"sv,  "hold"sv,
                                        "ringing"sv,   "bridge"sv,   "hangup"sv,
                                        "offline"sv,   "bridged"sv,  "BLIND_TRANSFER"sv,
                                        "NO_ANSWER"sv, "USER_BUSY"sv};

pbx::HttpReply http(const pbx::SendHttp& request) {
  const std::string& target = request.where.target;
  pbx::HttpReply reply{200, {}, "{}"};
  if (target.find("/call_center/users") != std::string::npos) {
    reply.body =
        R"({"items":[{"id":"1","name":"g"},{"id":"10","name":"a","extension":"2010","presence":{"status":"{sip}"}},{"id":"11","extension":"2011"},{"id":"12","extension":"2012"}]})";
  } else if (target.find("/call_center/agents") != std::string::npos) {
    reply.body = R"({"items":[{"id":"5","user":{"id":"10"},"status":"online"}]})";
  } else if (target.find("/calls/active") != std::string::npos) {
    // Not the same each time: what is there, changes.
    reply.body =
        request.id % 3 == 0
            ? R"({"items":[{"id":"A","user":{"id":"10"},"direction":"outbound","state":"bridge","destination":"2011","bridged_id":"B"},{"id":"B","user":{"id":"11"},"direction":"inbound","parent_id":"A","state":"hold","bridged_id":"A"}]})"
        : request.id % 3 == 1
            ? R"({"items":[{"id":"A","user":{"id":"10"},"direction":"outbound","state":"bridge","destination":"2011","bridged_id":"D"},{"id":"D","user":{"id":"12"},"direction":"inbound","parent_id":"C","state":"bridge","bridged_id":"A"},{"id":"T","direction":"inbound","state":"active","from":{"number":"+34911"}}]})"
            : R"({"items":[]})";
  } else if (target.find("/tokens") != std::string::npos) {
    reply.body = request.method == "POST" ? R"({"id":"9","token":"abc"})"
                                          : R"({"items":[{"id":"8","usage":"pbx-gateway"}]})";
  }
  return reply;
}

pbx::Settings settings() {
  using std::chrono::milliseconds;
  pbx::Settings settings;
  settings.set("host", std::string("pbx.test"));
  settings.set("port", std::int64_t{0});
  settings.set("tls", true);
  settings.set("ws_path", std::string("/ws/websocket"));
  settings.set("api_path", std::string("/api"));
  settings.set("token", std::string("s3cret"));
  settings.set("domain", std::string());
  settings.set("user_sockets", std::string("minted"));
  settings.set("user_tokens", std::map<std::string, std::string>{{"2010", "t0ken"}});
  settings.set("user_sockets_max", std::int64_t{2});
  settings.set("snapshot_interval", milliseconds(2'000));
  settings.set("people_interval", milliseconds(5'000));
  settings.set("resubscribe_interval", milliseconds(60'000));
  settings.set("login_limit", milliseconds(10'000));
  settings.set("snapshot_limit", milliseconds(30'000));
  settings.set("call_limit", milliseconds(90'000));
  settings.set("action_limit", milliseconds(5'000));
  settings.set("commands_max", std::int64_t{8});
  return settings;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const pbx::Settings kSettings = settings();
  support::SessionScript script(pbx::webitel::vendor(), kSettings,
                                {kMessages, kTokens, kLogin, http});
  const std::string broken = script.play({data, size});
  if (!broken.empty()) {
    std::fprintf(stderr, "%s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
