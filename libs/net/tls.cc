#include "net/tls.h"

#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/tls_session.h"

namespace net {

namespace {

constexpr std::size_t kTicketsMax = 4096;  // of other hosts; beyond it some are forgotten

using Sha256 = std::array<unsigned char, 32>;

std::string queued_error() {
  const auto code = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));  // of a file
  const char* text = ERR_reason_error_string(code);
  return text ? text : code == 0 ? "unknown error" : "error " + std::to_string(code);
}

// "AB:cd…" in hex, with or without colons.
bool parse(const std::string& hex, Sha256& digest) {
  std::size_t digits = 0;
  digest = {};
  for (const char c : hex) {
    if (c == ':' || c == ' ') continue;
    const int value = OPENSSL_hexchar2int(static_cast<unsigned char>(c));
    if (value < 0 || digits == 2 * digest.size()) return false;
    digest[digits / 2] = static_cast<unsigned char>(digest[digits / 2] * 16 + value);
    ++digits;
  }
  return digits == 2 * digest.size();
}

int version_of(TlsVersion version) {
  switch (version) {
    case TlsVersion::v1_0: return TLS1_VERSION;
    case TlsVersion::v1_2: return TLS1_2_VERSION;
    case TlsVersion::v1_3: return TLS1_3_VERSION;
  }
  return TLS1_2_VERSION;
}

std::string name_of_version(int version) {
  switch (version) {
    case SSL3_VERSION: return "SSL 3.0";
    case TLS1_VERSION: return "TLS 1.0";
    case TLS1_1_VERSION: return "TLS 1.1";
    case TLS1_2_VERSION: return "TLS 1.2";
    case TLS1_3_VERSION: return "TLS 1.3";
    default: return "version " + std::to_string(version);
  }
}

std::string name_of(const X509* certificate) {
  std::array<char, 256> text{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text.data(),
                            static_cast<int>(text.size()));
  return text.data();
}

std::string issuer_of(const X509* certificate) {
  std::array<char, 256> text{};
  X509_NAME_oneline(X509_get_issuer_name(certificate), text.data(), static_cast<int>(text.size()));
  return text.data();
}

std::string date_of(const ASN1_TIME* time) {
  std::tm date{};
  if (ASN1_TIME_to_tm(time, &date) != 1) return "an unreadable date";
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &date);
  return text.data();
}

std::string names_of(X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string list;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
    if (type != GEN_DNS) continue;
    if (!list.empty()) list += ", ";
    list.append(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                static_cast<std::size_t>(ASN1_STRING_length(value)));
  }
  GENERAL_NAMES_free(names);
  return list.empty() ? name_of(certificate) : list;
}

}  // namespace

struct TlsContext::Impl {
  Impl(Role its_role, SSL_CTX* context) : role(its_role), ctx(context) {}
  ~Impl() {
    for (auto& [key, ticket] : tickets) SSL_SESSION_free(ticket);
    SSL_CTX_free(ctx);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const Role role;
  SSL_CTX* const ctx;
  std::vector<Sha256> pins;
  std::string server_name;
  std::atomic<std::uint64_t> handshakes{0}, resumed{0};

  std::mutex mutex;
  std::unordered_map<std::string, SSL_SESSION*> tickets;  // guarded by the mutex
};

namespace {

int on_verify(X509_STORE_CTX* store, void*) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  return TlsSession::of(ssl).verify(store);
}

int on_new_ticket(SSL* ssl, SSL_SESSION* ticket) {
  TlsSession::of(ssl).keep(*ticket);
  return 0;  // we took no reference
}

// Called only if the server asks and no certificate of ours fits.
int on_certificate_asked(SSL* ssl, X509**, EVP_PKEY**) {
  TlsSession::of(ssl).certificate_asked();
  return 0;
}

// A version that we refuse is forgotten by OpenSSL at once.
void on_message(int is_ours, int, int type, const void* data, std::size_t size, SSL* ssl, void*) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  if (is_ours || type != SSL3_RT_HANDSHAKE || size < 6 || bytes[0] != SSL3_MT_SERVER_HELLO) return;
  TlsSession::of(ssl).server_chose(bytes[4] << 8 | bytes[5]);
  SSL_set_msg_callback(ssl, nullptr);
}

// Without this, OpenSSL asks at the terminal.
int no_password(char*, int, int, void*) { return -1; }

std::string load(SSL_CTX* ctx, const TlsOptions& options, TlsContext::Role role) {
  const auto failed = [](const std::string& what) { return what + ": " + queued_error(); };
  if (!options.ca_file.empty()) {
    if (SSL_CTX_load_verify_file(ctx, options.ca_file.c_str()) != 1) {
      return failed("CA file " + options.ca_file);
    }
  } else if (role == TlsContext::Role::client && SSL_CTX_set_default_verify_paths(ctx) != 1) {
    return failed("the system's trust store");
  }
  if (options.certificate_file.empty() && options.key_file.empty()) {
    return role == TlsContext::Role::server ? "a TLS server needs a certificate and a key" : "";
  }
  if (SSL_CTX_use_certificate_chain_file(ctx, options.certificate_file.c_str()) != 1) {
    return failed("certificate file " + options.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(ctx) != 1) {
    return failed("key file " + options.key_file);
  }
  return "";
}

void configure(SSL_CTX* ctx, const TlsOptions& options, TlsContext::Role role) {
  SSL_CTX_set_default_passwd_cb(ctx, no_password);
  SSL_CTX_set_min_proto_version(ctx, version_of(options.min_version));
  // TLS 1.0 signs with SHA-1, which OpenSSL 3 takes at level 0 only.
  if (options.min_version == TlsVersion::v1_0) SSL_CTX_set_cipher_list(ctx, "DEFAULT@SECLEVEL=0");
  if (options.legacy_renegotiation) SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
  // A record's buffers are 17 KB each; an idle link holds none of them.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // As much as there is with one system call, instead of two for each record.
  SSL_CTX_set_read_ahead(ctx, 1);

  if (role == TlsContext::Role::client) {
    const bool check = options.verify || !options.pinned_sha256.empty();
    SSL_CTX_set_verify(ctx, check ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_new_ticket);
    SSL_CTX_set_client_cert_cb(ctx, on_certificate_asked);
  } else {
    if (!options.ca_file.empty()) {
      SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(options.ca_file.c_str()));
    }
    // Sessions live in the clients' tickets, not in a cache of ours.
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    constexpr std::string_view kName = "pbxgw";
    SSL_CTX_set_session_id_context(ctx, reinterpret_cast<const unsigned char*>(kName.data()),
                                   static_cast<unsigned>(kName.size()));
  }
  SSL_CTX_set_cert_verify_callback(ctx, on_verify, nullptr);
}

}  // namespace

base::Result<std::shared_ptr<TlsContext>> TlsContext::make(const TlsOptions& options, Role role,
                                                           std::string& why) {
  ERR_clear_error();
  SSL_CTX* ctx = SSL_CTX_new(role == Role::client ? TLS_client_method() : TLS_server_method());
  if (!ctx) {
    why = queued_error();
    return base::Errc::internal;
  }
  auto impl = std::make_unique<Impl>(role, ctx);
  impl->server_name = options.server_name;
  for (const auto& text : options.pinned_sha256) {
    if (!parse(text, impl->pins.emplace_back())) {
      why = "pinned certificate '" + text + "': not 64 hexadecimal digits";
      return base::Errc::invalid_argument;
    }
  }
  configure(ctx, options, role);
  why = load(ctx, options, role);
  if (!why.empty()) return base::Errc::invalid_argument;
  ERR_clear_error();
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(impl)));
}

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

TlsContext::Counts TlsContext::counts() const {
  return {impl_->handshakes.load(), impl_->resumed.load()};
}

std::optional<CertificateFacts> TlsContext::certificate() const {
  const X509* ours = SSL_CTX_get0_certificate(impl_->ctx);
  if (!ours) return std::nullopt;
  return facts_of(*ours);
}

TlsSession::TlsSession(std::shared_ptr<TlsContext> context, const std::string& host,
                       const std::string& port)
    : context_(std::move(context)), ssl_(SSL_new(context_->impl().ctx)) {
  if (!ssl_) throw std::bad_alloc();
  SSL_set_app_data(ssl_, this);
  auto& shared = context_->impl();
  if (shared.role == TlsContext::Role::server) {
    SSL_set_accept_state(ssl_);
    return;
  }
  SSL_set_connect_state(ssl_);
  SSL_set_msg_callback(ssl_, on_message);
  host_ = shared.server_name.empty() ? host : shared.server_name;
  ticket_key_ = host + ":" + port;
  auto* param = SSL_get0_param(ssl_);
  // An address is verified as one, and has no place in SNI.
  if (X509_VERIFY_PARAM_set1_ip_asc(param, host_.c_str()) != 1) {
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(param, host_.c_str(), host_.size());
    SSL_set_tlsext_host_name(ssl_, host_.c_str());
  }
  const std::lock_guard lock(shared.mutex);
  if (auto it = shared.tickets.find(ticket_key_); it != shared.tickets.end()) {
    SSL_SESSION* copy = SSL_SESSION_dup(it->second);
    SSL_set_session(ssl_, copy);
    SSL_SESSION_free(copy);
  }
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

TlsSession& TlsSession::of(const SSL* ssl) {
  return *static_cast<TlsSession*>(SSL_get_app_data(ssl));
}

// OpenSSL makes the session of a connection useless when that ends without a TLS goodbye, just when
// we are about to reconnect. So we keep a copy, and give out copies.
void TlsSession::keep(const SSL_SESSION& ticket) {
  auto& shared = context_->impl();
  const std::lock_guard lock(shared.mutex);
  if (shared.tickets.size() >= kTicketsMax && !shared.tickets.contains(ticket_key_)) {
    SSL_SESSION_free(shared.tickets.begin()->second);
    shared.tickets.erase(shared.tickets.begin());
  }
  auto& kept = shared.tickets[ticket_key_];
  SSL_SESSION_free(kept);
  kept = SSL_SESSION_dup(&ticket);
}

void TlsSession::forget() {
  auto& shared = context_->impl();
  const std::lock_guard lock(shared.mutex);
  const auto it = shared.tickets.find(ticket_key_);
  if (it == shared.tickets.end()) return;
  SSL_SESSION_free(it->second);
  shared.tickets.erase(it);
}

void TlsSession::count() {
  auto& shared = context_->impl();
  ++shared.handshakes;
  if (SSL_session_reused(ssl_)) ++shared.resumed;
}

int TlsSession::verify(X509_STORE_CTX* store) {
  const auto whose = host_.empty() ? "the client's certificate" : "the certificate of " + host_;
  if (const auto& pins = context_->impl().pins; !pins.empty()) {
    Sha256 digest{};
    X509_digest(X509_STORE_CTX_get0_cert(store), EVP_sha256(), digest.data(), nullptr);
    for (const auto& pin : pins) {
      if (pin != digest) continue;
      X509_STORE_CTX_set_error(store, X509_V_OK);
      return 1;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    verdict_ = base::Errc::certificate_unknown_authority;
    why_ = whose + " is not the pinned one";
    return 0;
  }

  if (X509_verify_cert(store) == 1) return 1;
  const int error = X509_STORE_CTX_get_error(store);
  auto* culprit = X509_STORE_CTX_get_current_cert(store);
  if (!culprit) culprit = X509_STORE_CTX_get0_cert(store);
  const auto which = X509_STORE_CTX_get_error_depth(store) == 0
                         ? whose
                         : "'" + name_of(culprit) + "', which signed " + whose + ",";
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      verdict_ = base::Errc::certificate_expired;
      why_ = which + " expired on " + date_of(X509_get0_notAfter(culprit));
      break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      verdict_ = base::Errc::certificate_expired;
      why_ = which + " is not valid before " + date_of(X509_get0_notBefore(culprit));
      break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      verdict_ = base::Errc::certificate_wrong_name;
      why_ = whose + " is for " + names_of(culprit);
      break;
    default:
      verdict_ = base::Errc::certificate_unknown_authority;
      why_ = which + " is not trusted: " + X509_verify_cert_error_string(error) +
             " (issuer: " + issuer_of(culprit) + ")";
  }
  return 0;
}

base::Error TlsSession::failure() {
  if (verdict_) return verdict_;
  const auto code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  // TLS 1.2 has no alert for a missing certificate: servers send one of these.
  const bool is_protest = reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE ||
                          reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE ||
                          reason == SSL_R_SSLV3_ALERT_NO_CERTIFICATE ||
                          reason == SSL_R_TLSV1_ALERT_ACCESS_DENIED;
  if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED || (is_protest && certificate_asked_)) {
    why_ = "the server demands a client certificate (" + queued_error() + ")";
    return base::Errc::certificate_required;
  }
  switch (reason) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      why_ = "the other side refuses our certificate (" + queued_error() + ")";
      return host_.empty() ? base::Errc::tls_failed : base::Errc::certificate_required;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST: why_ = "the other side does not speak TLS on this port"; break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: {
      const auto least = name_of_version(static_cast<int>(SSL_get_min_proto_version(ssl_)));
      why_ = "no TLS version in common: the other side speaks " +
             (chosen_version_ != 0 ? "only " + name_of_version(chosen_version_)
                                   : std::string("none that we do")) +
             ", and we accept " + least + " or newer (" + queued_error() + ")";
      break;
    }
    case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
      why_ = "the server lacks RFC 5746; legacy_renegotiation would allow that";
      break;
    default: why_ = queued_error();
  }
  return base::Errc::tls_failed;
}

}  // namespace net
