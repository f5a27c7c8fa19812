#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "conformance/suite.h"
#include "unit/pbx/dialogue.h"

// What the tests share that know that it is a Webitel.
namespace conformance {

// Webitel's of benches(), and one whose users' tokens the gateway makes itself.
std::vector<const Bench*> benches_of_webitel();

// With an instance for each of Webitel's benches. All of them have the vendor's own settings.
class WebitelConformance : public Conformance {
 protected:
  using Change = std::function<void(simulator::engine::Faults&)>;

  Millis setting(const char* name) const {
    return pbx::test::default_settings(vendor()).duration(name);
  }
  Millis snapshot_interval() const { return setting("snapshot_interval"); }
  // Whether users have sockets of their own.
  bool live() const { return std::string_view(bench().name) != "webitel"; }

  // Phones ring until somebody answers.
  static constexpr Variant kPatient{
      "patient", [](simulator::TenantSettings& office) { office.engine.ring_timeout = 1h; }};

  // Calls of every kind; and what they become, all at once.
  static void begin_calls(Office& office) {
    office.dial("201", "202");
    office.answer("202");
    office.dial("+34600111222", "203");
    office.dial("204", "205");
    office.answer("205");
    office.hold("205");
  }
  static void change_calls(Gateway& gateway) {
    simulator::engine::Tenant& phones = gateway.phones();
    EXPECT_FALSE(phones.hang_up("201", gateway.now()));
    EXPECT_FALSE(phones.answer("203", gateway.now()));
    EXPECT_FALSE(phones.retrieve("205", gateway.now()));
    EXPECT_TRUE(phones.originate("206", "207", {}, gateway.now()));
  }

  // The truth is known within `most`, and then for good.
  static void is_known_within(Gateway& gateway, Millis most) {
    const auto known = [&] { return gateway.is_up() && differences(gateway).empty(); };
    EXPECT_TRUE(gateway.wait_until(known, most))
        << differences(gateway) << story_of(gateway.told());
    gateway.pause();
    EXPECT_EQ(differences(gateway), "") << "some time later\n" << story_of(gateway.told());
  }

  // What is told of a scenario, with the fault on from its beginning, and again after each deed.
  std::string story_with(const char* name, const Change& fault, bool compare = true) const {
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    if (!compare) office.compare_only_at_the_end();
    if (fault) {
      gateway.change_faults(fault);
      office.after_each([&] { gateway.change_faults(fault); });
    }
    find_scenario(name)->play(office);
    gateway.change_faults([](auto& it) { it = {}; });
    office.go_home();
    return story_of(gateway.told());
  }

  static constexpr const char* kStories[] = {
      "make, answer, clear: by the called",
      "make, answer, clear: from outside",
      "busy",
      "rejected",
      "call waiting",
      "hold and retrieve: the consulted party answers",
      "single-step transfer: at the phone",
      "two-step transfer: completed after the answer",
      "pickup: directed",
      "forward: no answer",
  };
  void changes_nothing(const Change& fault) const {
    for (const char* name : kStories) {
      SCOPED_TRACE(name);
      EXPECT_EQ(story_with(name, fault), story_with(name, {}));
    }
  }

  // ---- What somebody else does, by REST.

  static std::string rest(Gateway& gateway, std::string method, const std::string& path,
                          std::string body = {}) {
    const simulator::engine::HttpRequest request{
        std::move(method), "/api" + path, std::move(body), {{"x-webitel-access", kToken}}};
    const auto answer = gateway.pbx().dialect().on_http(request, gateway.now());
    EXPECT_EQ(answer.reply.status, 200u) << path << ": " << answer.reply.body;
    gateway.wait(Millis(0));
    return answer.reply.body;
  }
  static std::string user_of(std::string_view extension) {
    return std::to_string(10 + std::stoi(std::string(extension)) - 201);
  }
  static std::string agent_of(std::string_view extension) {
    return std::to_string(101 + std::stoi(std::string(extension)) - 201);
  }
  // The ids of a user's tokens that were made for this.
  static std::vector<std::string> tokens_of(Gateway& gateway, const std::string& user,
                                            std::string_view usage) {
    const std::string body = rest(gateway, "GET", "/users/" + user + "/tokens?size=100");
    const auto parsed = boost::json::parse(body);
    std::vector<std::string> ids;
    for (const auto& each : parsed.at("items").as_array()) {
      if (each.at("usage").as_string() != usage) continue;
      const auto& id = each.at("id");
      ids.push_back(id.is_string() ? std::string(id.as_string()) : std::to_string(id.as_int64()));
    }
    return ids;
  }
  static void revoke(Gateway& gateway, const std::string& user, std::string_view usage) {
    for (const std::string& id : tokens_of(gateway, user, usage)) {
      rest(gateway, "DELETE", "/users/" + user + "/tokens/" + id);
    }
  }

  // ---- Sockets.

  // Of this extension's user, that are logged in.
  static std::vector<simulator::engine::ConnectionId> sockets_of(Gateway& gateway,
                                                                 std::string_view extension) {
    std::vector<simulator::engine::ConnectionId> all;
    for (const auto& each : gateway.pbx().dialect().connections()) {
      if (each.kind == "user" && each.logged_in && each.extension == extension) {
        all.push_back(each.id);
      }
    }
    return all;
  }
  static std::size_t sockets_of_users(Gateway& gateway) {
    const auto all = gateway.pbx().dialect().connections();
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [](const auto& it) { return it.kind == "user" && it.logged_in; }));
  }

  static constexpr const char* kToken = "gateway-token";
};

}  // namespace conformance
