#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "pbx/innovaphone/vendor.h"
#include "support/session_script.h"

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kUsers[] = {
    R"({"mt":"UserInfo","api":"RCC","guid":"1","cn":"Ann","h323":"ann","e164":"201","regs":[{"hw":"a"}]})",
    R"({"mt":"UserInfo","api":"RCC","guid":"2","cn":"Bob","h323":"bob","e164":"202","pbx":"one","regs":[{"hw":"a"}]})",
    R"({"mt":"UserInfo","api":"RCC","guid":"3","cn":"Cid","h323":"cid","e164":"203","pbx":"two"})",
    R"({"mt":"InitializeResult","api":"RCC","src":"i"})",
    R"({"mt":"UserInitializeResult","api":"RCC","src":"u/1","user":1})",
    R"({"mt":"UserInitializeResult","api":"RCC","src":"u/2","user":2})",
    R"({"mt":"UserInitializeResult","api":"RCC","src":"u/3","user":3})",
};
constexpr auto kDialled = [] {
  std::array<std::string_view, 2 + std::size(kUsers)> all{
      R"({"mt":"AppChallengeResult","challenge":"0123456789abcdef"})",
      R"({"mt":"AppLoginResult","ok":true})"};
  std::copy(std::begin(kUsers), std::end(kUsers), all.begin() + 2);
  return all;
}();
constexpr auto kDialling = [] {
  std::array<std::string_view, 1 + std::size(kUsers)> all{
      R"({"mt":"PbxInfo","pbx":"one","apis":["RCC","PbxApi","PbxTableUsers"]})"};
  std::copy(std::begin(kUsers), std::end(kUsers), all.begin() + 1);
  return all;
}();

// Parts in calls of any shape, and everything else that may come.
constexpr std::string_view kMessages[] = {
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"conf":"$","state":$,"peer":{"e164":"$"},"msg":"update"})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"conf":"$","state":1,"peer":{"e164":"$"},"msg":"x-setup"})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"conf":"$","state":132,"peer":{"e164":"$"},"msg":"x-alert"})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"conf":"$","state":133,"peer":{"h323":"$"},"msg":"x-conn"})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"conf":"$","state":5,"peer":{"e164":"$"},"msg":"r-ct","no":[{"type":"ct","e164":"$"}]})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"conf":"$","state":133,"peer":{"e164":"$"},"msg":"r-ct","no":[{"type":"ct","e164":"$"}]})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"conf":"$","state":132,"peer":{"e164":"$"},"no":[{"type":"leg2","e164":"$"}]})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"conf":"$","state":133,"peer":{"e164":"$"},"no":[{"type":"picking"}]})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"conf":"$","state":389,"msg":"update"})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"conf":"$","state":6,"msg":"r-disc","info":[{"type":"cause","vali":$}]})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"state":134,"msg":"r-rel","no":[{"type":"parked-to"}]})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"state":$,"msg":"del","del":true})",
    R"({"mt":"CallInfo","api":"RCC","user":$,"call":$,"state":5,"msg":"del","del":true,"no":[{"type":"xfer"}]})",
    R"({"mt":"CallInfo","api":"RCC","src":"u/$","user":$,"call":$,"state":$})",
    R"({"mt":"UserInfo","api":"RCC","guid":"$","cn":"$","e164":"$","h323":"$","update":"x","channel":$,"alert":$})",
    R"({"mt":"UserInfo","api":"RCC","guid":"$","cn":"$","pbx":"$"})",
    R"({"mt":"UserInfo","api":"RCC","guid":"$","update":"del"})",
    R"({"mt":"InitializeResult","api":"RCC","src":"i"})",
    R"({"mt":"UserInitializeResult","api":"RCC","src":"u/$","user":$})",
    R"({"mt":"UserCallResult","api":"RCC","src":"c$","call":$})",
    R"({"mt":"UserPickupResult","api":"RCC","src":"c$","call":$})",
    R"({"mt":"UserClearResult","api":"RCC","src":"c$","error":"$"})",
    R"({"mt":"SetPresenceResult","api":"PbxApi","src":"c$"})",
    R"({"mt":"ReplicateStartResult","api":"PbxTableUsers","src":"dir"})",
    R"({"mt":"ReplicateNextResult","api":"PbxTableUsers","src":"dir","columns":{"guid":"$","h323":"$","cn":"$","e164":"$","cds":[{"type":"cfu","e164":"$"}]}})",
    R"({"mt":"ReplicateDel","api":"PbxTableUsers","src":"dir","columns":{"guid":"$"}})",
    R"({"mt":"PresenceUpdate","api":"PbxApi","src":"pre:$","presence":[{"contact":"tel:","activity":"$"}]})",
    R"({"mt":"PbxInfo","pbx":"$","apis":["RCC"]})",
    R"({"mt":"AppInfo","app":"$"})",
    R"({"mt":"KeepAlive"})",
};

constexpr std::string_view kTokens[] = {"1"sv,   "2"sv,   "3"sv,    "1"sv,    "2"sv,   "3"sv,
                                        "201"sv, "202"sv, "203"sv,  "0600"sv, "A"sv,   "B"sv,
                                        "C"sv,   ""sv,    "ann"sv,  "5"sv,    "132"sv, "133"sv,
                                        "8"sv,   "136"sv, "1028"sv, "17"sv,   "two"sv};

const pbx::Arrival kArrivals[] = {
    {"one", "gateway", R"({"mt":"AppLoginResult","ok":true})"},
    {"two", "gateway", R"({"mt":"AppLoginResult","ok":true})"},
    {"one", "another", ""},
};

pbx::Settings settings(const char* direction) {
  using std::chrono::milliseconds;
  pbx::Settings settings;
  for (const auto& [name, text] : std::map<const char*, const char*>{{"direction", direction},
                                                                     {"app_object", "gateway"},
                                                                     {"password", "s3cret"},
                                                                     {"host", "pbx.test"},
                                                                     {"path", "/"},
                                                                     {"url_path", ""},
                                                                     {"url_app", "inbound"},
                                                                     {"domain", ""},
                                                                     {"pbxs", ""},
                                                                     {"directory", "auto"}}) {
    settings.set(name, std::string(text));
  }
  for (const auto& [name, number] : std::map<const char*, std::int64_t>{
           {"port", 0}, {"users_max", 8}, {"initialize_batch", 2}, {"commands_max", 8}}) {
    settings.set(name, number);
  }
  for (const auto& [name, number] :
       std::map<const char*, std::int64_t>{{"gather", 5'000},
                                           {"keep_alive", 30'000},
                                           {"silence_limit", 90'000},
                                           {"login_limit", 10'000},
                                           {"request_limit", 10'000},
                                           {"initialize_limit", 60'000},
                                           {"confirm_limit", 5'000},
                                           {"call_limit", 30'000},
                                           {"answer_limit", 10'000},
                                           {"action_limit", 5'000}}) {
    settings.set(name, milliseconds(number));
  }
  for (const char* name : {"tls", "groups", "dtmf_reversed"}) settings.set(name, false);
  settings.set("apps", std::map<std::string, pbx::App>{});
  return settings;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const pbx::Settings kOut = settings("outbound"), kIn = settings("inbound");
  const bool inbound = size > 0 && data[size - 1] % 2 == 0;
  support::SessionWords words{kMessages, kTokens, kDialled};
  if (inbound) {
    words.login = kDialling;
    words.arrivals = kArrivals;
  }
  support::SessionScript script(pbx::innovaphone::vendor(), inbound ? kIn : kOut, words);
  const std::string broken = script.play({data, size});
  if (!broken.empty()) {
    std::fprintf(stderr, "%s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
