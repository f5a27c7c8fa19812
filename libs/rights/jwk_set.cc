#include "rights/jwk_set.h"

#include <algorithm>
#include <utility>

#include "rights/encoding.h"
#include "rights/json.h"

namespace rights {
namespace {

using boost::json::object;

constexpr std::size_t kIdLengthMax = 256;

// Reads one key of a set, and says what is wrong with it.
class Reader {
 public:
  Reader(const object& in, std::string& problem) : in_(in), problem_(problem) {}

  // Nothing if the key is not for us, or is wrong.
  std::optional<Jwk> key() {
    const auto kind = word("kty");
    if (kind == "oct")
      return wrong("is a shared secret, which has no place in a set of public keys");
    if (has(in_, "d")) return wrong("is a private key; this set has to have the public ones alone");
    const auto algorithm = algorithm_for(kind);
    if (!algorithm || !is_for_signatures(*algorithm)) return std::nullopt;

    std::optional<std::string> id;
    if (has(in_, "kid")) {
      const auto* given = text_in(in_, "kid");
      if (!given || given->size() > kIdLengthMax) return wrong("has a kid that is no short text");
      id.emplace(given->data(), given->size());
    }
    auto made = make(*algorithm);
    if (!made) return std::nullopt;
    return Jwk{std::move(id), std::move(*made)};
  }

 private:
  std::nullopt_t wrong(std::string what) {
    problem_ = std::move(what);
    return std::nullopt;
  }

  std::string_view word(std::string_view name) const {
    const auto* text = text_in(in_, name);
    return text ? std::string_view(text->data(), text->size()) : std::string_view();
  }

  std::optional<Algorithm> algorithm_for(std::string_view kind) const {
    if (kind == "RSA") return Algorithm::rs256;
    if (kind == "EC" && word("crv") == "P-256") return Algorithm::es256;
    if (kind == "OKP" && word("crv") == "Ed25519") return Algorithm::eddsa;
    return std::nullopt;
  }

  bool is_for_signatures(Algorithm algorithm) const {
    if (has(in_, "use") && word("use") != "sig") return false;
    if (has(in_, "alg") && word("alg") != name_of(algorithm)) return false;
    const auto* operations = in_.if_contains("key_ops");
    if (!operations) return true;
    const auto* list = operations->if_array();
    return list && std::any_of(list->begin(), list->end(), [](const boost::json::value& it) {
             return it.is_string() && it.get_string() == "verify";
           });
  }

  std::optional<std::string> bytes(std::string_view name) {
    const auto decoded = from_base64url(word(name));
    if (decoded && !decoded->empty()) return decoded;
    return wrong("has no \"" + std::string(name) + "\" in base64url");
  }

  std::optional<SignatureKey> make(Algorithm algorithm) {
    switch (algorithm) {
      case Algorithm::rs256: {
        const auto n = bytes("n"), e = bytes("e");
        if (n && e) return SignatureKey::rsa(*n, *e, problem_);
        break;
      }
      case Algorithm::es256: {
        const auto x = bytes("x"), y = bytes("y");
        if (x && y) return SignatureKey::p256(*x, *y, problem_);
        break;
      }
      case Algorithm::eddsa: {
        if (const auto x = bytes("x")) return SignatureKey::ed25519(*x, problem_);
        break;
      }
    }
    return std::nullopt;
  }

  const object& in_;
  std::string& problem_;
};

}  // namespace

std::vector<Jwk> jwk_set_from(std::string_view text, const std::string& file,
                              std::vector<config::Problem>& problems) {
  std::vector<Jwk> keys;
  const auto wrong = [&](std::string path, std::string message) {
    problems.push_back({file, 0, "", std::move(path), std::move(message)});
  };
  if (text.size() > kJwkSetBytesMax) {
    wrong("", "is larger than " + std::to_string(kJwkSetBytesMax >> 10) + "KiB");
    return keys;
  }
  const auto set = object_from(text);
  const auto* list = set ? set->if_contains("keys") : nullptr;
  const auto* items = list ? list->if_array() : nullptr;
  if (!items) {
    wrong("", "is no JWK set; expected {\"keys\": [...]}");
    return keys;
  }
  if (items->size() > kJwksMax) {
    wrong("keys", "are " + std::to_string(items->size()) + "; expected at most " +
                      std::to_string(kJwksMax));
    return keys;
  }
  const auto problems_before = problems.size();
  for (std::size_t i = 0; i < items->size(); ++i) {
    const std::string path = "keys[" + std::to_string(i) + "]";
    const auto* item = (*items)[i].if_object();
    if (!item) {
      wrong(path, "is no key; expected a mapping");
      continue;
    }
    std::string problem;
    auto key = Reader(*item, problem).key();
    if (!problem.empty()) wrong(path, std::move(problem));
    if (!key) continue;
    // The same name for another kind of key is fine: the token's algorithm tells them apart.
    const bool taken =
        key->id && std::any_of(keys.begin(), keys.end(), [&](const Jwk& other) {
          return other.id == key->id && other.key.algorithm() == key->key.algorithm();
        });
    if (taken) {
      wrong(path, "has the kid of an earlier key: " + config::quote(*key->id));
    } else {
      keys.push_back(std::move(*key));
    }
  }
  if (keys.empty() && problems.size() == problems_before) {
    wrong("keys", "has none for signatures by RS256, ES256 (P-256) or EdDSA (Ed25519)");
  }
  return keys;
}

}  // namespace rights
