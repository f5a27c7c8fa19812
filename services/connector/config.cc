#include "connector/config.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include <openssl/sha.h>
#include <unistd.h>

#include "common/settings.h"
#include "config/section.h"
#include "connector/config_inbound.h"

namespace connector {
namespace {

using config::Section;
using namespace std::chrono_literals;

constexpr std::string_view kIdPattern = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
constexpr std::string_view kIdLike = "1 to 63 lower-case letters, digits and '-'";

std::string host_name() {
  char name[256] = "connector";
  gethostname(name, sizeof name - 1);
  std::string text;
  for (const char c : std::string(name)) {
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    text += std::isalnum(static_cast<unsigned char>(c)) ? lower : '-';
  }
  return text;
}

// Everything that was read of a tenant, in order, so that a change of any of it is seen.
class Digest {
 public:
  void add(std::string_view text) {
    text_ += std::to_string(text.size());
    text_ += ':';
    text_ += text;
  }
  void add(std::int64_t number) { add(std::to_string(number)); }
  std::string hex() const {
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text_.data()), text_.size(), hash);
    std::string out;
    for (const unsigned char byte : hash) {
      out += "0123456789abcdef"[byte >> 4];
      out += "0123456789abcdef"[byte & 15];
    }
    return out;
  }

 private:
  std::string text_;
};

// What stands for the content of the files named.
std::string read_tls(const Section& tls, net::TlsOptions& options, Digest& digest) {
  options.verify = tls.boolean(
      "verify",
      {.doc = "False trusts any certificate; shown in a metric and the log.", .otherwise = true});
  options.ca_file =
      tls.file("ca_file", {.doc = "Who signs the PBX's certificate; else the system's authorities.",
                           .required = false});
  options.pinned_sha256 =
      tls.list("pinned_sha256", {.doc = "Trust just these certificates, by SHA-256 in hex.",
                                 .otherwise = std::vector<std::string>{},
                                 .pattern = "[0-9a-fA-F]{64}",
                                 .like = "64 hex digits",
                                 .count_max = 8});
  options.server_name =
      tls.text("server_name",
               {.doc = "The name in the PBX's certificate, if not the host's.", .otherwise = ""});
  options.certificate_file = tls.file(
      "certificate_file", {.doc = "Our certificate, if the PBX asks for one.", .required = false});
  options.key_file = tls.file("key_file", {.doc = "Its key.", .required = false});
  if (options.certificate_file.empty() != options.key_file.empty()) {
    tls.wrong("key_file", "expected together with certificate_file, or neither of them");
  }
  options.min_version = tls.one_of<net::TlsVersion>(
      "min_version",
      {{"1.0", net::TlsVersion::v1_0},
       {"1.2", net::TlsVersion::v1_2},
       {"1.3", net::TlsVersion::v1_3}},
      {.doc = "The oldest TLS version accepted.", .otherwise = net::TlsVersion::v1_2});
  options.legacy_renegotiation = tls.boolean(
      "legacy_renegotiation", {.doc = "Accept servers without RFC 5746.", .otherwise = false});

  digest.add(options.verify);
  digest.add(options.ca_file);
  for (const auto& pin : options.pinned_sha256) digest.add(pin);
  digest.add(options.server_name);
  digest.add(options.certificate_file);
  digest.add(options.key_file);
  digest.add(static_cast<int>(options.min_version));
  digest.add(options.legacy_renegotiation);
  std::string files;
  for (const auto* file : {&options.ca_file, &options.certificate_file, &options.key_file}) {
    files += tls.version_of(*file) + ' ';
  }
  digest.add(files);
  return files;
}

void read_limits(const Section& limits, TenantConfig& tenant, Digest& digest) {
  auto& out = tenant.limits;
  auto& backoff = tenant.backoff;
  auto duration = [&](std::string_view key, std::string_view doc, std::chrono::milliseconds& value,
                      Duration least, Duration most) {
    value = limits.duration(key, {.doc = doc, .otherwise = value, .least = least, .most = most});
    digest.add(value.count());
  };
  duration("resolve", "To resolve the host name.", out.resolve, 10ms, 60s);
  duration("connect", "To connect by TCP.", out.connect, 10ms, 60s);
  duration("tls", "For the TLS handshake.", out.tls, 10ms, 60s);
  duration("upgrade", "For the upgrade to WebSocket.", out.upgrade, 10ms, 60s);
  duration("ping_interval",
           "A ping after this long without hearing anything; given up after as long again.",
           out.ping_interval, 50ms, 10min);
  duration("backoff_first", "Before the second attempt to connect; doubles each time.",
           backoff.first, 10ms, 10min);
  duration("backoff_most", "The longest time between attempts.", backoff.most, 10ms, 1h);
  duration(
      "quick_end",
      "A link that ends this soon after being up, three times in a row, suggests that somebody "
      "else logs in with the same account; 0s: never.",
      tenant.quick_end, 0ms, 10min);
  out.message_bytes_max = limits.bytes("message", {.doc = "The largest message taken from a PBX.",
                                                   .otherwise = out.message_bytes_max,
                                                   .least = 1024,
                                                   .most = 256 << 20});
  digest.add(static_cast<std::int64_t>(out.message_bytes_max));
}

std::map<std::string, pbx::Account> read_accounts(const Section& pbx, const pbx::Setting& setting,
                                                  Digest& digest) {
  std::map<std::string, pbx::Account> accounts;
  pbx.each(
      setting.name,
      [&](const Section& item) {
        const auto device = item.text("device", {.doc = "The device's number.", .length_max = 64});
        pbx::Account account;
        account.user = item.text("user", {.doc = "Its user name at the PBX."});
        account.password = item.secret("password", {.doc = "Its password at the PBX."}).reveal();
        account.pinned =
            item.boolean("pinned", {.doc = "Keep its connection open.", .otherwise = false});
        digest.add(device);
        digest.add(account.user);
        digest.add(account.password);
        digest.add(account.pinned);
        accounts[device] = std::move(account);
      },
      {.doc = setting.meaning, .count_max = 20'000, .unique = "device"});
  return accounts;
}

std::map<std::string, std::string> read_tokens(const Section& pbx, const pbx::Setting& setting,
                                               Digest& digest) {
  std::map<std::string, std::string> tokens;
  pbx.each(setting.name,
           [&](const Section& item) {
             const auto device =
                 item.text("device", {.doc = "The device's number.", .length_max = 64});
             auto token = item.secret("token", {.doc = "An access token of its user."}).reveal();
             digest.add(device);
             digest.add(token);
             tokens[device] = std::move(token);
           },
           {.doc = setting.meaning, .count_max = 20'000, .unique = "device"});
  return tokens;
}

std::map<std::string, pbx::App> read_apps(const Section& pbx, const pbx::Setting& setting,
                                          Digest& digest) {
  std::map<std::string, pbx::App> apps;
  pbx.each(setting.name,
           [&](const Section& item) {
             const auto name = item.text(
                 "app", {.doc = "The name of its App object in the PBX.", .length_max = 64});
             pbx::App app;
             app.domain = item.text(
                 "domain", {.doc = "The PBX's system name; part of the login.", .otherwise = ""});
             app.password = item.secret("password", {.doc = "The App object's password."}).reveal();
             static constexpr std::string_view kScopes[] = {"user", "object"};
             app.whole =
                 item.word("scope", kScopes,
                           {.doc = "user: each login is one user's; object: a login may name "
                                   "nobody, and then has all the rights of the App object.",
                            .otherwise = "user"}) == "object";
             digest.add(name);
             digest.add(app.domain);
             digest.add(app.password);
             digest.add(app.whole);
             apps[name] = std::move(app);
           },
           {.doc = setting.meaning, .count_max = 100, .unique = "app"});
  return apps;
}

pbx::Value read_setting(const Section& pbx, const pbx::Setting& setting, Digest& digest) {
  const std::string_view name = setting.name;
  const bool required = setting.fallback == nullptr;
  switch (setting.kind) {
    case pbx::SettingKind::text: {
      config::Text how{.doc = setting.meaning};
      if (!required) how.otherwise = setting.fallback;
      auto text = pbx.text(name, how);
      digest.add(text);
      return text;
    }
    case pbx::SettingKind::choice: {
      config::Word how{.doc = setting.meaning};
      if (!required) how.otherwise = setting.fallback;
      auto word = pbx.word(name, setting.choices, how);
      digest.add(word);
      return word;
    }
    case pbx::SettingKind::secret: {
      auto text = pbx.secret(name, {.doc = setting.meaning, .required = required}).reveal();
      digest.add(text);
      return text;
    }
    case pbx::SettingKind::boolean: {
      config::Boolean how{.doc = setting.meaning};
      if (!required) how.otherwise = config::boolean_from(setting.fallback);
      const bool value = pbx.boolean(name, how);
      digest.add(value);
      return value;
    }
    case pbx::SettingKind::integer: {
      config::Integer how{.doc = setting.meaning, .least = setting.least, .most = setting.most};
      if (!required) how.otherwise = config::integer_from(setting.fallback);
      const auto value = pbx.integer(name, how);
      digest.add(value);
      return value;
    }
    case pbx::SettingKind::duration: {
      config::Duration how{
          .doc = setting.meaning, .least = Duration(setting.least), .most = Duration(setting.most)};
      if (!required) how.otherwise = config::duration_from(setting.fallback);
      const auto value = pbx.duration(name, how);
      digest.add(value.count());
      return value;
    }
    case pbx::SettingKind::accounts: return read_accounts(pbx, setting, digest);
    case pbx::SettingKind::tokens: return read_tokens(pbx, setting, digest);
    case pbx::SettingKind::apps: return read_apps(pbx, setting, digest);
  }
  return std::string();
}

TenantConfig read_tenant(const Section& tenant) {
  TenantConfig config;
  Digest digest;
  config.id =
      base::TenantId(tenant.text("id", {.doc = "The tenant's name in subjects, names and logs.",
                                        .pattern = kIdPattern,
                                        .like = kIdLike,
                                        .length_max = 63}));
  config.title =
      tenant.text("title", {.doc = "The name for people.", .otherwise = config.id.str()});
  digest.add(config.id.str());
  digest.add(config.title);

  std::string known;
  for (const pbx::Vendor& vendor : pbx::vendors())
    known += (known.empty() ? "" : ", ") + std::string(vendor.name);
  const auto vendor_name = tenant.text("vendor", {.doc = "The PBX family.", .length_max = 32});
  digest.add(vendor_name);
  config.vendor = pbx::find_vendor(vendor_name);
  const Section pbx = tenant.section("pbx");
  auto read_settings = [&](const pbx::Vendor& vendor) {
    for (const pbx::Setting& setting : vendor.settings) {
      config.settings.set(setting.name, read_setting(pbx, setting, digest));
    }
  };
  if (config.vendor) {
    read_settings(*config.vendor);
    if (config.vendor->check && !tenant.documenting()) {
      for (const pbx::Mistake& mistake : config.vendor->check(config.settings)) {
        pbx.wrong(mistake.setting, mistake.sentence);
      }
    }
  } else if (tenant.documenting()) {
    for (const pbx::Vendor& vendor : pbx::vendors()) read_settings(vendor);
  } else if (!vendor_name.empty()) {
    tenant.wrong("vendor", "found " + config::quote(vendor_name) + "; expected one of " + known);
  }
  config.tls_files = read_tls(tenant.section("tls"), config.tls, digest);
  read_limits(tenant.section("limits"), config, digest);
  if (config.vendor && config.vendor->inbound) {
    config.path = config.vendor->inbound->path(config.settings);
    if (!config.path.empty()) config.path = normal_path(std::move(config.path));
  }
  config.digest = digest.hex();
  return config;
}

}  // namespace

telemetry::AdminOptions read_admin(config::Document& document) {
  return common::read_admin(document.root().section("admin"), 9'464);
}

Config read_config(config::Document& document) {
  const Section root = document.root();
  Config config;
  config.instance =
      root.text("instance", {.doc = "This connector's name; unique among the connectors "
                                    "of one NATS.",
                             .otherwise = host_name() + "-" + std::to_string(getpid()),
                             .pattern = "[A-Za-z0-9-]{1,100}",
                             .like = "letters, digits and '-'"});
  config.weight = static_cast<std::uint32_t>(
      root.integer("weight", {.doc = "Its share of the tenants, relative to the others'.",
                              .otherwise = 1,
                              .least = 1,
                              .most = 1'000}));
  const auto cores = std::max(1u, std::thread::hardware_concurrency());
  config.threads = static_cast<unsigned>(
      root.integer("threads", {.doc = "Threads that serve tenants; by default one for each core.",
                               .otherwise = cores,
                               .least = 1,
                               .most = 256}));
  config.nats = common::read_nats(root.section("nats"), "pbxgw-connector " + config.instance);

  const Section events = root.section("events");
  config.domain = events.text("domain", {.doc = "Stands in every event's source: //<domain>/pbx/…",
                                         .otherwise = "pbxgw.local",
                                         .pattern = "[A-Za-z0-9.-]{1,253}",
                                         .like = "a domain name"});
  config.format = events.one_of<wire::Format>(
      "format", {{"protobuf", wire::Format::protobuf}, {"json", wire::Format::json}},
      {.doc = "How events are written.", .otherwise = wire::Format::protobuf});
  config.checkpoint_interval = events.duration(
      "checkpoint_interval", {.doc = "How often a tenant's state is kept for the next owner.",
                              .otherwise = 5s,
                              .least = 100ms,
                              .most = 10min});

  const Section stream = root.section("stream");
  config.stream.max_age = stream.duration(
      "max_age",
      {.doc = "How long events are kept.", .otherwise = 24h, .least = 1min, .most = 24h * 365});
  config.stream.duplicate_window = stream.duration(
      "duplicate_window", {.doc = "How long the server recognises an event sent twice.",
                           .otherwise = 2min,
                           .least = 1s,
                           .most = 1h});
  config.stream.max_bytes = stream.bytes(
      "max_bytes",
      {.doc = "How much space events may take.", .otherwise = 1ull << 30, .least = 1 << 20});
  config.stream.replicas = static_cast<int>(
      stream.integer("replicas", {.doc = "Copies in the cluster, of streams and buckets.",
                                  .otherwise = 1,
                                  .least = 1,
                                  .most = 5}));
  config.stream.memory =
      stream.boolean("memory", {.doc = "Keep events in memory only.", .otherwise = false});
  if (config.stream.duplicate_window > config.stream.max_age) {
    stream.wrong("duplicate_window", "expected no longer than stream.max_age");
  }

  const Section outbox = root.section("outbox");
  config.outbox.events_max = static_cast<std::size_t>(outbox.integer(
      "events_max", {.doc = "Events of one tenant that wait for NATS; more is a StreamGap.",
                     .otherwise = 20'000,
                     .least = 256,
                     .most = 10'000'000}));
  config.outbox.bytes_max =
      outbox.bytes("bytes_max", {.doc = "Their size.", .otherwise = 32 << 20, .least = 1 << 20});
  config.outbox.total_bytes_max = outbox.bytes(
      "total_bytes_max",
      {.doc = "The size of all tenants' together.", .otherwise = 512 << 20, .least = 1 << 20});
  config.outbox.age_max = outbox.duration(
      "age_max", {.doc = "The longest an event may wait; 0s: as long as there is room.",
                  .otherwise = 0s,
                  .most = 24h});

  const Section lease = root.section("lease");
  config.lease.ttl =
      lease.duration("ttl", {.doc = "A tenant whose owner dies is taken over after this.",
                             .otherwise = 10s,
                             .least = 1s,
                             .most = 5min});
  config.lease.settle = lease.duration(
      "settle", {.doc = "How long connectors must stay the same before tenants move for balance.",
                 .otherwise = 10s,
                 .least = 0s,
                 .most = 1h});

  config.commands_max = static_cast<std::size_t>(root.section("limits").integer(
      "commands_max", {.doc = "Commands of one tenant that wait for its PBX.",
                       .otherwise = 256,
                       .least = 1,
                       .most = 100'000}));
  config.signals_max = static_cast<std::size_t>(root.section("limits").integer(
      "signals_max", {.doc = "Media clients (WebRtc.Signal) of one tenant at a time; beyond it: "
                             "RESOURCE_EXHAUSTED.",
                      .otherwise = 1'000,
                      .least = 1,
                      .most = 100'000}));
  config.recordings_max = static_cast<std::size_t>(root.section("limits").integer(
      "recordings_max", {.doc = "Recordings fetched from one tenant's PBX at a time.",
                         .otherwise = 8,
                         .least = 1,
                         .most = 1'000}));
  config.recording_bytes_max = root.section("limits").bytes(
      "recording_bytes_max",
      {.doc = "The largest recording fetched from a PBX.", .otherwise = 256 << 20, .least = 1024});
  config.recording_time_max = root.section("limits").duration(
      "recording_time_max", {.doc = "The longest that fetching a recording may take.",
                             .otherwise = 10min,
                             .least = 1s,
                             .most = 24h});
  auto logins = [&](std::string_view key, std::string_view doc, unsigned otherwise) {
    return static_cast<unsigned>(root.section("limits").integer(
        key, {.doc = doc, .otherwise = otherwise, .least = 1, .most = 10'000}));
  };
  config.logins_per_tenant = logins(
      "logins_per_tenant",
      "Logins signed for browsers (AppLogin.SignChallenge) of one tenant in a minute; beyond "
      "it: RESOURCE_EXHAUSTED.",
      config.logins_per_tenant);
  config.logins_per_caller =
      logins("logins_per_caller", "Of them, those asked for from one address: a web server's.",
             config.logins_per_caller);
  config.logins_per_user =
      logins("logins_per_user", "Of them, those for one user.", config.logins_per_user);
  config.drain_limit =
      root.section("limits").duration("drain", {.doc = "The longest an orderly end may take.",
                                                .otherwise = 10s,
                                                .least = 1s,
                                                .most = 10min});

  config.inbound = read_inbound(root.section("inbound"));
  config.admin = read_admin(document);
  config.log = common::read_log(root.section("log"), "connector");

  // Read only to be compared; that a changed password counts too is on purpose.
  Digest fixed;
  for (const auto& url : config.nats.urls) fixed.add(url);
  for (const auto& text :
       {config.instance, config.nats.creds_file, config.nats.nkey_public,
        config.nats.nkey_seed_file, config.nats.user,
        // What stands in a file of its own is read again without a restart.
        config.nats.password_file.empty() ? config.nats.password : config.nats.password_file,
        config.nats.token_file.empty() ? config.nats.token : config.nats.token_file,
        config.nats.inbox_prefix, config.domain, config.admin.address, config.inbound.address,
        config.inbound.certificate_file, config.inbound.key_file}) {
    fixed.add(text);
  }
  for (const std::int64_t number : {std::int64_t(config.weight),
                                    std::int64_t(config.threads),
                                    std::int64_t(config.format),
                                    std::int64_t(config.stream.max_age.count()),
                                    std::int64_t(config.stream.duplicate_window.count()),
                                    std::int64_t(config.stream.max_bytes),
                                    std::int64_t(config.stream.replicas),
                                    std::int64_t(config.stream.memory),
                                    std::int64_t(config.outbox.events_max),
                                    std::int64_t(config.outbox.bytes_max),
                                    std::int64_t(config.outbox.total_bytes_max),
                                    std::int64_t(config.outbox.age_max.count()),
                                    std::int64_t(config.lease.ttl.count()),
                                    std::int64_t(config.lease.settle.count()),
                                    std::int64_t(config.checkpoint_interval.count()),
                                    std::int64_t(config.drain_limit.count()),
                                    std::int64_t(config.commands_max),
                                    std::int64_t(config.signals_max),
                                    std::int64_t(config.recordings_max),
                                    std::int64_t(config.recording_bytes_max),
                                    std::int64_t(config.recording_time_max.count()),
                                    std::int64_t(config.inbound.port),
                                    std::int64_t(config.inbound.plain),
                                    std::int64_t(config.inbound.connections_max),
                                    std::int64_t(config.inbound.per_address_max),
                                    std::int64_t(config.inbound.login_limit.count()),
                                    std::int64_t(config.inbound.handover_limit.count()),
                                    std::int64_t(config.logins_per_tenant),
                                    std::int64_t(config.logins_per_caller),
                                    std::int64_t(config.logins_per_user),
                                    std::int64_t(config.admin.port),
                                    std::int64_t(config.log.level),
                                    std::int64_t(config.log.format)}) {
    fixed.add(number);
  }
  config.fixed = fixed.hex();

  std::map<std::string, std::string> paths;
  root.each("tenants",
            [&](const Section& tenant) {
              config.tenants.push_back(read_tenant(tenant));
              check_path(tenant, config.tenants.back(), config.inbound, paths);
            },
            {.doc = "The customers and their PBXs.", .count_max = 20'000, .unique = "id"});
  config.kept = document.kept();
  return config;
}

}  // namespace connector
