#include "rights/policy.h"

#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "rights/encoding.h"
#include "rights/jwt.h"
#include "rights/rules.h"

namespace rights {

using base::Errc;

namespace {

// No token that makes sense is longer, and each byte of it costs us before we know its bearer.
constexpr std::size_t kBearerMax = 8'192;
constexpr std::string_view kAnybody = "*";

using PrincipalPointer = std::shared_ptr<const Principal>;

Refusal invalid(std::string detail) { return {Errc::credentials_invalid, std::move(detail)}; }

PrincipalPointer anyone() {
  return std::make_shared<const Principal>("anyone",
                                           std::vector<Principal::Grant>{{{}, Groups().set()}});
}

}  // namespace

// The rules, and what finds a principal in them.
struct Policy::Index {
  Rules rules;
  // By hashes, of which a caller does not choose a single digit: how long a search takes tells him
  // how much his hash has in common with another, which says nothing about the other's token.
  std::unordered_map<std::string, PrincipalPointer> tokens;
  std::unordered_map<std::string, PrincipalPointer> certificates;
  std::map<Subject, PrincipalPointer> subjects;

  explicit Index(Rules read) : rules(std::move(read)) {
    for (const Member& member : rules.members) {
      for (const auto& hash : member.token_hashes) tokens.emplace(hash, member.principal);
      for (const auto& name : member.certificates) certificates.emplace(name, member.principal);
      for (const auto& subject : member.subjects) subjects.emplace(subject, member.principal);
    }
  }

  using Outcome = boost::system::result<Identity, Refusal>;

  Outcome by_bearer(std::string_view bearer, std::chrono::system_clock::time_point now) const {
    if (bearer.size() > kBearerMax) {
      return invalid("the token is longer than " + std::to_string(kBearerMax) + " bytes");
    }
    const auto known = tokens.find(sha256_hex(bearer));
    if (known != tokens.end()) return Identity{known->second, Means::token, std::nullopt};
    if (!is_jwt(bearer)) return invalid("the token is none that the policy knows, and no JWT");

    auto claims = verified_claims(bearer, rules, now);
    if (!claims) return claims.error();
    for (const auto& name : {claims->subject, std::string(kAnybody)}) {
      const auto subject = subjects.find(Subject{claims->issuer->name, name});
      if (subject == subjects.end()) continue;
      return Identity{subject->second, Means::jwt, claims->expires};
    }
    return invalid("the token is right, but the policy does not know its subject (sub)");
  }

  Outcome by_certificate(const std::vector<std::string>& names) const {
    PrincipalPointer found;
    for (const auto& name : names) {
      const auto known = certificates.find(certificate_name(name));
      if (known == certificates.end() || known->second == found) continue;
      if (found) return invalid("the certificate has the names of two principals");
      found = known->second;
    }
    if (!found) return invalid("the policy knows none of the certificate's names");
    return Identity{std::move(found), Means::certificate, std::nullopt};
  }
};

Policy::Policy() = default;
Policy::~Policy() = default;

std::shared_ptr<const Policy> Policy::load(const std::filesystem::path& file,
                                           std::vector<config::Problem>& problems,
                                           std::vector<std::filesystem::path>* files) {
  std::shared_ptr<Policy> policy(new Policy);
  auto rules = read_rules(file, policy->files_, problems);
  if (files) *files = policy->files_;
  if (!problems.empty()) return nullptr;
  policy->index_ = std::make_unique<const Index>(std::move(rules));
  return policy;
}

std::shared_ptr<const Policy> Policy::open() {
  std::shared_ptr<Policy> policy(new Policy);
  policy->index_ = std::make_unique<const Index>(Rules{});
  policy->anyone_ = anyone();
  return policy;
}

const Rules& Policy::rules() const { return index_->rules; }

boost::system::result<Identity, Refusal> Policy::identify(
    const Credentials& credentials, std::chrono::system_clock::time_point now) const {
  if (anyone_) return Identity{anyone_, Means::none, std::nullopt};
  if (!credentials.bearer.empty()) return index_->by_bearer(credentials.bearer, now);
  if (!credentials.certificate_names.empty()) {
    return index_->by_certificate(credentials.certificate_names);
  }
  return Refusal{Errc::unauthenticated,
                 "no credentials; expected \"authorization: Bearer\" and a token, or a client "
                 "certificate"};
}

}  // namespace rights
