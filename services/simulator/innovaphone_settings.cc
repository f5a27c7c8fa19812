#include "simulator/innovaphone_settings.h"

#include <algorithm>
#include <set>
#include <utility>

#include "simulator/read_pattern.h"

namespace simulator {
namespace {

using config::Section;
using innovaphone::AppObject;
using innovaphone::PbxSettings;
using innovaphone::Profile;

AppObject read_app(const Section& section) {
  AppObject it;
  it.name = section.text("name", {.doc = "As clients log in.", .length_max = 64});
  it.password = section.text("password", {.doc = "A test's, no secret.", .otherwise = it.password});
  it.apis = section.list("apis", {.doc = "Granted.", .otherwise = it.apis});
  for (const auto& api : it.apis) {
    const auto& known = innovaphone::kApis;
    if (std::find(std::begin(known), std::end(known), api) == std::end(known)) {
      section.wrong("apis", "found \"" + api + "\", which is no API");
    }
  }
  it.users = read_numbers(section, "users", "Extensions it is assigned to; none: all.");
  it.group = read_numbers(section, "group", "Extensions whose groups it is in; none: all.");
  it.url = section.text("url", {.doc = "The app's; its end is not part of the socket's.",
                                .otherwise = "",
                                .pattern = "(https?://[^ ]+)?",
                                .like = "http://… or https://…",
                                .length_max = 1'000});
  it.websocket = section.boolean("websocket", {.doc = "The PBX dials it.", .otherwise = false});
  it.unlicensed = section.boolean("unlicensed", {.doc = "Says so.", .otherwise = false});
  if (it.websocket && it.url.empty()) section.wrong("url", "expected one, to dial it");
  return it;
}

PbxSettings read_pbx(const Section& section) {
  PbxSettings it;
  it.name = section.text("name", {.doc = "Its name.", .length_max = 64});
  it.module = section.text("module", {.doc = "Answers at /{module}/APPS/websocket.",
                                      .otherwise = it.module,
                                      .pattern = "[A-Za-z0-9_-]{1,32}",
                                      .like = "letters and digits"});
  it.users = read_numbers(section, "users", "Extensions that live there.");
  return it;
}

}  // namespace

innovaphone::Settings read_innovaphone(const Section& section) {
  innovaphone::Settings it;
  it.domain = section.text("domain", {.doc = "The system's name.", .otherwise = "{tenant}"});
  it.host = section.text("host", {.doc = "Its DNS name, as it tells it.", .otherwise = it.host});
  it.profile = section.one_of<Profile>("firmware",
                                       {{"13r1", Profile::v13r1},
                                        {"13r2", Profile::v13r2},
                                        {"13r3", Profile::v13r3},
                                        {"14r1", Profile::v14r1}},
                                       {.doc = "What it knows.", .otherwise = it.profile});
  section.each("apps", [&](const Section& app) { it.apps.push_back(read_app(app)); },
               {.doc = "App objects; without any, gateway with the password {tenant}-demo.",
                .count_max = 100,
                .unique = "name"});
  if (it.apps.empty()) {
    AppObject app;
    app.name = "gateway";
    app.password = "{tenant}-demo";
    it.apps.push_back(std::move(app));
  }
  if (section.has("pbxs") || section.documenting()) {
    it.pbxs.clear();
    section.each("pbxs", [&](const Section& pbx) { it.pbxs.push_back(read_pbx(pbx)); },
                 {.doc = "The master and its slaves; without any, one master.",
                  .count_min = 1,
                  .count_max = 100,
                  .unique = "name"});
    std::set<std::string> modules;
    for (const auto& pbx : it.pbxs) {
      if (!modules.insert(pbx.module).second) {
        section.wrong("pbxs", "two have the module " + pbx.module + "; expected different ones");
      }
    }
  }
  it.cn = read_pattern(section, "cn", "User {extension}", "A user's Long Name.");
  it.dn = read_pattern(section, "dn", "User {extension}", "A user's display name.");
  it.h323 = read_pattern(section, "h323", "user{extension}", "A user's login name.");
  it.password = read_pattern(section, "password", "agent-{extension}", "A user's password.");
  it.challenge_size = static_cast<std::size_t>(section.integer(
      "challenge_size", {.doc = "Characters.", .otherwise = 16, .least = 1, .most = 16}));
  it.park_positions = static_cast<std::size_t>(section.integer(
      "park_positions", {.doc = "Where calls wait.", .otherwise = 8, .most = 1'000}));
  it.list_size = static_cast<std::size_t>(
      section.integer("list_size", {.doc = "Users that Initialize tells in 20 ms.",
                                    .otherwise = 50,
                                    .least = 1,
                                    .most = 10'000}));
  it.redial = section.duration("redial", {.doc = "Until a socket the PBX opens is tried again.",
                                          .otherwise = it.redial,
                                          .least = engine::Millis(10)});
  it.ca_file =
      section.file("ca_file", {.doc = "Whom to trust then; none: everybody.", .required = false});
  it.area = section.text("area", {.doc = "Of its node.", .otherwise = ""});
  it.country = section.text("country", {.doc = "Of its node.", .otherwise = it.country});
  const Section variants = section.section("variants");
  for (const auto& name : innovaphone::variant_names()) {
    if (!variants.has(name)) continue;
    const auto value = variants.text(name, {.doc = "See README.", .otherwise = ""});
    const auto wrong = innovaphone::set_variant(it.variants, name, value);
    if (!wrong.empty()) variants.wrong(name, wrong);
  }
  return it;
}

}  // namespace simulator
