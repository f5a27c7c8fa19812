#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "base/result.h"
#include "net/tls.h"

namespace net {

// The TLS side of one connection: OpenSSL's SSL object, and what its callbacks noted about it.
// Lives as long as the connection, stays where it is, and belongs to the connection's executor.
// Only for the sources of libs/net: nothing else includes OpenSSL.
class TlsSession {
 public:
  // `host` is the name to verify unless the context's options give another, and with `port` the
  // name under which session tickets are kept; both are unused by servers.
  TlsSession(std::shared_ptr<TlsContext> context, const std::string& host, const std::string& port);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  SSL* ssl() const { return ssl_; }

  // What the failure now in OpenSSL's error queue means; eof for a connection that just ended.
  // why() then has a sentence for operators.
  base::Error failure();
  const std::string& why() const { return why_; }
  // The handshake has succeeded.
  void count();
  // The handshake has failed: should it be the ticket's fault, the next one does without.
  void forget();

  // For the callbacks.
  static TlsSession& of(const SSL* ssl);
  int verify(X509_STORE_CTX* store);
  void certificate_asked() { certificate_asked_ = true; }
  void server_chose(int version) { chosen_version_ = version; }
  void keep(const SSL_SESSION& ticket);

 private:
  std::shared_ptr<TlsContext> context_;
  SSL* ssl_;
  std::string host_;        // the name to verify
  std::string ticket_key_;  // host:port
  std::string why_;
  base::Error verdict_;             // of our own check of the other side's certificate
  bool certificate_asked_ = false;  // the server asked for one, and we have none
  int chosen_version_ = 0;          // by its ServerHello
};

}  // namespace net
