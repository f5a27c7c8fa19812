#pragma once

#include <bitset>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/problem.h"
#include "rights/jwk_set.h"
#include "rights/principal.h"
#include "rights/signature_key.h"

namespace rights {

using Algorithms = std::bitset<kAlgorithms.size()>;  // by the number of the algorithm

// Whose tokens we take, and what has to stand in them.
struct Issuer {
  std::string name;      // `iss`
  std::string audience;  // one of `aud`
  std::filesystem::path keys_file;
  std::vector<Jwk> keys;
  Algorithms algorithms;
  std::chrono::seconds clock_skew{};

  bool operator==(const Issuer&) const = default;
};

// Whom an issuer calls so.
struct Subject {
  std::string issuer;
  std::string name;  // "*": anybody else of this issuer

  auto operator<=>(const Subject&) const = default;
};

// A principal with all that it is known by, as the file says it.
struct Member {
  std::shared_ptr<const Principal> principal;
  std::vector<Principal::Grant> grants;
  std::vector<std::string> token_hashes;  // SHA-256 in lower-case hex
  std::vector<std::string> certificates;  // "cn:crm"
  std::vector<Subject> subjects;
};

// What a policy file says.
struct Rules {
  std::vector<Issuer> issuers;
  std::vector<Member> members;

  const Issuer* issuer(std::string_view name) const;  // null if there is none
};

// As certificates' names are compared: those of DNS in lower case.
std::string certificate_name(std::string_view name);

// Reads the policy file and the key sets that it names, whose paths are added to `files` even if
// they cannot be read. If there are problems, the rules are not to be used.
Rules read_rules(const std::filesystem::path& file, std::vector<std::filesystem::path>& files,
                 std::vector<config::Problem>& problems);

// Which principals and issuers, by name, one policy has and the other has not, or has otherwise.
struct Differences {
  std::vector<std::string> added, removed, changed;
  std::vector<std::string> issuers;  // added, removed or changed: their keys, too

  bool empty() const {
    return added.empty() && removed.empty() && changed.empty() && issuers.empty();
  }
};
Differences differences(const Rules& before, const Rules& after);

// For operators: for each principal, how it is known and what it may do. Many lines; no secrets,
// not even hashes of them.
std::string description_of(const Rules& rules);

}  // namespace rights
