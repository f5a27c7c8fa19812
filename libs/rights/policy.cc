#include "rights/policy.h"

#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "rights/encoding.h"
#include "rights/jwt.h"
#include "rights/rules.h"
#include "rights/verified_tokens.h"

namespace rights {

using base::Errc;

namespace {

// No token that makes sense is longer, and each byte of it costs us before we know its bearer.
constexpr std::size_t kBearerMax = 8'192;
constexpr std::string_view kAnybody = "*";
constexpr std::size_t kVerifiedMax = 4'096;  // JWTs that are remembered: a megabyte or two

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

  Outcome by_jwt(std::string_view bearer, std::chrono::system_clock::time_point now) const {
    auto claims = verified_claims(bearer, rules, now);
    if (!claims) return claims.error();
    for (const auto& name : {claims->subject, std::string(kAnybody)}) {
      const auto subject = subjects.find(Subject{claims->issuer->name, name});
      if (subject == subjects.end()) continue;
      return Identity{subject->second, Means::jwt, claims->expires, std::move(claims->subject)};
    }
    return invalid("the token is right, but the policy does not know its subject (sub)");
  }

  Outcome by_certificate(const Credentials& shown,
                         std::chrono::system_clock::time_point now) const {
    Identity found{nullptr, Means::certificate, shown.certificate_expires};
    for (const auto& name : shown.certificate_names) {
      const auto known = certificates.find(certificate_name(name));
      if (known == certificates.end() || known->second == found.principal) continue;
      if (found.principal) return invalid("the certificate has the names of two principals");
      found.principal = known->second;
      found.subject = known->first;
    }
    if (!found.principal) return invalid("the policy knows none of the certificate's names");
    // It was good when the connection was made.
    if (found.expires && now >= *found.expires) {
      return Refusal{Errc::credentials_expired,
                     "the certificate has expired: connect anew, with a newer one"};
    }
    return found;
  }
};

Policy::Policy() : verified_(std::make_unique<VerifiedTokens>(kVerifiedMax)) {}
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
  const std::string& bearer = credentials.bearer;
  if (bearer.size() > kBearerMax) {
    return invalid("the token is longer than " + std::to_string(kBearerMax) + " bytes");
  }
  if (!bearer.empty()) {
    const std::string hash = sha256_hex(bearer);
    const auto known = index_->tokens.find(hash);
    if (known != index_->tokens.end()) return Identity{known->second, Means::token, std::nullopt};
    if (!is_jwt(bearer)) return invalid("the token is none that the policy knows, and no JWT");
    if (auto verified = verified_->find(hash, now)) return std::move(*verified);
    auto identity = index_->by_jwt(bearer, now);
    if (identity) verified_->add(hash, *identity);
    return identity;
  }
  if (!credentials.certificate_names.empty()) return index_->by_certificate(credentials, now);
  return Refusal{Errc::unauthenticated,
                 "no credentials; expected \"authorization: Bearer\" and a token, or a client "
                 "certificate"};
}

bool Policy::is_costly(const Credentials& credentials,
                       std::chrono::system_clock::time_point now) const {
  const std::string& bearer = credentials.bearer;
  if (anyone_ || bearer.size() > kBearerMax || !is_jwt(bearer)) return false;
  const std::string hash = sha256_hex(bearer);
  return !index_->tokens.contains(hash) && !verified_->find(hash, now);
}

}  // namespace rights
