#include "pbxctl/session.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <boost/asio/ip/address.hpp>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "config/values.h"

namespace pbxctl {
namespace {

// A page of a thousand calls with all their parties.
constexpr int kMessageBytesMax = 64 << 20;
// More often, and the control service hangs up (services/control/server.cc).
constexpr int kPingInterval = 30'000;
constexpr int kPingTimeout = 10'000;
// A watch that lost its server looks for it this often at most.
constexpr int kReconnectFirst = 200;
constexpr int kReconnectMost = 2'000;

Outcome<std::string> content_of(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  if (!file) return Failure{ExitCode::usage, "cannot read " + printable(path), {}, {}};
  return content.str();
}

bool speaks_tls(const Options& options) {
  return options.tls || !options.ca_file.empty() || !options.cert_file.empty();
}

bool is_loopback(const std::string& server) {
  const auto address = config::host_port_from(server, 0);
  if (!address) return false;
  boost::system::error_code wrong;
  const auto parsed = boost::asio::ip::make_address(address->host, wrong);
  return wrong ? address->host == "localhost" : parsed.is_loopback();
}

// Empty: we have none.
Outcome<std::string> token_of(const Options& options) {
  const char* variable = std::getenv("PBXGW_TOKEN");
  std::string token = variable ? variable : "";
  const std::string from =
      options.token_file.empty() ? "PBXGW_TOKEN" : printable(options.token_file);
  if (!options.token_file.empty()) {
    auto content = content_of(options.token_file);
    if (!content) return content.error();
    token = std::move(*content);
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    if (token.empty()) return Failure{ExitCode::usage, from + " has no token in it", {}, {}};
  }
  const bool fine =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 127; });
  if (!fine) {
    return Failure{ExitCode::usage,
                   "what is in " + from +
                       " is no token: expected one line of "
                       "letters, digits and the like, without spaces",
                   {},
                   {}};
  }
  return token;
}

Outcome<std::shared_ptr<grpc::ChannelCredentials>> credentials_of(const Options& options) {
  if (!speaks_tls(options)) return grpc::InsecureChannelCredentials();
  auto roots = content_of(options.ca_file);
  if (!roots) return roots.error();
  auto key = content_of(options.key_file);
  if (!key) return key.error();
  auto certificate = content_of(options.cert_file);
  if (!certificate) return certificate.error();
  return grpc::SslCredentials({*roots, *key, *certificate});
}

}  // namespace

Session::Session(const Options& options, const Terminal& terminal)
    : options_(options), terminal_(terminal), style_(colored(options, terminal)) {}

Outcome<std::shared_ptr<grpc::Channel>> Session::channel() {
  if (channel_) return channel_;
  auto credentials = credentials_of(options_);
  if (!credentials) return credentials.error();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingInterval);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeout);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectFirst);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kReconnectMost);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMost);
  // The address was said; a proxy for web pages has no part in it.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  channel_ = grpc::CreateCustomChannel(options_.server, *credentials, arguments);
  return channel_;
}

Outcome<void> Session::authorize(grpc::ClientContext& context) {
  auto token = token_of(options_);
  if (!token) return token.error();
  token_ = *token;
  if (token->empty()) return {};
  // gRPC's own credentials of calls would refuse to go without TLS even within this machine.
  if (!speaks_tls(options_) && !is_loopback(options_.server) && !options_.insecure_token) {
    return Failure{ExitCode::usage,
                   "the token is not sent to " + options_.server +
                       " without TLS: everybody in between could read it, and use it",
                   {"Add --tls or --ca-file; or --insecure-token, if the network is yours alone."},
                   {}};
  }
  context.AddMetadata("authorization", "Bearer " + *token);
  return {};
}

bool Session::has_another_token() const {
  const auto token = token_of(options_);
  return token && *token != token_;
}

Outcome<void> Session::connect() {
  auto made = channel();
  if (!made) return made.error();
  const auto deadline = std::chrono::system_clock::now() + options_.timeout;
  for (;;) {
    const auto state = channel_->GetState(true);
    if (state == GRPC_CHANNEL_READY || state == GRPC_CHANNEL_TRANSIENT_FAILURE) return {};
    if (channel_->WaitForStateChange(state, deadline)) continue;
    return Failure{ExitCode::unavailable,
                   "cannot reach the control service at " + options_.server +
                       ": no answer within " + config::text_of(options_.timeout),
                   {"Is that the right address, and does a firewall let us through?"},
                   {}};
  }
}

Failure Session::failure_of(const grpc::Status& status) const {
  return to_failure(status, options_.server, config::text_of(options_.timeout));
}

}  // namespace pbxctl
