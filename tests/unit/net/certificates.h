#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace net::testing {

// What a certificate is to say. Names that look like addresses become IP entries.
struct Subject {
  std::vector<std::string> names{"localhost", "127.0.0.1"};
  int valid_from_days = -1, valid_to_days = 30;  // from today
};

// Paths of PEM files.
struct Certificate {
  std::string certificate_file, key_file;
  std::string sha256;  // in hex, as for TlsOptions::pinned_sha256
};

// A certificate authority for one test run, in a directory that goes with it.
class Authority {
 public:
  explicit Authority(const std::string& name);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  const std::string& ca_file() const { return root_.certificate_file; }
  Certificate issue(const Subject& subject);
  Certificate self_signed(const Subject& subject);
  std::string file(const std::string& name, const std::string& content);

 private:
  std::filesystem::path folder_;
  int issued_ = 0;
  Certificate root_;
};

}  // namespace net::testing
