#include "rights/jwt.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/timestamp.h"
#include "rights/encoding.h"
#include "rights/json.h"

namespace rights {
namespace {

using base::Errc;
using boost::json::object;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr std::size_t kHeaderMax = 2'048;  // characters
constexpr std::size_t kSubjectMax = 256;
// How many keys are tried for a token that does not say which: each costs us what a signature does.
constexpr std::size_t kTriesMax = 8;
constexpr std::size_t kAudiencesMax = 64;
// Beyond this (in the year 2255) a clock of nanoseconds overflows.
constexpr double kTimeMax = 9e9;

Refusal invalid(std::string detail) { return {Errc::credentials_invalid, std::move(detail)}; }

// A JWS taken apart. The views are into the token.
struct Parts {
  std::string_view header, payload, signed_text;
  std::string_view signature;
};

std::optional<Parts> parts_of(std::string_view token) {
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  const Parts parts{token.substr(0, first), token.substr(first + 1, last - first - 1),
                    token.substr(0, last), token.substr(last + 1)};
  if (parts.payload.find('.') != std::string_view::npos) return std::nullopt;
  return parts;
}

std::optional<object> object_in(std::string_view part) {
  const auto text = from_base64url(part);
  if (!text) return std::nullopt;
  return object_from(*text);
}

struct Header {
  Algorithm algorithm{};
  std::optional<std::string> key_id;
};

bool is_type_of_ours(std::string_view type) {
  std::string folded(type);
  for (char& c : folded) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::string_view rest = folded;
  if (rest.starts_with("application/")) rest.remove_prefix(12);
  return rest == "jwt" || rest == "at+jwt";
}

boost::system::result<Header, Refusal> header_from(std::string_view part) {
  if (part.size() > kHeaderMax) return invalid("the token's header is too long");
  const auto in = object_in(part);
  if (!in) return invalid("the token's header is not JSON in base64url");
  if (has(*in, "crit")) return invalid("the token's header demands (crit) what we do not know");
  if (has(*in, "typ")) {
    const auto* type = text_in(*in, "typ");
    if (!type || !is_type_of_ours({type->data(), type->size()})) {
      return invalid("the token is of another type (typ) than JWT or at+jwt");
    }
  }
  Header header;
  const auto* name = text_in(*in, "alg");
  const auto algorithm =
      name ? algorithm_from({name->data(), name->size()}) : std::optional<Algorithm>();
  if (!algorithm) {
    return invalid("the token's algorithm (alg) is none of RS256, ES256 and EdDSA");
  }
  header.algorithm = *algorithm;
  if (has(*in, "kid")) {
    const auto* id = text_in(*in, "kid");
    if (!id) return invalid("the token's key (kid) is no text");
    header.key_id.emplace(id->data(), id->size());
  }
  return header;
}

// Nothing wrong, or what.
std::optional<Refusal> check_signature(const Parts& parts, const Header& header,
                                       const Issuer& issuer) {
  if (!issuer.algorithms.test(static_cast<std::size_t>(header.algorithm))) {
    return invalid("the token's algorithm (alg) is none that we take of its issuer");
  }
  std::vector<const SignatureKey*> candidates;
  for (const Jwk& it : issuer.keys) {
    if (it.key.algorithm() != header.algorithm) continue;
    if (!header.key_id || it.id == header.key_id) candidates.push_back(&it.key);
  }
  if (candidates.empty()) {
    return invalid(header.key_id ? "the token's key (kid) is none of its issuer's for its algorithm"
                                 : "the token's issuer has no key for the token's algorithm");
  }
  if (candidates.size() > kTriesMax) {
    return invalid("the token does not say its key (kid), and its issuer has too many");
  }
  const auto signature = from_base64url(parts.signature);
  if (!signature) return invalid("the token's signature is not in base64url");
  const bool right = std::any_of(
      candidates.begin(), candidates.end(),
      [&](const SignatureKey* key) { return key->verifies(parts.signed_text, *signature); });
  if (!right) return invalid("the token's signature is wrong");
  return std::nullopt;
}

// A NumericDate, in parts of a second if need be. Nothing if there is none, or nonsense.
std::optional<system_clock::time_point> time_in(const object& claims, std::string_view name) {
  const auto* value = claims.if_contains({name.data(), name.size()});
  if (!value || !value->is_number()) return std::nullopt;
  const double since = value->is_double()  ? value->get_double()
                       : value->is_int64() ? static_cast<double>(value->get_int64())
                                           : static_cast<double>(value->get_uint64());
  if (!std::isfinite(since) || since < 0) return std::nullopt;
  return system_clock::time_point(seconds(static_cast<std::int64_t>(std::min(since, kTimeMax))));
}

std::optional<Refusal> check_times(const object& claims, seconds skew, system_clock::time_point now,
                                   system_clock::time_point& expires) {
  const auto end = time_in(claims, "exp");
  if (!end) return invalid("the token does not say when it expires (exp)");
  expires = *end + skew;
  if (now >= expires) {
    return Refusal{Errc::credentials_expired, "the token expired at " + base::timestamp(*end)};
  }
  for (const auto& [name, what] : {std::pair{"nbf", "the token is not valid before "},
                                   std::pair{"iat", "the token was issued in the future, at "}}) {
    if (!has(claims, name)) continue;
    const auto begin = time_in(claims, name);
    if (!begin) return invalid(std::string("the token's ") + name + " is no time");
    if (*begin > now + skew) return invalid(what + base::timestamp(*begin));
  }
  return std::nullopt;
}

bool is_for(const object& claims, std::string_view audience) {
  const auto* value = claims.if_contains("aud");
  if (!value) return false;
  const auto is_ours = [&](const boost::json::value& it) {
    const auto* text = it.if_string();
    return text && std::string_view(text->data(), text->size()) == audience;
  };
  const auto* list = value->if_array();
  if (!list) return is_ours(*value);
  return list->size() <= kAudiencesMax && std::any_of(list->begin(), list->end(), is_ours);
}

}  // namespace

bool is_jwt(std::string_view token) { return std::count(token.begin(), token.end(), '.') == 2; }

boost::system::result<Claims, Refusal> verified_claims(std::string_view token, const Rules& rules,
                                                       system_clock::time_point now) {
  const auto parts = parts_of(token);
  if (!parts) return invalid("the token is no JWT: it does not have three parts");
  const auto header = header_from(parts->header);
  if (!header) return header.error();
  const auto claims = object_in(parts->payload);
  if (!claims) return invalid("the token's claims are not JSON in base64url");

  // Whose it says it is: only to know whose signature it has to have.
  const auto* name = text_in(*claims, "iss");
  const Issuer* issuer = name ? rules.issuer({name->data(), name->size()}) : nullptr;
  if (!issuer) return invalid("the token's issuer (iss) is none that the policy knows");
  if (auto refusal = check_signature(*parts, *header, *issuer)) return std::move(*refusal);

  Claims found;
  found.issuer = issuer;
  if (auto refusal = check_times(*claims, issuer->clock_skew, now, found.expires)) {
    return std::move(*refusal);
  }
  if (!is_for(*claims, issuer->audience)) {
    return invalid("the token is for another audience (aud) than " +
                   config::quote(issuer->audience));
  }
  const auto* subject = text_in(*claims, "sub");
  if (!subject || subject->empty() || subject->size() > kSubjectMax) {
    return invalid("the token does not say whom it is about (sub)");
  }
  found.subject.assign(subject->data(), subject->size());
  return found;
}

}  // namespace rights
