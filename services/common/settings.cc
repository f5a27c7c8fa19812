#include "common/settings.h"

#include <utility>
#include <vector>

namespace common {

using config::Section;

bus::Options read_nats(const Section& nats, std::string name) {
  bus::Options options;
  options.name = std::move(name);
  options.urls = nats.list("urls", {.doc = "NATS servers of one cluster.",
                                    .otherwise = std::vector<std::string>{"nats://127.0.0.1:4222"},
                                    .pattern = "(nats|tls)://[^@/ ]+",
                                    .like = "nats://host:port",
                                    .count_min = 1,
                                    .count_max = 16});
  options.creds_file =
      nats.file("creds_file", {.doc = "A .creds file, as nsc writes it.", .required = false});
  options.nkey_seed_file =
      nats.file("nkey_seed_file", {.doc = "The seed of a user's nkey.", .required = false});
  options.nkey_public =
      nats.text("nkey_public",
                {.doc = "The public nkey that nkey_seed_file must have; else whichever it has.",
                 .otherwise = ""});
  if (!options.nkey_public.empty() && options.nkey_seed_file.empty()) {
    nats.wrong("nkey_public", "expected together with nkey_seed_file");
  }
  options.user = nats.text("user", {.doc = "User name, with password.", .otherwise = ""});
  const auto password = nats.secret("password", {.doc = "Password of user.", .required = false});
  options.password = password.reveal();
  options.password_file = password.file();
  const auto token = nats.secret("token", {.doc = "Token, instead of user.", .required = false});
  options.token = token.reveal();
  options.token_file = token.file();
  const int logins = !options.creds_file.empty() + !options.nkey_seed_file.empty() +
                     !options.user.empty() + !options.token.empty();
  if (logins > 1)
    nats.wrong("user", "expected one way to log in: creds_file, nkey, user, or token");
  options.inbox_prefix = nats.text(
      "inbox_prefix",
      {.doc = "What the subjects of replies begin with; the server's permissions go by it.",
       .otherwise = "_INBOX",
       .pattern = "[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+){0,3}",
       .like = "letters, digits, '-' and '_', with dots between",
       .length_max = 64});

  const Section tls = nats.section("tls");
  if (tls.boolean("enabled", {.doc = "TLS to the servers.", .otherwise = false}) ||
      tls.documenting()) {
    options.tls.emplace();
    options.tls->ca_file = tls.file(
        "ca_file",
        {.doc = "Who signs the servers' certificates; else the system's.", .required = false});
    options.tls->certificate_file = tls.file(
        "certificate_file", {.doc = "Our certificate, for servers that ask.", .required = false});
    options.tls->key_file = tls.file("key_file", {.doc = "Its key.", .required = false});
    if (options.tls->certificate_file.empty() != options.tls->key_file.empty()) {
      tls.wrong("key_file", "expected together with certificate_file, or neither of them");
    }
    options.tls->verify =
        tls.boolean("verify", {.doc = "False trusts anybody: for tests only.", .otherwise = true});
  }
  return options;
}

telemetry::log::Options read_log(const Section& log, std::string component) {
  using telemetry::log::Format;
  using telemetry::log::Level;
  telemetry::log::Options options;
  options.component = std::move(component);
  options.level = log.one_of<Level>("level",
                                    {{"debug", Level::debug},
                                     {"info", Level::info},
                                     {"warning", Level::warning},
                                     {"error", Level::error}},
                                    {.doc = "What is worth a line.", .otherwise = Level::info});
  options.format =
      log.one_of<Format>("format", {{"json", Format::json}, {"text", Format::text}},
                         {.doc = "For machines or for a terminal.", .otherwise = Format::json});
  return options;
}

telemetry::AdminOptions read_admin(const Section& admin, std::uint16_t port) {
  telemetry::AdminOptions options;
  options.address = admin.text(
      "address", {.doc = "Where metrics and probes are served.", .otherwise = "127.0.0.1"});
  options.port = static_cast<std::uint16_t>(admin.integer(
      "port", {.doc = "Their port; 0: any free one.", .otherwise = port, .most = 65'535}));
  return options;
}

}  // namespace common
