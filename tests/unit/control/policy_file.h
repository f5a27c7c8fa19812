#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "rights/encoding.h"
#include "rights/policy.h"

namespace control {

// A policy file of a test, in a folder of its own that goes with it.
class PolicyFile {
 public:
  struct Grant {
    std::string tenants;  // "acme, beta" or "*"
    std::string groups;   // "observe, control"
  };

  PolicyFile()
      : folder_(std::filesystem::temp_directory_path() /
                ("pbxgw-policy-" + std::to_string(std::random_device()()))) {
    std::filesystem::create_directories(folder_);
  }
  ~PolicyFile() { std::filesystem::remove_all(folder_); }
  PolicyFile(const PolicyFile&) = delete;
  PolicyFile& operator=(const PolicyFile&) = delete;

  std::string path() const { return folder_ / "policy.yaml"; }
  static std::string token_of(const std::string& name) { return "the-token-of-" + name; }

  // Known by token_of(name), and by what else stands in `more`: lines of the file.
  PolicyFile& add(const std::string& name, const std::vector<Grant>& grants,
                  const std::string& more = {}) {
    return add_with(token_of(name), name, grants, more);
  }
  PolicyFile& add_with(const std::string& token, const std::string& name,
                       const std::vector<Grant>& grants, const std::string& more = {}) {
    principals_ += "  - name: " + name + "\n    tokens: [\"sha256:" + rights::sha256_hex(token) +
                   "\"]\n" + more + "    grants:\n";
    for (const Grant& grant : grants) {
      const bool all = grant.tenants == "*";
      principals_ += "      - {tenants: [" + (all ? "\"*\"" : grant.tenants) + "], groups: [" +
                     grant.groups + "]}\n";
    }
    return *this;
  }
  // An issuer whose keys are those of a JWK set.
  PolicyFile& issued_by(const std::string& issuer, const std::string& jwk_set) {
    write(folder_ / "keys.json", jwk_set);
    issuers_ += "  - {issuer: \"" + issuer + "\", audience: pbxgw, keys_file: keys.json, " +
                "clock_skew: 0s}\n";
    return *this;
  }
  // As a whole, as it is replaced in earnest; the next add() begins anew.
  void write() {
    const std::string text =
        (issuers_.empty() ? "" : "issuers:\n" + issuers_) + "principals:\n" + principals_;
    principals_.clear();
    const auto fresh = folder_ / "fresh.yaml";
    write(fresh, text);
    std::filesystem::rename(fresh, path());
  }
  std::shared_ptr<const rights::Policy> load() {
    write();
    std::vector<config::Problem> problems;
    auto policy = rights::Policy::load(path(), problems);
    if (!policy) throw std::runtime_error(problems.front().text());
    return policy;
  }

 private:
  static void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file) << text;
  }

  const std::filesystem::path folder_;
  std::string principals_, issuers_;
};

}  // namespace control
