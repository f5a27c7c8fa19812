#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/system/result.hpp>

#include "config/problem.h"
#include "rights/credentials.h"
#include "rights/principal.h"
#include "rights/refusal.h"

namespace rights {

struct Rules;  // rules.h
class VerifiedTokens;

// Who a caller is, and until when that is so.
struct Identity {
  std::shared_ptr<const Principal> principal;
  Means means = Means::none;
  // The token's end, or the certificate's.
  std::optional<std::chrono::system_clock::time_point> expires;
  // `sub` of the JWT, or the certificate's name that the policy knows: "cn:crm". As it came from
  // outside, up to 256 bytes of anything.
  std::string subject{};
};

// The policy file, read: whom the gateway knows, by what, and what each may do. Never changed once
// made, but for the JWTs that it remembers: those verified by this very policy, so that another one
// begins with none. Any thread. docs/policy.md has the file's format.
class Policy {
 public:
  // Reads the file, and the key sets that it names. What is wrong is in `problems`, and then there
  // is no policy. If asked for, `files` are those read or tried, even then.
  static std::shared_ptr<const Policy> load(const std::filesystem::path& file,
                                            std::vector<config::Problem>& problems,
                                            std::vector<std::filesystem::path>* files = nullptr);
  // Everybody may do everything, as the principal "anyone": for a gateway that only this machine
  // reaches.
  static std::shared_ptr<const Policy> open();

  // Of a bearer and a certificate the bearer counts, right or wrong: it is what the caller chose to
  // send with this very request.
  boost::system::result<Identity, Refusal> identify(
      const Credentials& credentials, std::chrono::system_clock::time_point now) const;
  // Whether identify() would have to verify a signature: of a JWT that it has not verified lately.
  // Everything else costs no more than a look into a table.
  bool is_costly(const Credentials& credentials, std::chrono::system_clock::time_point now) const;

  // The files whose change makes another policy: the policy file itself, and its key sets.
  const std::vector<std::filesystem::path>& files() const { return files_; }
  bool is_open() const { return anyone_ != nullptr; }
  const Rules& rules() const;  // none, if it is open
  ~Policy();

 private:
  Policy();
  struct Index;
  std::unique_ptr<const Index> index_;
  const std::unique_ptr<VerifiedTokens> verified_;
  std::vector<std::filesystem::path> files_;
  std::shared_ptr<const Principal> anyone_;  // if it is open
};

}  // namespace rights
