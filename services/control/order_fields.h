#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "pbxgw/provisioning/v1/requests.pb.h"
#include "wire/names.h"
#include "wire/status.h"

namespace control {

// Checks the fields of one request of Provisioning: nothing a caller can get wrong reaches a
// connector. Keeps the first failure. A password is never part of it.
class OrderFields {
 public:
  // A kind's names, and how to say that one is of another form.
  struct Form {
    base::Result<wire::ResourceName> (*parse)(std::string_view name);
    const char* form;
  };
  static constexpr Form kPhone{&wire::parse_phone, wire::kPhoneForm};
  static constexpr Form kUser{&wire::parse_user, wire::kUserForm};
  static constexpr Form kUserToken{&wire::parse_user_token, wire::kUserTokenForm};
  static constexpr Form kAgent{&wire::parse_agent, wire::kAgentForm};

  // The one that tells which tenant is meant, first of all: tenants/{tenant}, but not tenants/-; or
  // a name of the kind.
  void tenant(std::string_view name);
  void resource(std::string_view field, std::string_view name, const Form& form);

  void device(bool present, const pbxgw::provisioning::v1::Device& device);
  void user(bool present, const pbxgw::provisioning::v1::User& user);
  void user_token(bool present, const pbxgw::provisioning::v1::UserToken& token);
  void agent(bool present, const pbxgw::provisioning::v1::Agent& agent);
  void text(std::string_view text);
  void page_size(int size);

  const std::optional<wire::Failure>& failure() const { return failure_; }
  void fail(std::optional<wire::Failure> failure);
  const base::TenantId& tenant() const { return tenant_; }

 private:
  void check(std::string_view field, std::string_view text, std::size_t max, bool required,
             std::string_view what);
  void password(std::string_view field, std::string_view password);
  void count(std::string_view field, int count);
  template <class References>
  void references(std::string_view field, const References& references);

  base::TenantId tenant_;
  std::optional<wire::Failure> failure_;
};

}  // namespace control
