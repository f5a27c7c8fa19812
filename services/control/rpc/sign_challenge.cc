#include "control/fields.h"
#include "control/rpc/handlers.h"
#include "wire/names.h"

namespace control::rpc {

using base::Errc;
using pbxgw::v1::SignChallengeRequest;
using pbxgw::v1::SignChallengeResponse;

namespace {

constexpr std::size_t kNameMax = 64;  // of applications and users
constexpr std::size_t kChallengeMax = 64;

// What is wrong with the fields that stand for themselves. What else may not be in a challenge only
// the PBX's adapter knows.
std::optional<wire::Failure> mistake_in(const SignChallengeRequest& request) {
  const auto tenant = wire::parse_tenant(request.tenant());
  if (!tenant || tenant->empty()) {
    return not_of_form("tenant", request.tenant(), "tenants/{tenant}");
  }
  if (auto wrong = check_text("app", request.app(), kNameMax, false,
                              "the name of an application, at most 64 characters")) {
    return wrong;
  }
  if (auto wrong = check_text("challenge", request.challenge(), kChallengeMax, true,
                              "what the PBX said to the browser, at most 64 characters")) {
    return wrong;
  }
  return check_text("user", request.user(), kNameMax, false,
                    "a user's login name at the PBX, at most 64 characters");
}

}  // namespace

Answering<SignChallengeResponse> sign_challenge(Core& core, SignChallengeRequest request,
                                                Caller caller) {
  if (const auto failure = mistake_in(request)) co_return wire::to_status(*failure);
  const base::TenantId tenant = *wire::parse_tenant(request.tenant());

  pbxgw::v1::OwnerRequest question;
  question.set_tenant(request.tenant());
  question.set_traceparent(std::move(caller.traceparent));
  auto& sign = *question.mutable_sign();
  sign.set_app(request.app());
  sign.set_challenge(request.challenge());
  sign.set_user(request.user());
  sign.set_caller(std::move(caller.address));
  auto asking = core.gateway.ask(caller.right, tenant, std::move(question), caller.deadline);
  auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  if (!answer->has_sign_result()) {
    co_return refuse(Errc::internal, "The connector answered another question.");
  }
  auto& login = *answer->mutable_sign_result();
  SignChallengeResponse response;
  response.set_app(std::move(*login.mutable_app()));
  response.set_domain(std::move(*login.mutable_domain()));
  response.set_sip(std::move(*login.mutable_sip()));
  response.set_guid(std::move(*login.mutable_guid()));
  response.set_dn(std::move(*login.mutable_dn()));
  if (login.has_info()) response.set_info(std::move(*login.mutable_info()));
  response.set_challenge(std::move(*login.mutable_challenge()));
  response.set_digest(std::move(*login.mutable_digest()));
  response.set_login_json(std::move(*login.mutable_json()));
  co_return response;
}

}  // namespace control::rpc
