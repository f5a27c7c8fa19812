#include "simulator/webitel_settings.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "simulator/read_pattern.h"

namespace simulator {
namespace {

using config::Section;
using engine::Millis;

webitel::Permissions read_permissions(const Section& section, webitel::Permissions otherwise) {
  webitel::Permissions it;
  bool any = false;
  for (const auto scope : webitel::kScopes) {
    const auto known = otherwise.find(std::string(scope));
    const auto letters =
        section.text(scope, {.doc = "Of create, read, update, delete, the first letters.",
                             .otherwise = known == otherwise.end() ? "" : known->second,
                             .pattern = "[crud]{0,4}",
                             .like = "some of c, r, u and d"});
    any = any || section.has(scope);
    if (!letters.empty()) it.emplace(scope, letters);
  }
  return any ? it : otherwise;
}

}  // namespace

webitel::Settings read_webitel(const Section& section) {
  webitel::Settings it;
  it.domain = section.text("domain", {.doc = "Its name.", .otherwise = "{tenant}"});
  it.domain_id = section.integer("domain_id", {.doc = "Its number.", .otherwise = 1, .least = 1});
  const Section service = section.section("service");
  it.service_user = service.text("user", {.doc = "The gateway's.", .otherwise = it.service_user});
  it.service_password =
      service.text("password", {.doc = "A test's, no secret.", .otherwise = "{tenant}-demo"});
  it.token = service.text("token", {.doc = "Of that user.", .otherwise = "{tenant}-token"});
  it.permissions = read_permissions(service.section("permissions"), it.permissions);
  const Section users = section.section("users");
  it.user_token = read_pattern(users, "token", "{tenant}-{extension}", "Of an extension's user.");
  it.password = read_pattern(users, "password", "agent-{extension}", "Of the same.");
  it.name = read_pattern(users, "name", "User {extension}", "Its name.");
  it.user_permissions = read_permissions(users.section("permissions"), it.user_permissions);
  it.agents = read_numbers(section, "agents", "Extensions whose users are agents.");
  it.unassigned = read_numbers(section, "unassigned", "Extensions that nobody has yet.");
  it.unlicensed = read_numbers(section, "unlicensed", "Extensions whose users have no licence.");
  it.products = section.list("licences", {.doc = "Products.", .otherwise = it.products});
  it.media_node = section.text("media_node", {.doc = "app_id.", .otherwise = it.media_node});
  it.engine_node =
      section.text("engine_node", {.doc = "server_node_id.", .otherwise = it.engine_node});
  it.version = section.text("version", {.doc = "The server's.", .otherwise = it.version});
  it.ping_interval = section.duration(
      "ping_interval", {.doc = "That hello asks for; 0: nothing.", .otherwise = it.ping_interval});
  it.token_cache = section.duration(
      "token_cache", {.doc = "A revoked token is good so long.", .otherwise = it.token_cache});
  it.auth_deadline =
      section.duration("auth_deadline", {.doc = "Who has not logged in by then is dropped.",
                                         .otherwise = it.auth_deadline,
                                         .least = Millis(10)});
  it.bind_delay = section.duration(
      "bind_delay",
      {.doc = "Until there are events, after the answer.", .otherwise = it.bind_delay});
  const Section variants = section.section("variants");
  for (const auto& name : webitel::variant_names()) {
    if (!variants.has(name)) continue;
    const auto value = variants.text(name, {.doc = "See README.", .otherwise = ""});
    const auto wrong = webitel::set_variant(it.variants, name, value);
    if (!wrong.empty()) variants.wrong(name, wrong);
  }
  return it;
}

}  // namespace simulator
