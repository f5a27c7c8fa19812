#include "simulator/settings.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "simulator/innovaphone_settings.h"
#include "simulator/read_pattern.h"
#include "simulator/scenario/operation.h"
#include "simulator/webitel_settings.h"

namespace simulator {
namespace {

using config::Section;
using engine::Millis;

constexpr std::int64_t kExtensionsMax = 100'000;
constexpr std::int64_t kTenantsMax = 20'000;

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::uint16_t port_at(const Section& section, std::string_view key, std::int64_t otherwise,
                      std::string_view doc) {
  return static_cast<std::uint16_t>(
      section.integer(key, {.doc = doc, .otherwise = otherwise, .least = 0, .most = 65'535}));
}

// 1000 and 3 are 1000, 1001, 1002; leading zeros stay.
std::vector<std::string> range(std::string_view from, std::int64_t count) {
  std::vector<std::string> numbers;
  const auto first = config::integer_from(from).value_or(0);
  for (std::int64_t i = 0; i < count; ++i) {
    std::string number = std::to_string(first + i);
    if (number.size() < from.size()) number.insert(0, from.size() - number.size(), '0');
    numbers.push_back(std::move(number));
  }
  return numbers;
}

std::vector<std::string> read_extensions(const Section& section) {
  if (section.has("extensions") && section.has("extension_range")) {
    section.wrong("extension_range", "expected either extensions or extension_range, not both");
  }
  std::vector<std::string> numbers;
  if (section.has("extensions") || !section.has("extension_range") || section.documenting()) {
    numbers = section.list("extensions", {.doc = "Their numbers.",
                                          .otherwise = demo_tenant().stage.engine.extensions,
                                          .pattern = scenario::kNumberPattern,
                                          .like = scenario::kNumberLike,
                                          .length_max = 64,
                                          .count_min = 1,
                                          .count_max = kExtensionsMax});
  }
  if (section.has("extension_range") || section.documenting()) {
    const Section it = section.section("extension_range");
    const auto from = it.text(
        "from",
        {.doc = "The first number.", .pattern = "[0-9]{1,15}", .like = "digits, at most 15"});
    const auto count =
        it.integer("count", {.doc = "How many.", .least = 1, .most = kExtensionsMax});
    numbers = range(from, count);
  }
  if (std::set<std::string>(numbers.begin(), numbers.end()).size() != numbers.size()) {
    section.wrong("extensions", "has a number twice");
  }
  return numbers;
}

std::vector<engine::AnswerRule> read_answers(const Section& section) {
  std::vector<engine::AnswerRule> rules;
  section.each("answers",
               [&](const Section& rule) {
                 const auto to =
                     rule.text("to", {.doc = "A number, or its beginning and '*'.",
                                      .pattern = "[0-9A-Za-z+*#._-]{1,64}",
                                      .like = "a number, or the beginning of one and '*'"});
                 rules.push_back({to, scenario::read_plan(rule)});
               },
               {.doc = "What the far end of calls does that clients start; the first that fits.",
                .count_max = 1'000});
  return rules;
}

engine::TenantOptions read_engine(const Section& section) {
  engine::TenantOptions it;
  it.extensions = read_extensions(section);
  it.lines = static_cast<std::size_t>(section.integer(
      "lines",
      {.doc = "Calls an extension may have at once.", .otherwise = 2, .least = 1, .most = 100}));
  it.calls_max = static_cast<std::size_t>(section.integer(
      "calls_max", {.doc = "Calls at once.", .otherwise = 100'000, .least = 1, .most = 1'000'000}));
  it.outside_digits_min = static_cast<std::size_t>(section.integer(
      "outside_digits_min", {.doc = "Shorter numbers that are no extension do not exist.",
                             .otherwise = 6,
                             .least = 1,
                             .most = 64}));
  it.ring_timeout = section.duration(
      "ring_timeout", {.doc = "Until an unanswered call ends.", .otherwise = it.ring_timeout});
  it.busy_tone = section.duration(
      "busy_tone", {.doc = "How long a caller hears it.", .otherwise = it.busy_tone});
  it.post_dial = section.duration(
      "post_dial", {.doc = "Until an outside number rings.", .otherwise = it.post_dial});
  it.callback_answer = section.duration("callback_answer",
                                        {.doc = "Until the own phone answers, when a client calls.",
                                         .otherwise = *it.callback_answer});
  if (!section.boolean("callback_answers",
                       {.doc = "Whether it answers by itself at all.", .otherwise = true})) {
    it.callback_answer.reset();
  }
  it.answers = read_answers(section);
  it.record_all = section.boolean("record_all", {.doc = "Record every call.", .otherwise = false});
  it.did_prefix = section.text("did_prefix", {.doc = "Before an extension, its public number.",
                                              .otherwise = "",
                                              .pattern = "[+0-9]{1,32}",
                                              .like = "digits, perhaps after a '+'"});
  return it;
}

innova360::Settings read_innova360(const Section& section, const Settings& all) {
  innova360::Settings it;
  it.server = section.text("server", {.doc = "Its name in frames.", .otherwise = all.server});
  const Section supervisor = section.section("supervisor");
  it.supervisor_user =
      supervisor.text("user", {.doc = "Sees everything.", .otherwise = "{tenant}"});
  it.supervisor_password =
      supervisor.text("password", {.doc = "A test's, no secret.", .otherwise = "{tenant}-demo"});
  const Section agents = section.section("agents");
  it.agent_user = read_pattern(agents, "user", "{extension}", "An agent's user name.");
  it.agent_password = read_pattern(agents, "password", "agent-{extension}", "An agent's password.");
  const Section variants = section.section("variants");
  for (const auto& name : innova360::variant_names()) {
    if (!variants.has(name)) continue;
    const auto value = variants.text(name, {.doc = "See README.", .otherwise = ""});
    const auto wrong = innova360::set_variant(it.variants, name, value);
    if (!wrong.empty()) variants.wrong(name, wrong);
  }
  return it;
}

void read_accounts(const Section& section, vodia::Settings& it) {
  section.each("accounts",
               [&](const Section& each) {
                 vodia::Account account;
                 account.number = each.text("number", {.doc = "Its number.",
                                                       .pattern = scenario::kNumberPattern,
                                                       .like = scenario::kNumberLike,
                                                       .length_max = 64});
                 account.type =
                     each.text("type", {.doc = "orbits, acds, hunts, attendants, conferences, ...",
                                        .pattern = "[a-z]{1,32}",
                                        .like = "small letters"});
                 account.name =
                     each.text("name", {.doc = "Its name.", .otherwise = account.number});
                 it.accounts.push_back(std::move(account));
               },
               {.doc = "Those that are no extensions.", .count_max = 10'000, .unique = "number"});
}

vodia::Settings read_vodia(const Section& section) {
  vodia::Settings it;
  it.domain = section.text("domain", {.doc = "As clients name it.", .otherwise = "{tenant}"});
  it.profile = section.one_of<vodia::Profile>(
      "profile",
      {{"legacy2016", vodia::Profile::legacy2016},
       {"v67", vodia::Profile::v67},
       {"v70", vodia::Profile::v70}},
      {.doc = "Which generation of servers it is.", .otherwise = vodia::Profile::v70});
  it.version =
      section.text("version", {.doc = "Instead of the profile's own.", .otherwise = it.version});
  const Section admin = section.section("admin");
  it.admin_user =
      admin.text("user", {.doc = "The system's administrator.", .otherwise = it.admin_user});
  it.admin_password =
      admin.text("password", {.doc = "A test's, no secret.", .otherwise = it.admin_password});
  it.tenant_password = section.text("tenant_password",
                                    {.doc = "Of admin@{domain}.", .otherwise = it.tenant_password});
  it.password = read_pattern(section, "password", "agent-{extension}", "An extension's password.");
  it.name = read_pattern(section, "names", "Extension {extension}", "Its user's name.");
  it.second_factor = section.list(
      "second_factor",
      {.doc = "Extensions whose password is not enough.", .otherwise = std::vector<std::string>{}});
  it.second_factor_code = section.text(
      "second_factor_code", {.doc = "What they need besides.", .otherwise = it.second_factor_code});
  it.idle_timeout =
      section.duration("idle_timeout", {.doc = "Sockets that say nothing for so long are closed.",
                                        .otherwise = it.idle_timeout,
                                        .least = Millis(100)});
  it.token_life = section.duration(
      "token_life", {.doc = "How long a third-party token is good.", .otherwise = it.token_life});
  it.push_delay =
      section.duration("push_delay", {.doc = "Changes that are closer together come in one list.",
                                      .otherwise = it.push_delay,
                                      .most = Millis(10'000)});
  read_accounts(section, it);
  const Section variants = section.section("variants");
  for (const auto& name : vodia::variant_names()) {
    if (!variants.has(name)) continue;
    const auto value = variants.text(name, {.doc = "See README.", .otherwise = ""});
    const auto wrong = vodia::set_variant(it.variants, name, value);
    if (!wrong.empty()) variants.wrong(name, wrong);
  }
  return it;
}

// One of a group's tenants: {n} and {tenant} filled in.
TenantEntry numbered(TenantEntry entry, std::int64_t n) {
  auto& it = entry.stage;
  it.name = replaced(it.name, "{n}", std::to_string(n));
  const auto fill = [&](std::string& text) {
    text = replaced(replaced(text, "{n}", std::to_string(n)), "{tenant}", it.name);
  };
  auto& words = it.innova360;
  for (auto* text :
       {&words.server, &words.supervisor_user, &words.supervisor_password, &words.agent_user.before,
        &words.agent_user.after, &words.agent_password.before, &words.agent_password.after}) {
    fill(*text);
  }
  auto& pbx = it.vodia;
  for (auto* text : {&pbx.domain, &pbx.tenant_password, &pbx.password.before, &pbx.password.after,
                     &pbx.name.before, &pbx.name.after}) {
    fill(*text);
  }
  auto& system = it.innovaphone;
  for (auto* text : {&system.domain, &system.host, &system.cn.before, &system.cn.after,
                     &system.dn.before, &system.dn.after, &system.h323.before, &system.h323.after,
                     &system.password.before, &system.password.after}) {
    fill(*text);
  }
  for (auto& app : system.apps) {
    for (auto* text : {&app.name, &app.password, &app.url}) fill(*text);
  }
  auto& webitel = it.webitel;
  for (auto* text :
       {&webitel.domain, &webitel.service_user, &webitel.service_password, &webitel.token,
        &webitel.user_token.before, &webitel.user_token.after, &webitel.password.before,
        &webitel.password.after, &webitel.name.before, &webitel.name.after}) {
    fill(*text);
  }
  return entry;
}

void read_tenant(const Section& section, Settings& all) {
  TenantEntry entry;
  auto& name = entry.stage.name;
  name = section.text("name", {.doc = "In paths; with count, it has {n} in it.",
                               .pattern = "[a-z0-9{][a-z0-9{}-]{0,62}",
                               .like = "small letters, digits and '-'"});
  auto& vendor = entry.stage.vendor;
  vendor = section.one_of<Vendor>("vendor",
                                  {{"innova360", Vendor::innova360},
                                   {"vodia", Vendor::vodia},
                                   {"innovaphone", Vendor::innovaphone},
                                   {"webitel", Vendor::webitel}},
                                  {.doc = "Whose protocol it speaks.", .otherwise = vendor});
  const auto count = section.integer(
      "count",
      {.doc = "That many tenants of this kind.", .otherwise = 1, .least = 1, .most = kTenantsMax});
  if ((count > 1) != (name.find("{n}") != std::string::npos)) {
    section.wrong("name", "expected a name with {n} in it, and count, or neither");
  }
  entry.stage.engine = read_engine(section);
  if (vendor == Vendor::innova360 || section.documenting()) {
    entry.stage.innova360 = read_innova360(section, all);
  }
  if (vendor == Vendor::vodia || section.documenting()) {
    entry.stage.vodia = read_vodia(section.section("vodia"));
  }
  if (vendor == Vendor::innovaphone || section.documenting()) {
    entry.stage.innovaphone = read_innovaphone(section.section("innovaphone"));
  }
  if (vendor == Vendor::webitel || section.documenting()) {
    entry.stage.webitel = read_webitel(section.section("webitel"));
  }
  entry.plain = section.has("port");
  entry.port = port_at(section, "port", 0, "A listener of its own; 0: any free port.");
  entry.tls = section.has("tls_port");
  entry.tls_port = port_at(section, "tls_port", 0, "The same over TLS.");
  entry.stage.own_listener = entry.plain || entry.tls;
  entry.shared =
      section.boolean("shared", {.doc = "Also behind the common listener.", .otherwise = true});
  if (count > 1 && (entry.port != 0 || entry.tls_port != 0)) {
    section.wrong("port", "many tenants cannot have one port; expected 0");
  }
  for (std::int64_t n = 1; n <= count; ++n) all.tenants.push_back(numbered(entry, n));
}

// A Vodia tenant's numbers and, behind one listener, its domain are its own.
void check_domains(const Section& root, const Settings& all) {
  std::map<std::string, std::string> domains;
  for (const auto& entry : all.tenants) {
    const auto& it = entry.stage;
    if (it.vendor != Vendor::vodia) continue;
    const std::set<std::string> numbers(it.engine.extensions.begin(), it.engine.extensions.end());
    for (const auto& account : it.vodia.accounts) {
      if (!numbers.contains(account.number)) continue;
      root.wrong("tenants", it.name + ": " + account.number + " is an extension and an account");
    }
    if (!entry.shared) continue;
    const auto [other, is_new] = domains.emplace(it.vodia.domain, it.name);
    if (is_new) continue;
    root.wrong("tenants", other->second + " and " + it.name + " have the same domain \"" +
                              other->first + "\" behind one listener; expected different ones");
  }
}

// Behind one listener a user's name has to tell the tenant.
void check_users(const Section& root, const Settings& all) {
  std::map<std::string, std::string> supervisors;
  std::map<std::pair<std::string, std::string>, std::map<std::string, std::string>> agents;
  std::set<std::string> names;
  for (const auto& entry : all.tenants) {
    const auto& it = entry.stage;
    if (!names.insert(it.name).second) root.wrong("tenants", "two are called " + it.name);
    if (!entry.shared || it.vendor != Vendor::innova360) continue;
    const auto [other, is_new] = supervisors.emplace(it.innova360.supervisor_user, it.name);
    if (!is_new) {
      root.wrong("tenants", other->second + " and " + it.name +
                                " have the same supervisor user \"" + other->first +
                                "\" behind one listener; expected different ones");
    }
    const auto& user = it.innova360.agent_user;
    auto& numbers = agents[{user.before, user.after}];
    for (const auto& number : it.engine.extensions) {
      const auto [owner, fresh] = numbers.emplace(number, it.name);
      if (fresh) continue;
      root.wrong("tenants", owner->second + " and " + it.name + " both have the agent user \"" +
                                user.of(number) +
                                "\" behind one listener; put {tenant} into agents.user, or set "
                                "shared: false and a port");
      break;
    }
  }
}

}  // namespace

TenantEntry demo_tenant() {
  TenantEntry entry;
  entry.stage.name = "acme";
  entry.stage.engine.extensions = range("201", 12);
  entry.stage.engine.did_prefix = "+3491000";
  entry.stage.innova360.supervisor_user = "acme";
  entry.stage.innova360.supervisor_password = "acme-demo";
  return entry;
}

Settings read_settings(const Section& root) {
  Settings it;
  it.seed = static_cast<std::uint64_t>(
      root.integer("seed", {.doc = "Of everything random.", .otherwise = 1}));
  it.threads = static_cast<std::size_t>(root.integer(
      "threads",
      {.doc = "For I/O; each tenant belongs to one.", .otherwise = 1, .least = 1, .most = 64}));
  const Section control = root.section("control");
  it.control_address = control.text(
      "address", {.doc = "Of the HTTP control face.", .otherwise = it.control_address});
  it.control_port = port_at(control, "port", it.control_port, "0: any free port.");
  const Section innova360 = root.section("innova360");
  it.address = innova360.text("address", {.doc = "Of the PBX listeners.", .otherwise = it.address});
  it.server =
      innova360.text("server", {.doc = "What the PBX calls itself.", .otherwise = it.server});
  it.plain = innova360.boolean("plain", {.doc = "Listen without TLS.", .otherwise = true});
  it.port = port_at(innova360, "port", it.port, "Of the common listener; 0: any free port.");
  it.tls = innova360.boolean("tls", {.doc = "Listen with TLS.", .otherwise = true});
  it.tls_port = port_at(innova360, "tls_port", it.tls_port, "The same over TLS.");
  it.certificate_file = innova360.file("certificate_file",
                                       {.doc = "PEM; without it, one is made.", .required = false});
  it.key_file = innova360.file("key_file", {.doc = "PEM.", .required = false});
  if (it.certificate_file.empty() != it.key_file.empty()) {
    innova360.wrong("key_file", "expected both certificate_file and key_file, or neither");
  }
  it.certificate_folder = innova360.text(
      "certificate_folder",
      {.doc = "Where the one that is made goes, and is found again.", .otherwise = ""});
  const Section vodia = root.section("vodia");
  it.vodia_plain = vodia.boolean("plain", {.doc = "Listen without TLS.", .otherwise = true});
  it.vodia_port = port_at(vodia, "port", it.vodia_port, "Of Vodia's common listener.");
  it.vodia_tls = vodia.boolean("tls", {.doc = "Listen with TLS.", .otherwise = true});
  it.vodia_tls_port = port_at(vodia, "tls_port", it.vodia_tls_port, "The same over TLS.");
  const Section innovaphone = root.section("innovaphone");
  it.innovaphone_plain = innovaphone.boolean("plain", {.doc = "Without TLS.", .otherwise = true});
  it.innovaphone_port =
      port_at(innovaphone, "port", it.innovaphone_port, "Of innovaphone's common listener.");
  it.innovaphone_tls = innovaphone.boolean("tls", {.doc = "With TLS.", .otherwise = true});
  it.innovaphone_tls_port =
      port_at(innovaphone, "tls_port", it.innovaphone_tls_port, "The same over TLS.");
  const Section webitel = root.section("webitel");
  it.webitel_plain = webitel.boolean("plain", {.doc = "Without TLS.", .otherwise = true});
  it.webitel_port = port_at(webitel, "port", it.webitel_port, "Of Webitel's common listener.");
  it.webitel_tls = webitel.boolean("tls", {.doc = "With TLS.", .otherwise = true});
  it.webitel_tls_port = port_at(webitel, "tls_port", it.webitel_tls_port, "The same over TLS.");
  it.outbox_bytes_max =
      root.bytes("outbox", {.doc = "Per connection; one that reads slower is dropped.",
                            .otherwise = it.outbox_bytes_max,
                            .least = 1 << 10});
  it.connections_max = static_cast<std::size_t>(
      root.integer("connections_max", {.doc = "Per listener; further ones are closed.",
                                       .otherwise = 20'000,
                                       .least = 1,
                                       .most = 1'000'000}));
  if (root.has("tenants") || root.documenting()) {
    root.each("tenants", [&](const Section& section) { read_tenant(section, it); },
              {.doc = "Without any, a demo tenant.", .count_min = 1, .count_max = kTenantsMax});
    check_users(root, it);
    check_domains(root, it);
  } else {
    it.tenants.push_back(demo_tenant());
  }
  reseed(it, it.seed);
  return it;
}

void reseed(Settings& settings, std::uint64_t seed) {
  settings.seed = seed;
  std::size_t index = 0;
  for (auto& entry : settings.tenants) {
    entry.stage.innova360.seed = entry.stage.vodia.seed = seed;
    entry.stage.innovaphone.seed = entry.stage.webitel.seed = seed++;
    entry.stage.vodia.mark = vodia::mark_of(index++);
  }
}

void take_any_ports(Settings& settings) {
  settings.control_port = settings.port = settings.tls_port = 0;
  settings.vodia_port = settings.vodia_tls_port = 0;
  settings.innovaphone_port = settings.innovaphone_tls_port = 0;
  settings.webitel_port = settings.webitel_tls_port = 0;
  for (auto& entry : settings.tenants) entry.port = entry.tls_port = 0;
}

}  // namespace simulator
