#include "pbxctl/options.h"

#include <algorithm>
#include <cstdlib>

#include "config/values.h"
#include "wire/names.h"

namespace pbxctl {
namespace {

constexpr std::uint16_t kPort = 7443;

std::string in_quotes(const std::string& text) { return '"' + printable(text) + '"'; }

void set_server(Options& options, const std::string& text) {
  const auto address = config::host_port_from(text, kPort);
  if (!address || address->port == 0) {
    throw CLI::ValidationError(
        "--server", "found " + in_quotes(text) + "; expected HOST:PORT such as 127.0.0.1:7443");
  }
  options.server = config::text_of(*address);
}

// "acme" or "tenants/acme"; "-" is all, which is also what it means when not given.
void set_tenant(Options& options, const std::string& text) {
  if (text == "-" || text == "tenants/-") {
    options.tenant.clear();
    return;
  }
  if (text.find('/') == std::string::npos && !text.empty()) {
    options.tenant = text;
    return;
  }
  const auto parsed = wire::parse_tenant(text);
  if (!parsed) {
    throw CLI::ValidationError(
        "--tenant", "found " + in_quotes(text) + "; expected a name such as acme or tenants/acme");
  }
  options.tenant = parsed->str();
}

}  // namespace

void add_options(CLI::App& root, Options& options) {
  const char* group = "Options of every verb";
  root.add_option_function<std::string>(
          "--server", [&](const std::string& text) { set_server(options, text); },
          "Where the control service is; default " + options.server)
      ->type_name("HOST:PORT")
      ->envname("PBXGW_SERVER")
      ->group(group);
  root.add_option_function<std::string>(
          "--tenant", [&](const std::string& text) { set_tenant(options, text); },
          "The tenant; not needed where there is only one")
      ->type_name("NAME")
      ->envname("PBXGW_TENANT")
      ->group(group);
  root.add_flag("--json", options.json, "One JSON object per line (proto3 JSON)")->group(group);
  add_duration(
      root, "--timeout", [&](auto time) { options.timeout = time; },
      "The longest to wait for an answer; default 10s")
      ->group(group);
  root.add_option("--color", options.color, "When to colour; also NO_COLOR=1")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("")
      ->group(group);
  const char* tls_group = "TLS";
  root.add_flag("--tls", options.tls, "Speak TLS; implied by the others")->group(tls_group);
  root.add_option("--ca-file", options.ca_file,
                  "Who signs the service's certificate (PEM); else the system's")
      ->type_name("FILE")
      ->envname("PBXGW_CA_FILE")
      ->check(CLI::ExistingFile.description(""))
      ->group(tls_group);
  auto* cert = root.add_option("--cert,--cert-file", options.cert_file, "Our certificate (PEM)")
                   ->type_name("FILE")
                   ->envname("PBXGW_CERT_FILE")
                   ->check(CLI::ExistingFile.description(""))
                   ->group(tls_group);
  auto* key = root.add_option("--key,--key-file", options.key_file, "Its key (PEM)")
                  ->type_name("FILE")
                  ->envname("PBXGW_KEY_FILE")
                  ->check(CLI::ExistingFile.description(""))
                  ->group(tls_group);
  cert->needs(key);
  key->needs(cert);
  const char* token_group =
      "Token (or the variable PBXGW_TOKEN; never an argument, which ps shows)";
  root.add_option("--token-file", options.token_file, "Has the token to send with each request")
      ->type_name("FILE")
      ->envname("PBXGW_TOKEN_FILE")
      ->check(CLI::ExistingFile.description(""))
      ->group(token_group);
  root.add_flag("--insecure-token", options.insecure_token,
                "Send it to another machine without TLS, where all in between can read it")
      ->group(token_group);
}

CLI::Option* add_duration(CLI::App& app, const std::string& name,
                          std::function<void(std::chrono::milliseconds)> set,
                          const std::string& meaning) {
  return app
      .add_option_function<std::string>(
          name,
          [name, set = std::move(set)](const std::string& text) {
            const auto time = config::duration_from(text);
            if (!time || *time <= std::chrono::milliseconds(0)) {
              throw CLI::ValidationError(
                  name, "found " + in_quotes(text) + "; expected a time such as 500ms, 10s or 5m");
            }
            set(*time);
          },
          meaning)
      ->type_name("TIME");
}

CLI::Option* add_data(CLI::App& app, const std::string& name, Data& data,
                      const std::string& meaning) {
  return app
      .add_option_function<std::vector<std::string>>(
          name,
          [name, &data](const std::vector<std::string>& texts) {
            for (const auto& text : texts) {
              const auto equals = text.find('=');
              if (equals == std::string::npos || equals == 0) {
                throw CLI::ValidationError(
                    name, "found " + in_quotes(text) + "; expected KEY=VALUE such as order=4711");
              }
              std::string key = text.substr(0, equals);
              const bool twice = std::any_of(data.begin(), data.end(),
                                             [&](const auto& it) { return it.first == key; });
              if (twice) throw CLI::ValidationError(name, "has " + in_quotes(key) + " twice");
              data.emplace_back(std::move(key), text.substr(equals + 1));
            }
          },
          meaning)
      ->type_name("KEY=VALUE");
}

bool colored(const Options& options, const Terminal& terminal) {
  if (options.color != "auto") return options.color == "always";
  const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org: set, and not empty
  return terminal.is_terminal && (no_color == nullptr || *no_color == '\0');
}

}  // namespace pbxctl
