#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace net {

enum class TlsVersion { v1_0, v1_2, v1_3 };

// How to trust the other side, and who we are. Files are PEM.
struct TlsOptions {
  bool verify = true;   // false only by an explicit setting: shown in a metric and a log line
  std::string ca_file;  // empty: the system's trust store
  std::vector<std::string> pinned_sha256;  // hex SHA-256 of the peer's leaf certificate; any one
                                           // matching is trusted, whoever signed it
  std::string server_name;       // SNI and the name to verify; empty: the host connected to
  std::string certificate_file;  // our own certificate chain, if the other side asks (server: must)
  std::string key_file;
  TlsVersion min_version = TlsVersion::v1_2;
  bool legacy_renegotiation = false;  // allow servers without RFC 5746, as some old PBXs are
};

// One per set of options, shared by every connection that uses them: it holds the trust store, our
// key, and the session tickets that make a thousand reconnects cheap. Thread-safe.
class TlsContext {
 public:
  enum class Role { client, server };

  // The error's message says which file could not be used and why; it goes to the operator.
  static base::Result<std::shared_ptr<TlsContext>> make(const TlsOptions& options, Role role,
                                                        std::string& why);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace net
