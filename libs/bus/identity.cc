#include "bus/identity.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <utility>
#include <vector>

#include "bus/nkey.h"
#include "bus/status.h"

namespace bus {

using base::Errc;

namespace {

constexpr std::size_t kFileMax = 1u << 20;
constexpr std::string_view kBlank = " \t\r\n";

constexpr std::string_view kOtherName =
    "the server's certificate is for other names than that in urls: use one of those, or add it to "
    "the certificate";
constexpr std::string_view kOtherAuthority =
    "the server's certificate is not of an authority that we trust: tls.ca_file, or else the "
    "system's";
constexpr std::string_view kOldProtocol =
    "the server speaks no version of TLS that is safe: it has to speak 1.2 or later";
constexpr std::string_view kOurCertificate = "the server refuses us: it ";
constexpr std::string_view kHungUp = "the server hung up during the login: most likely it ";
constexpr std::string_view kCertificateMissing =
    "wants a certificate of ours, which is tls.certificate_file";

// Reads files until one cannot be read; then `why` says which, and the rest is skipped.
class Reader {
 public:
  explicit Reader(std::string& why) : why_(why) {}

  bool failed() const { return failed_; }
  void complain(std::string_view setting, const std::string& file, std::string_view problem) {
    failed_ = true;
    why_.assign(setting).append(" ").append(file).append(": ").append(problem);
  }

  // Empty for no file.
  std::string read(std::string_view setting, const std::string& file) {
    if (failed_ || file.empty()) return {};
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    std::string text(kFileMax + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (in.bad() || !in.eof()) {
      complain(setting, file, text.size() > kFileMax ? "too large" : std::strerror(errno));
    } else if (text.find_first_not_of(kBlank) == std::string::npos) {
      complain(setting, file, "empty");
    }
    return failed_ ? std::string() : text;
  }

  // Without the newline that editors put at the end.
  std::string read_line(std::string_view setting, const std::string& file) {
    std::string text = read(setting, file);
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }

 private:
  std::string& why_;
  bool failed_ = false;
};

// The word on the lines after the one that says `title`, as in creds files of nsc.
std::string word_below(std::string_view text, std::string_view title) {
  const auto at = text.find(title);
  const auto end_of_line = at == text.npos ? at : text.find('\n', at);
  if (end_of_line == text.npos) return {};
  const auto first = text.find_first_not_of(kBlank, end_of_line);
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_first_of(kBlank, first) - first));
}

// Whatever else stands in the file, such as comments.
std::string seed_in(std::string_view text) {
  for (std::size_t first = 0; (first = text.find_first_not_of(kBlank, first)) != text.npos;) {
    const auto end = std::min(text.find_first_of(kBlank, first), text.size());
    if (const auto word = text.substr(first, end - first); word.starts_with("SU")) {
      return std::string(word);
    }
    first = end;
  }
  return {};
}

void read_creds(Reader& reader, const std::string& file, Identity& identity) {
  const std::string text = reader.read("creds_file", file);
  if (text.empty()) return;
  identity.jwt = word_below(text, "BEGIN NATS USER JWT");
  identity.seed = word_below(text, "BEGIN USER NKEY SEED");
  if (identity.jwt.empty() || !public_nkey(identity.seed)) {
    reader.complain("creds_file", file, "expected a user's JWT and seed, as nsc writes them");
  }
}

void read_seed(Reader& reader, const Options& options, Identity& identity) {
  const auto& file = options.nkey_seed_file;
  const std::string text = reader.read("nkey_seed_file", file);
  if (text.empty()) return;
  identity.seed = seed_in(text);
  const auto nkey = public_nkey(identity.seed);
  if (!nkey) {
    reader.complain("nkey_seed_file", file, "expected the seed of a user's nkey, SU…");
  } else if (!options.nkey_public.empty() && options.nkey_public != *nkey) {
    reader.complain("nkey_seed_file", file, "its public key is not nkey_public, but " + *nkey);
  } else {
    identity.nkey = *nkey;
  }
}

// Each called by cnats while it connects, with the Identity as closure.
natsStatus give_jwt(char** jwt, char**, void* closure) {
  *jwt = ::strdup(static_cast<const Identity*>(closure)->jwt.c_str());
  return *jwt ? NATS_OK : NATS_NO_MEMORY;
}
natsStatus sign(char**, unsigned char** signature, int* length, const char* nonce, void* closure) {
  return nats_Sign(static_cast<const Identity*>(closure)->seed.c_str(), nonce, signature, length);
}

natsStatus set_login(natsOptions* to, const Options& options, const Identity& identity) {
  // cnats' closures are not const; its own calls above are all that uses them.
  void* const closure = const_cast<Identity*>(&identity);
  if (!identity.jwt.empty()) {
    return natsOptions_SetUserCredentialsCallbacks(to, give_jwt, closure, sign, closure);
  }
  if (!identity.nkey.empty()) {
    return natsOptions_SetNKey(to, identity.nkey.c_str(), sign, closure);
  }
  if (!identity.token.empty()) return natsOptions_SetToken(to, identity.token.c_str());
  if (options.user.empty()) return NATS_OK;
  const auto& password = identity.password;
  return natsOptions_SetUserInfo(to, options.user.c_str(),
                                 password.empty() ? nullptr : password.c_str());
}

// Sets one thing after the other, until one fails.
class Setter {
 public:
  template <class Set, class... Arguments>
  void operator()(std::string_view what, Set set, Arguments... arguments) {
    if (status_ != NATS_OK) return;
    status_ = set(arguments...);
    if (status_ != NATS_OK) failed_ = what;
  }
  bool ok() const { return status_ == NATS_OK; }
  std::string why() const { return std::string(failed_) + ": " + detail_of(status_); }

 private:
  natsStatus status_ = NATS_OK;
  std::string_view failed_;
};

void set_tls(Setter& set, natsOptions* to, const Tls& tls, const Identity& identity) {
  set("tls", natsOptions_SetSecure, to, true);
  if (!identity.ca.empty()) {
    set("tls.ca_file", natsOptions_SetCATrustedCertificates, to, identity.ca.c_str());
  }
  if (!identity.certificate.empty()) {
    set("tls.certificate_file and tls.key_file", natsOptions_SetCertificatesChain, to,
        identity.certificate.c_str(), identity.key.c_str());
  }
  if (!tls.verify) set("tls.verify", natsOptions_SkipServerVerification, to, true);
}

}  // namespace

bool reads_files(const Options& options) {
  const bool tls =
      options.tls && !(options.tls->ca_file.empty() && options.tls->certificate_file.empty());
  return tls || !options.creds_file.empty() || !options.nkey_seed_file.empty() ||
         !options.password_file.empty() || !options.token_file.empty();
}

base::Result<std::shared_ptr<const Identity>> read_identity(const Options& options,
                                                            std::string& why) {
  auto identity = std::make_shared<Identity>();
  Reader reader(why);
  if (options.tls) {
    identity->ca = reader.read("tls.ca_file", options.tls->ca_file);
    identity->certificate = reader.read("tls.certificate_file", options.tls->certificate_file);
    identity->key = reader.read("tls.key_file", options.tls->key_file);
  }
  read_creds(reader, options.creds_file, *identity);
  if (options.creds_file.empty()) read_seed(reader, options, *identity);
  identity->password = options.password_file.empty()
                           ? options.password
                           : reader.read_line("password_file", options.password_file);
  identity->token = options.token_file.empty() ? options.token
                                               : reader.read_line("token_file", options.token_file);
  if (reader.failed()) return Errc::invalid_argument;
  return std::shared_ptr<const Identity>(std::move(identity));
}

OptionsHandle make_options(const Options& options, const Identity& identity, std::string& why) {
  natsOptions* to = nullptr;
  if (natsOptions_Create(&to) != NATS_OK) return nullptr;
  OptionsHandle handle(to);
  std::vector<const char*> urls;
  for (const auto& url : options.urls) urls.push_back(url.c_str());
  Setter set;
  set("urls", natsOptions_SetServers, to, urls.data(), static_cast<int>(urls.size()));
  set("name", natsOptions_SetName, to, options.name.c_str());
  set("timeout", natsOptions_SetTimeout, to, std::int64_t{options.connect_timeout.count()});
  set("inbox_prefix", natsOptions_SetCustomInboxPrefix, to, options.inbox_prefix.c_str());
  set("reconnect", natsOptions_SetAllowReconnect, to, false);  // see EventLoop
  // cnats would ping from a thread of its own, and break the connection under the executor's hands.
  set("ping", natsOptions_SetPingInterval, to, std::int64_t{0});
  set("send", natsOptions_SetSendAsap, to, true);  // no flusher thread: EventLoop flushes
  // One thread, not one a subscription.
  set("delivery", natsOptions_UseGlobalMessageDelivery, to, true);
  if (options.tls) set_tls(set, to, *options.tls, identity);
  set("login", set_login, to, std::cref(options), std::cref(identity));
  if (set.ok()) return handle;
  why = set.why();
  return nullptr;
}

std::string explain(const Options& options, const std::string& detail) {
  struct Known {
    std::string_view sign, meaning;
  };
  // What OpenSSL, the server's alerts, or cnats say. The first that fits.
  static constexpr std::array kKnown{
      Known{"certificate has expired", "the server's certificate has expired: it needs a new one"},
      Known{"not yet valid", "the server's certificate is not valid yet: compare the clocks"},
      Known{"address mismatch", kOtherName}, Known{"ostname mismatch", kOtherName},
      Known{"self-signed certificate in certificate chain", kOtherAuthority},
      Known{"self-signed certificate",
            "the server's certificate is self-signed: name just that certificate in tls.ca_file, "
            "or give the server one of an authority"},
      Known{"unable to get local issuer certificate", kOtherAuthority},
      Known{"certificate signature failure", kOtherAuthority},
      Known{"protocol version", kOldProtocol}, Known{"unsupported protocol", kOldProtocol},
      Known{"Secure Connection not available",
            "the server offers no TLS: turn it on there, or tls.enabled off here"},
      Known{"alert certificate expired", "our certificate has expired: renew tls.certificate_file"},
      Known{"alert bad certificate", kOurCertificate},
      Known{"alert certificate required", kOurCertificate},
      Known{"alert unknown ca", kOurCertificate},
      // A server that takes no offence before it has all of the handshake just hangs up.
      Known{"Expected 'PONG', got ''", kHungUp}, Known{"SSL_write error", kHungUp},
      Known{"SSL_read error", kHungUp}};
  const bool has_certificate = options.tls && !options.tls->certificate_file.empty();
  for (const auto& [sign, meaning] : kKnown) {
    if (detail.find(sign) == detail.npos) continue;
    std::string text(meaning);
    if (meaning == kOurCertificate || meaning == kHungUp) {
      text += has_certificate ? "does not accept tls.certificate_file" : kCertificateMissing;
    }
    return text + " (" + detail + ")";
  }
  return detail;
}

}  // namespace bus
