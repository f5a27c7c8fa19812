#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <boost/system/result.hpp>
#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include "config/file_state.h"
#include "control/metrics.h"

namespace control {

// PEM files. Without a certificate there is no TLS; with `client_ca` clients have to show one.
struct TlsFiles {
  std::string certificate, key, client_ca;
};

// What was in the files, all of it fit for use.
struct TlsMaterial {
  std::string certificate, key, client_ca;  // PEM
  std::chrono::system_clock::time_point expires;
  std::string serial;  // in hex

  bool is_like(const TlsMaterial& other) const {
    return certificate == other.certificate && key == other.key && client_ca == other.client_ca;
  }
};

// Why they are not: for the operator. It names the file, and says nothing of a key.
struct Unfit {
  std::string why;
};

// Of certificate, key and client_ca.
using FileStates = std::array<std::optional<config::FileState>, 3>;

// Reads the files and looks at what is in them. An expired certificate is one like any other here.
// Nothing is looked at if all is as in `before`.
boost::system::result<TlsMaterial, Unfit> read_tls(const TlsFiles& files,
                                                   const TlsMaterial* before = nullptr);

// The certificate that we show to whoever connects, and who signs those of clients. Files that
// change are taken without a restart, for the connections that are made from then on; those that
// are not fit for use leave everything as it was. TLS 1.2 at least, which is gRPC's own rule.
//
// Lives longer than the server that uses its credentials.
class Certificates {
 public:
  // Throws std::runtime_error, with the reason, if the files are not fit for use.
  Certificates(TlsFiles files, const Metrics& metrics);

  // For gRPC, which asks for the present ones at each connection.
  std::shared_ptr<grpc::ServerCredentials> credentials();
  // To be called every now and then: reads the files again if they have changed. A problem is told
  // once, and only if it is there twice running: whoever replaces two files does it one after the
  // other.
  void refresh(std::chrono::system_clock::time_point now);

 private:
  static grpc_ssl_certificate_config_reload_status fetch(
      void* self, grpc_ssl_server_certificate_config** config);
  std::shared_ptr<const TlsMaterial> present() const;
  void take(TlsMaterial material, std::chrono::system_clock::time_point now);

  const TlsFiles files_;
  const Metrics& metrics_;
  FileStates seen_;      // when they were last read
  std::string problem_;  // of the last time
  bool told_ = false;    // and somebody was told of it

  mutable std::mutex mutex_;
  std::shared_ptr<const TlsMaterial> present_;
  std::shared_ptr<const TlsMaterial> given_;  // to gRPC
};

}  // namespace control
