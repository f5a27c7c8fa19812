#include "pbxctl/tls_check.h"

#include <memory>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "config/values.h"

namespace pbxctl {
namespace {

namespace asio = boost::asio;

struct Free {
  void operator()(SSL_CTX* it) const { SSL_CTX_free(it); }
  void operator()(SSL* it) const { SSL_free(it); }
};

// OpenSSL reads and writes the socket itself, as long as this allows.
void limit(int socket, std::chrono::milliseconds patience) {
  timeval time{};
  time.tv_sec = patience.count() / 1'000;
  time.tv_usec = patience.count() % 1'000 * 1'000;
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    ::setsockopt(socket, SOL_SOCKET, option, &time, sizeof time);
  }
}

std::string hint_for(long verdict) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired; its operator has to renew it.";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet: is the clock here right?";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate is for another name: say that one with --server.";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "it has signed its certificate itself: give that very certificate with --ca-file.";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its certificate was signed by somebody who is not in --ca-file (without that: whom "
             "the system trusts).";
    default:
      return std::string("its certificate is not to be trusted: ") +
             X509_verify_cert_error_string(verdict) + '.';
  }
}

// The reason of a failed handshake or read.
std::string hint_for_error() {
  switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST: return "it does not speak TLS there: leave out --tls and --ca-file.";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "it wants a certificate of ours: --cert FILE and --key FILE.";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      return "it does not trust the one who signed our certificate (--cert).";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED: return "our certificate (--cert) has expired.";
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL: return "it speaks no version of TLS that we speak.";
    default: return {};
  }
}

std::string look(SSL& tls, bool by_address, const std::string& host) {
  auto* rules = SSL_get0_param(&tls);
  by_address ? X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str())
             : X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size());
  if (!by_address) SSL_set_tlsext_host_name(&tls, host.c_str());
  ERR_clear_error();
  if (SSL_connect(&tls) != 1) return hint_for_error();
  const long verdict = SSL_get_verify_result(&tls);
  if (verdict != X509_V_OK) return hint_for(verdict);
  // What it thinks of our certificate, it says after the handshake.
  char byte = 0;
  ERR_clear_error();
  return SSL_read(&tls, &byte, 1) > 0 ? std::string() : hint_for_error();
}

}  // namespace

std::string tls_check(const Options& options, std::chrono::milliseconds patience) {
  const auto address = config::host_port_from(options.server, 0);
  if (!address) return {};
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  boost::system::error_code error;
  const auto found =
      asio::ip::tcp::resolver(io).resolve(address->host, std::to_string(address->port), error);
  if (error) return {};
  asio::connect(socket, found, error);
  if (error) return {};
  limit(socket.native_handle(), patience);

  const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_client_method()));
  if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else {
    SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr);
  }
  if (!options.cert_file.empty()) {
    SSL_CTX_use_certificate_chain_file(context.get(), options.cert_file.c_str());
    SSL_CTX_use_PrivateKey_file(context.get(), options.key_file.c_str(), SSL_FILETYPE_PEM);
  }
  // The verdict is looked at; nothing is sent that would need it.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  const unsigned char http2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), http2, sizeof http2);
  const std::unique_ptr<SSL, Free> tls(SSL_new(context.get()));
  SSL_set_fd(tls.get(), socket.native_handle());
  asio::ip::make_address(address->host, error);
  std::string hint = look(*tls, !error, address->host);
  return hint.empty() ? hint : "TLS: " + hint;
}

}  // namespace pbxctl
