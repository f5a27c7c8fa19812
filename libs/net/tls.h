#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/certificate.h"

namespace net {

enum class TlsVersion { v1_0, v1_2, v1_3 };

// How to trust the other side, and who we are. Files are PEM.
struct TlsOptions {
  bool verify = true;   // false only by an explicit setting: shown in a metric and a log line
  std::string ca_file;  // client: empty means the system's trust store. server: if given, clients
                        // have to show a certificate signed by it
  std::vector<std::string> pinned_sha256;  // hex SHA-256 of the peer's leaf certificate; one that
                                           // matches is trusted whoever signed it, expired or not,
                                           // one that does not is refused, whatever `verify` says
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

  // invalid_argument if a file or a pin cannot be used; `why` then says which and why, for the
  // operator.
  static base::Result<std::shared_ptr<TlsContext>> make(const TlsOptions& options, Role role,
                                                        std::string& why);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // How many handshakes succeeded, and how many of them resumed an earlier session.
  struct Counts {
    std::uint64_t handshakes = 0, resumed = 0;
  };
  Counts counts() const;
  // Of our own certificate; nothing if we have none.
  std::optional<CertificateFacts> certificate() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace net
