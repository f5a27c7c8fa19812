#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/system/result.hpp>

#include "access/credentials.h"
#include "access/principal.h"
#include "base/result.h"
#include "config/document.h"

namespace access {

// Who a caller is, and until when that is so.
struct Identity {
  std::shared_ptr<const Principal> principal;
  Means means = Means::none;
  // A token's end; a certificate's is the transport's affair.
  std::optional<std::chrono::system_clock::time_point> expires;
};

// Why somebody is nobody: unauthenticated, credentials_invalid or credentials_expired, and a
// sentence for the caller that never repeats what was shown.
struct Refusal {
  base::Error why;
  std::string detail;
};

// The policy file, read: whom the gateway knows, by what, and what each may do. Never changed once
// made; any thread. docs/security.md has the file's format.
class Policy {
 public:
  // Reads the file, and the key sets that it names. What is wrong is in `problems`, and then there
  // is no policy.
  static std::shared_ptr<const Policy> load(const std::filesystem::path& file,
                                            const config::Environment& environment,
                                            std::vector<config::Problem>& problems);
  // Everybody may do everything, as the principal "anyone": for a gateway that only this machine
  // reaches.
  static std::shared_ptr<const Policy> open();

  boost::system::result<Identity, Refusal> identify(
      const Credentials& credentials, std::chrono::system_clock::time_point now) const;

  // The files whose change makes another policy: the policy file itself, and its key sets.
  const std::vector<std::filesystem::path>& files() const { return files_; }
  bool is_open() const { return open_; }
  ~Policy();

 private:
  Policy();
  struct Rules;
  std::unique_ptr<const Rules> rules_;
  std::vector<std::filesystem::path> files_;
  bool open_ = false;
};

}  // namespace access
