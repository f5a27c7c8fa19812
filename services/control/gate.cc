#include "control/gate.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <grpc/grpc_security_constants.h>

#include "control/answer.h"
#include "control/audit.h"
#include "control/command_gateway.h"
#include "control/services.h"
#include "net/certificate.h"
#include "pbxgw/options/v1/options.pb.h"
#include "pbxgw/v1/events_service.pb.h"
#include "telemetry/log.h"
#include "wire/names.h"

namespace control {

using base::Errc;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rights::Group;
using rights::Means;

namespace {

constexpr telemetry::log::Logger kLog("gate");
constexpr std::string_view kNamePrefix = "tenants/";
constexpr std::string_view kEveryTenant = "tenants/-";
constexpr std::string_view kScheme = "bearer ";

// ---- What RPCs need ----

std::optional<Group> group_of(const google::protobuf::MethodDescriptor& method) {
  namespace options = pbxgw::options::v1;
  switch (method.options().GetExtension(options::required_group)) {
    case options::GROUP_OBSERVE: return Group::observe;
    case options::GROUP_CONTROL: return Group::control;
    case options::GROUP_PROVISION: return Group::provision;
    case options::GROUP_ADMIN: return Group::admin;
    default: return std::nullopt;
  }
}

using Rules = std::unordered_map<const Descriptor*, Rule>;

Rules all_rules() {
  Rules rules;
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (const char* name : kServices) {
    const auto* service = pool->FindServiceByName(name);
    if (!service) throw std::logic_error(std::string(name) + " is no service");
    for (int i = 0; i < service->method_count(); ++i) {
      const auto& method = *service->method(i);
      const auto group = group_of(method);
      Rule rule{service->full_name() + '/' + method.name(), group.value_or(Group::admin)};
      if (!group) throw std::logic_error(rule.rpc + " has no required_group");
      if (!rules.emplace(method.input_type(), rule).second) {
        throw std::logic_error(rule.rpc + " shares its request with another RPC");
      }
    }
  }
  return rules;
}

// ---- What requests name ----

void take_name(const std::string& text, Named& named) {
  if (!text.starts_with(kNamePrefix)) return;
  if (text == kEveryTenant) {
    named.every = true;
    return;
  }
  // What a handler would not take for a name is not taken for one here; it will say so.
  auto tenant =
      wire::parse_tenant(std::string_view(text).substr(0, text.find('/', kNamePrefix.size())));
  if (!tenant || tenant->empty()) return;
  auto& known = named.tenants;
  if (std::find(known.begin(), known.end(), *tenant) == known.end()) {
    known.push_back(std::move(*tenant));
  }
}

void take_names(const Message& message, Named& named) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  std::string scratch;
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->type() == FieldDescriptor::TYPE_STRING) {
        take_name(field->is_repeated()
                      ? reflection.GetRepeatedStringReference(message, field, i, &scratch)
                      : reflection.GetStringReference(message, field, &scratch),
                  named);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        take_names(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                        : reflection.GetMessage(message, field),
                   named);
      }
    }
  }
}

// ---- Who calls ----

void take_bearer(const grpc::CallbackServerContext& context, Shown& shown) {
  const auto& metadata = context.client_metadata();
  const auto [first, last] = metadata.equal_range("authorization");
  if (first == last) return;
  if (std::next(first) != last) {
    shown.mistake = "The metadata has authorization more than once.";
    return;
  }
  const std::string_view value(first->second.data(), first->second.size());
  const bool is_bearer =
      value.size() > kScheme.size() &&
      std::equal(kScheme.begin(), kScheme.end(), value.begin(), [](char expected, char found) {
        return expected == (found >= 'A' && found <= 'Z' ? found - 'A' + 'a' : found);
      });
  if (!is_bearer) {
    shown.mistake = "The metadata's authorization is not of the form: Bearer <token>.";
    return;
  }
  shown.credentials.bearer = value.substr(kScheme.size());
}

// What credentials look like that nobody is known by.
Means means_of(const Shown& shown) {
  const std::string& bearer = shown.credentials.bearer;
  if (!bearer.empty()) {
    return std::count(bearer.begin(), bearer.end(), '.') == 2 ? Means::jwt : Means::token;
  }
  if (!shown.mistake.empty()) return Means::token;
  return shown.credentials.certificate_names.empty() ? Means::none : Means::certificate;
}

using Identified = boost::system::result<rights::Identity, google::rpc::Status>;

Identified identify(const rights::Policy& policy, const Shown& shown,
                    std::chrono::system_clock::time_point now) {
  if (!shown.mistake.empty() && !policy.is_open()) {
    return refuse(Errc::credentials_invalid, shown.mistake);
  }
  auto identity = policy.identify(shown.credentials, now);
  if (!identity) return refuse(identity.error().why, identity.error().detail);
  return std::move(*identity);
}

std::optional<google::rpc::Status> missing(const rights::Principal& principal, Group group,
                                           const Named& named) {
  for (const base::TenantId& tenant : named.tenants) {
    if (!principal.may(tenant, group)) return lacks(principal.name(), group, tenant);
  }
  if (!principal.may_anywhere(group)) return lacks(principal.name(), group);
  return std::nullopt;
}

// Why a stream that was let in by `right` may not go on as somebody whom the policy knows as
// `now`.
std::optional<google::rpc::Status> lost(const Admitted& right, const rights::Principal& now) {
  const rights::Principal& before = *right.identity.principal;
  if (now.name() != before.name()) {
    return refuse(Errc::credentials_invalid, "They are no longer those of " + before.name() + '.',
                  {{"principal", before.name()}});
  }
  if (auto status = missing(now, right.group, Named{right.tenants})) return status;
  if (right.of_all && !now.covers(before, right.group)) {
    const std::string group(rights::name_of(right.group));
    return refuse(Errc::access_denied,
                  now.name() + " has lost the group " + group + " for some tenants.",
                  {{"principal", now.name()}, {"group", group}, {"tenant", "tenants/-"}});
  }
  return std::nullopt;
}

Gate::Verdict judge(const rights::Policy& policy, const Shown& shown, const Message& request,
                    Gate::Clock::time_point now) {
  const Rule* rule = rule_of(*request.GetDescriptor());
  Named named = named_in(request);
  Refused refused;
  refused.group = rule ? rule->group : Group::admin;
  refused.rpc = rule ? rule->rpc : request.GetTypeName();
  refused.identity.means = means_of(shown);
  refused.tenants = named.tenants;
  auto identity = identify(policy, shown, now);
  if (!identity) {
    refused.status = identity.error();
    return refused;
  }
  refused.identity = *identity;
  if (!rule) {
    kLog.error("an RPC without a rule", {{"request", request.GetTypeName()}});
    refused.status = lacks(identity->principal->name(), refused.group);
    return refused;
  }
  if (auto why = missing(*identity->principal, rule->group, named)) {
    refused.status = std::move(*why);
    return refused;
  }
  const bool of_all = named.every || named.tenants.empty();
  return std::make_shared<const Admitted>(
      Admitted{std::move(*identity), rule->group, std::move(named.tenants), rule->rpc, of_all});
}

void count(const Metrics& metrics, const google::rpc::Status& status,
           const rights::Identity& identity) {
  metrics.refusals.at({reason_of(status), rights::name_of(identity.means)}).add();
}

google::rpc::Status over() {
  return refuse(Errc::credentials_expired,
                "They expired while the stream was open: open it again with newer ones.");
}

}  // namespace

const Rule* rule_of(const Descriptor& request) {
  static const Rules rules = all_rules();
  const auto found = rules.find(&request);
  return found == rules.end() ? nullptr : &found->second;
}

Named named_in(const Message& message) {
  Named named;
  take_names(message, named);
  return named;
}

Shown shown_by(const grpc::CallbackServerContext& context) {
  Shown shown;
  take_bearer(context, shown);
  const auto peer = context.auth_context();
  if (!peer || !peer->IsPeerAuthenticated()) return shown;
  constexpr std::pair<const char*, const char*> kKinds[] = {{GRPC_PEER_URI_PROPERTY_NAME, "uri:"},
                                                            {GRPC_PEER_DNS_PROPERTY_NAME, "dns:"},
                                                            {GRPC_X509_CN_PROPERTY_NAME, "cn:"}};
  auto& names = shown.credentials.certificate_names;
  for (const auto& [property, prefix] : kKinds) {
    for (const grpc::string_ref& name : peer->FindPropertyValues(property)) {
      names.push_back(prefix + std::string(name.data(), name.size()));
    }
  }
  if (names.empty() || !shown.credentials.bearer.empty()) return shown;  // it does not count
  for (const grpc::string_ref& pem : peer->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME)) {
    const auto facts = net::read_certificate({pem.data(), pem.size()});
    if (facts) shown.credentials.certificate_expires = facts->expires;
  }
  return shown;
}

Gate::Gate(std::shared_ptr<const rights::Policy> policy, const Metrics& metrics)
    : metrics_(metrics), policy_(std::move(policy)) {
  rule_of(*pbxgw::v1::WatchRequest::descriptor());  // a mistake in the protos ends the start
}

Gate::Verdict Gate::admit(const Shown& shown, const Message& request, Clock::time_point now) const {
  auto verdict = judge(*policy(), shown, request, now);
  if (!verdict) count(metrics_, verdict.error().status, verdict.error().identity);
  return verdict;
}

bool Gate::is_costly(const Shown& shown, Clock::time_point now) const {
  return policy()->is_costly(shown.credentials, now);
}

std::shared_ptr<const rights::Policy> Gate::policy() const {
  const std::lock_guard lock(mutex_);
  return policy_;
}

// ---- Streams ----

std::optional<google::rpc::Status> Gate::hold(std::shared_ptr<Pending> stream, Shown shown,
                                              Right right, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  // Since it was admitted, the policy may be another.
  auto identity = identify(*policy_, shown, now);
  if (!identity) return identity.error();
  if (auto why = lost(*right, *identity->principal)) return why;
  held_[std::move(stream)] = {std::make_shared<const Shown>(std::move(shown)), std::move(right),
                              std::move(*identity)};
  return std::nullopt;
}

std::optional<google::rpc::Status> Gate::heed(const std::shared_ptr<Pending>& stream,
                                              const Message& said) {
  Named named = named_in(said);
  if (named.tenants.empty()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(stream);
  if (found == held_.end() || found->second.over) return over();
  Held& held = found->second;
  const Admitted& before = *held.right;
  if (auto why = missing(*held.now.principal, before.group, named)) {
    count(metrics_, *why, held.now);
    if (before.tenants.empty()) {
      held.refused = Refused{*why, held.now, before.group, std::move(named.tenants), before.rpc};
    }
    return why;
  }
  auto right = std::make_shared<Admitted>(before);
  if (before.tenants.empty()) right->of_all = false;
  for (base::TenantId& tenant : named.tenants) {
    auto& known = right->tenants;
    if (std::find(known.begin(), known.end(), tenant) == known.end()) {
      known.push_back(std::move(tenant));
    }
  }
  held.right = std::move(right);
  return std::nullopt;
}

Gate::Released Gate::release(const std::shared_ptr<Pending>& stream) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(stream);
  if (found == held_.end()) return {};
  Released released{std::move(found->second.right), std::move(found->second.refused)};
  held_.erase(found);
  return released;
}

void Gate::replace(std::shared_ptr<const rights::Policy> policy, Clock::time_point now) {
  // Who they are by that policy. To find out may cost a signature for each, for which nobody else
  // has to wait; those that come from now on are judged by it already.
  std::map<std::shared_ptr<Pending>, std::shared_ptr<const Shown>> streams;
  {
    const std::lock_guard lock(mutex_);
    policy_ = policy;
    for (const auto& [stream, held] : held_) streams.emplace(stream, held.shown);
  }
  std::map<std::shared_ptr<Pending>, Identified> identities;
  for (const auto& [stream, shown] : streams) {
    identities.emplace(stream, identify(*policy, *shown, now));
  }
  end_those([&](Streams::value_type& each) -> std::optional<google::rpc::Status> {
    auto& [stream, held] = each;
    const auto found = identities.find(stream);
    if (found == identities.end()) return std::nullopt;
    const Identified& identity = found->second;
    if (!identity) return identity.error();
    if (auto why = lost(*held.right, *identity->principal)) return why;
    held.now = *identity;
    return std::nullopt;
  });
}

void Gate::tick(Clock::time_point now) {
  end_those([&](const Streams::value_type& each) -> std::optional<google::rpc::Status> {
    const Held& held = each.second;
    if (!held.now.expires || now < *held.now.expires) return std::nullopt;
    return over();
  });
}

void Gate::end_those(const Judge& judge) {
  std::vector<std::pair<std::shared_ptr<Pending>, google::rpc::Status>> ends;
  {
    const std::lock_guard lock(mutex_);
    for (auto& each : held_) {
      auto& [stream, held] = each;
      if (held.over) continue;
      const auto why = judge(each);
      if (!why) continue;
      held.over = true;
      metrics_.streams_revoked.at({reason_of(*why)}).add();
      kLog.info("a stream's right has ended",
                {{"principal", held.right->identity.principal->name()},
                 {"subject", printable(held.right->identity.subject)},
                 {"rpc", held.right->rpc},
                 {"reason", reason_of(*why)}});
      ends.emplace_back(stream, *why);
    }
  }
  // Not under the lock: who is ended may be released at once.
  for (const auto& [stream, why] : ends) stream->abandon(why);
}

}  // namespace control
