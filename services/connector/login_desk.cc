#include "connector/login_desk.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "connector/command_inbox.h"
#include "pbx/app_login.h"
#include "telemetry/log.h"
#include "wire/text.h"

namespace connector {

using base::Errc;
using call::Service;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::SignRequest;
using TimePoint = LoginDesk::TimePoint;
using namespace std::chrono_literals;

namespace {

constexpr auto kLog = telemetry::log::Logger("logins");
constexpr auto kMinute = 1min;
// Who is over a limit may go on asking: a few lines tell it.
constexpr unsigned kRefusalsMax = 5;
constexpr auto kRefusalsInterval = 10s;

const call::Capability* row_of(std::span<const call::Capability> capabilities) {
  const auto row = std::find_if(capabilities.begin(), capabilities.end(), [](const auto& it) {
    return it.service == Service::sign_challenge;
  });
  return row == capabilities.end() ? nullptr : &*row;
}

wire::Failure failure_of(const base::Error& why, const std::string& detail) {
  wire::Failure failure{why, detail, "", {}};
  // An adapter begins the detail of a bad argument with the field's name.
  const auto colon = detail.find(':');
  if (why == Errc::invalid_argument && colon != std::string::npos) {
    failure.field = detail.substr(0, colon);
  }
  return failure;
}

wire::Failure limited(const std::string& whose, unsigned per_minute) {
  return {Errc::too_many_requests,
          "too many logins " + whose + ": more than " + std::to_string(per_minute) + " in a minute",
          "",
          {}};
}

// Protobuf refuses any other text, and one that was made right would be another than was signed.
bool is_utf8(const pbx::SignedLogin& login) {
  for (const std::string* text : {&login.app, &login.domain, &login.sip, &login.guid, &login.dn,
                                  &login.challenge, &login.digest, &login.json}) {
    if (!wire::is_utf8(*text)) return false;
  }
  return !login.info || wire::is_utf8(*login.info);
}

OwnerReply reply_with(const pbx::SignedLogin& login) {
  OwnerReply reply;
  auto& out = *reply.mutable_sign_result();
  out.set_app(login.app);
  out.set_domain(login.domain);
  out.set_sip(login.sip);
  out.set_guid(login.guid);
  out.set_dn(login.dn);
  if (login.info) out.set_info(*login.info);
  out.set_challenge(login.challenge);
  out.set_digest(login.digest);
  out.set_json(login.json);
  return reply;
}

}  // namespace

Allowance::Allowance(unsigned per_minute) : step_(std::chrono::nanoseconds(kMinute) / per_minute) {}

bool Allowance::has(const std::string& key, TimePoint now) const {
  const auto found = whole_at_.find(key);
  return found == whole_at_.end() || found->second + step_ <= now + kMinute;
}

void Allowance::take(const std::string& key, TimePoint now) {
  if (now >= tidy_at_) {
    std::erase_if(whole_at_, [&](const auto& it) { return it.second <= now; });
    tidy_at_ = now + kMinute;
  }
  TimePoint& whole_at = whole_at_[key];
  whole_at = std::max(whole_at, now) + step_;
}

struct LoginDesk::Verdict {
  std::variant<pbx::SignedLogin, wire::Failure> what;
  bool limited = false;
};

LoginDesk::LoginDesk(Owner owner, Limits limits, const Metrics& metrics)
    : owner_(std::move(owner)),
      limits_(limits),
      metrics_(metrics),
      tenant_(limits.of_tenant),
      callers_(limits.of_caller),
      users_(limits.of_user),
      refusals_(kRefusalsMax, kRefusalsInterval) {}

OwnerReply LoginDesk::take(const SignRequest& request, TimePoint now) {
  const auto begun = std::chrono::steady_clock::now();
  const Verdict verdict = judge(request, now);
  const auto* failure = std::get_if<wire::Failure>(&verdict.what);
  OwnerReply reply =
      failure ? reply_of(*failure) : reply_with(std::get<pbx::SignedLogin>(verdict.what));

  const char* rpc = name_of(Service::sign_challenge);
  const char* outcome = failure ? base::name_of(failure->why) : "signed";
  metrics_.commands.at({rpc, code_of(reply)}).add();
  metrics_.command_seconds.at({rpc}).observe(std::chrono::steady_clock::now() - begun);
  metrics_.logins.at({outcome}).add();
  std::uint64_t suppressed = 0;
  if (verdict.limited) {
    const auto passed = refusals_.pass("", now);
    if (!passed) return reply;
    suppressed = *passed;
  }
  kLog.info("login", {{"tenant", owner_.tenant},
                      {"app", failure ? request.app() : reply.sign_result().app()},
                      {"user", request.user()},
                      {"caller", request.caller()},
                      {"outcome", outcome},
                      {"suppressed", suppressed}});
  return reply;
}

LoginDesk::Verdict LoginDesk::judge(const SignRequest& request, TimePoint now) {
  if (auto failure = owner_.obstacle()) return {std::move(*failure)};
  const auto* row = row_of(owner_.vendor->capabilities);
  if (!row || row->confirmation == call::Confirmation::none || !owner_.vendor->sign_login) {
    const std::string note = row ? row->note : "";
    return {wire::Failure{Errc::feature_not_supported,
                          std::string(name_of(Service::sign_challenge)) + ": " + note,
                          "",
                          {}}};
  }
  if (auto failure = over_limit(request, now)) return {std::move(*failure), true};

  std::string why;
  auto login = owner_.vendor->sign_login(owner_.settings(),
                                         {request.app(), request.challenge(), request.user()}, why);
  if (!login) return {failure_of(login.error(), why)};
  if (!is_utf8(*login)) {
    return {wire::Failure{Errc::internal, "the application's settings are not UTF-8", "", {}}};
  }
  forget(now);
  if (!used_.insert(request.challenge()).second) {
    return {wire::Failure{
        Errc::challenge_used,
        "this challenge was signed before: the browser has to connect to the PBX anew",
        "",
        {}}};
  }
  forgotten_.emplace_back(now + limits_.memory, request.challenge());
  return {std::move(*login)};
}

// Whoever is over one limit uses nothing up of the others.
std::optional<wire::Failure> LoginDesk::over_limit(const SignRequest& request, TimePoint now) {
  const std::string& user = request.user();
  if (!user.empty() && !users_.has(user, now)) return limited("of this user", limits_.of_user);
  if (!callers_.has(request.caller(), now)) {
    return limited("from this address", limits_.of_caller);
  }
  if (!tenant_.has({}, now)) return limited("of this tenant", limits_.of_tenant);
  if (!user.empty()) users_.take(user, now);
  callers_.take(request.caller(), now);
  tenant_.take({}, now);
  return std::nullopt;
}

void LoginDesk::forget(TimePoint now) {
  while (!forgotten_.empty() && forgotten_.front().first <= now) {
    used_.erase(forgotten_.front().second);
    forgotten_.pop_front();
  }
}

LoginDesk::Limits login_limits(const Config& config) {
  LoginDesk::Limits limits;
  limits.of_tenant = config.logins_per_tenant;
  limits.of_caller = config.logins_per_caller;
  limits.of_user = config.logins_per_user;
  return limits;
}

}  // namespace connector
