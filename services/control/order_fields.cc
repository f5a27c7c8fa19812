#include "control/order_fields.h"

#include <utility>

#include "control/fields.h"

namespace control {
namespace {

namespace v1 = pbxgw::provisioning::v1;

constexpr char kEveryTenant[] = "tenants/-";
constexpr std::size_t kNameMax = 128;  // characters, as are the others
constexpr std::size_t kAccountMax = 64;
constexpr std::size_t kLoginMax = 128;
constexpr std::size_t kPasswordMax = 256;
constexpr std::size_t kMailMax = 254;
constexpr std::size_t kIdMax = 64;
constexpr std::size_t kPurposeMax = 256;
constexpr std::size_t kTextMax = 128;
constexpr int kDevicesMax = 16;
constexpr int kReferencesMax = 32;
constexpr int kAtATimeMax = 100;

std::string element(std::string_view field, int at, std::string_view of) {
  return std::string(field) + '[' + std::to_string(at) + "]." + std::string(of);
}

wire::Failure too_many(std::string_view field, int max) {
  return wrong(field, "has too many entries: expected at most " + std::to_string(max));
}

}  // namespace

void OrderFields::tenant(std::string_view name) {
  auto parsed = wire::parse_tenant(name);
  if (!parsed || parsed->empty() || name == kEveryTenant) {
    return fail(not_of_form("parent", name, "tenants/{tenant}, for one tenant"));
  }
  tenant_ = std::move(*parsed);
}

void OrderFields::resource(std::string_view field, std::string_view name, const Form& form) {
  auto parsed = form.parse(name);
  const bool of_token = form.parse == kUserToken.parse;
  if (!parsed || parsed->tenant.empty() || parsed->id.empty() ||
      (of_token && parsed->user.empty())) {
    return fail(not_of_form(field, name, form.form));
  }
  if (tenant_.empty()) {
    tenant_ = std::move(parsed->tenant);
  } else if (tenant_ != parsed->tenant) {
    fail(wrong(field, "is of another tenant: expected one of " + wire::tenant_name(tenant_), name));
  }
}

void OrderFields::device(bool present, const v1::Device& device) {
  if (!present) return fail(wrong("device", "is missing: say what it is to be"));
  check("device.display_name", device.display_name(), kNameMax, true, "a name, for people");
  check("device.account", device.account(), kAccountMax, true, "what the phone registers as");
  password("device.password", device.password());
  if (!device.user().empty()) resource("device.user", device.user(), kUser);
}

void OrderFields::user(bool present, const v1::User& user) {
  if (!present) return fail(wrong("user", "is missing: say who it is to be"));
  check("user.display_name", user.display_name(), kNameMax, true, "a name, for people");
  check("user.login", user.login(), kLoginMax, true, "his login name");
  password("user.password", user.password());
  check("user.e_mail", user.e_mail(), kMailMax, false, "an e-mail address, or nothing");
  const auto at = user.e_mail().find('@');
  if (!user.e_mail().empty() &&
      (at == std::string::npos || at == 0 || at + 1 == user.e_mail().size())) {
    fail(wrong("user.e_mail", "is no e-mail address", user.e_mail()));
  }
  check("user.extension", user.extension(), kDestinationMax, false, "a device's id, or nothing");
  if (user.devices_size() > kDevicesMax) fail(too_many("user.devices", kDevicesMax));
  for (int i = 0; i < user.devices_size() && !failure_; ++i) {
    resource(element("user.devices", i, "device"), user.devices(i).device(), kPhone);
  }
  references("user.roles", user.roles());
  references("user.licences", user.licences());
}

void OrderFields::user_token(bool present, const v1::UserToken& token) {
  if (!present) return fail(wrong("user_token", "is missing: say what it is for"));
  check("user_token.purpose", token.purpose(), kPurposeMax, true, "what it is for, for people");
}

void OrderFields::agent(bool present, const v1::Agent& agent) {
  if (!present) return fail(wrong("agent", "is missing: say whose it is to be"));
  resource("agent.user", agent.user(), kUser);
  if (agent.has_team()) check("agent.team.id", agent.team().id(), kIdMax, true, "a team's id");
  count("agent.max_chats", agent.max_chats());
  count("agent.max_tasks", agent.max_tasks());
  count("agent.max_calls", agent.max_calls());
}

void OrderFields::text(std::string_view text) {
  check("text", text, kTextMax, false, "what to look for, or nothing");
}

void OrderFields::page_size(int size) {
  if (!page_size_of(size)) {
    fail(wrong("page_size", "is negative: expected 0 to 1000", std::to_string(size)));
  }
}

void OrderFields::fail(std::optional<wire::Failure> failure) {
  if (!failure_) failure_ = std::move(failure);
}

void OrderFields::check(std::string_view field, std::string_view text, std::size_t max,
                        bool required, std::string_view what) {
  fail(check_text(field, text, max, required, what));
}

// As check(), without the value in what is said.
void OrderFields::password(std::string_view field, std::string_view password) {
  const auto failure = check_text(field, password, kPasswordMax, false, "");
  if (!failure) return;
  fail(wrong(field, "is longer than " + std::to_string(kPasswordMax) +
                        " characters, or has a control character"));
}

void OrderFields::count(std::string_view field, int count) {
  if (count < 0 || count > kAtATimeMax) {
    fail(wrong(field, "is out of range: expected 0 to " + std::to_string(kAtATimeMax),
               std::to_string(count)));
  }
}

template <class References>
void OrderFields::references(std::string_view field, const References& references) {
  if (references.size() > kReferencesMax) return fail(too_many(field, kReferencesMax));
  for (int i = 0; i < references.size() && !failure_; ++i) {
    check(element(field, i, "id"), references[i].id(), kIdMax, true, "an id of the PBX's");
  }
}

}  // namespace control
