#include "control/config.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace control {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Read {
  Config config;
  std::vector<std::string> problems;
};

Read read(const std::string& text) {
  auto document = config::Document::parse(text, "control.yaml", {});
  Read read;
  read.config = read_config(document);
  for (const auto& problem : document.finish()) read.problems.push_back(problem.text());
  return read;
}

TEST(ControlConfig, HasADefaultForEverything) {
  const auto [config, problems] = read("");
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_LE(config.deadlines.otherwise, config.deadlines.most);
  EXPECT_FALSE(config.server.reflection);
}

TEST(ControlConfig, ReadsWhatCallersMayAskFor) {
  const auto [config, problems] = read(
      "limits: {rate: 7, burst: 8, failed_logins: 9, watchers_per_caller: 10, "
      "streams_per_connection: 11, signals_per_caller: 12, recordings_per_caller: 13}\n"
      "grpc: {connection_age: 0s, connection_age_grace: 2h}\n"
      "audit: {max_age: 240h, max_bytes: 5MiB, replicas: 3}");
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(config.callers.rate, 7);
  EXPECT_EQ(config.callers.burst, 8);
  EXPECT_EQ(config.callers.failed_logins, 9);
  EXPECT_EQ(config.callers.watches_max, 10u);
  EXPECT_EQ(config.server.streams_max, 11);
  EXPECT_EQ(config.callers.signals_max, 12u);
  EXPECT_EQ(config.callers.recordings_max, 13u);
  EXPECT_EQ(config.server.connection_age.count(), 0);
  EXPECT_EQ(config.watch_age, std::chrono::hours(2));
  EXPECT_EQ(config.audit.max_age, std::chrono::hours(240));
  EXPECT_EQ(config.audit.max_bytes, 5 << 20);
  EXPECT_EQ(config.audit.replicas, 3);
}

// What an operator could type, and the words that have to be in what they read.
TEST(ControlConfig, NamesTheFieldAndTheFixOfEveryMistake) {
  struct Case {
    const char* text;
    std::vector<const char*> words;
  };
  const std::vector<Case> cases{
      {"gprc: {port: 1}", {"control.yaml:1", "gprc", "grpc"}},
      {"grpc: {port: 70000}", {"control.yaml:1", "grpc.port", "65535"}},
      {"grpc: {port: -1}", {"grpc.port", "0"}},
      {"grpc: {port: fifty}", {"grpc.port", "fifty"}},
      {"grpc: {reflection: perhaps}", {"grpc.reflection", "true"}},
      {"grpc: {request: 1}", {"grpc.request", "KiB"}},
      {"grpc: {request: 1GiB}", {"grpc.request", "4MiB"}},
      {"grpc: {tls: {certificate_file: /nowhere}}", {"grpc.tls.certificate_file", "/nowhere"}},
      {"grpc: {tls: {key_file: /etc/hostname}}", {"grpc.tls.key_file", "certificate_file"}},
      {"grpc: {tls: {client_ca_file: /etc/hostname}}",
       {"grpc.tls.client_ca_file", "certificate_file and key_file"}},
      {"grpc: [1]", {"grpc"}},
      {"grpc: {address: 0.0.0.0}", {"identity.policy_file", "127.0.0.1", "identity.open: true"}},
      {"grpc: {address: \"::\"}", {"identity.policy_file", "identity.open: true"}},
      {"grpc: {address: pbx.example}", {"identity.policy_file"}},
      {"grpc: {connection_age: 30}", {"grpc.connection_age", "30s"}},
      {"grpc: {connection_age_grace: -1s}", {"grpc.connection_age_grace"}},
      {"limits: {rate: 0}", {"limits.rate", "1"}},
      {"limits: {streams_per_connection: 0}", {"limits.streams_per_connection"}},
      {"audit: {max_age: 1s}", {"audit.max_age", "1m to"}},
      {"audit: {max_bytes: 1KiB}", {"audit.max_bytes", "1MiB"}},
      {"audit: {replicas: 6}", {"audit.replicas", "5"}},
      {"identity: {policy_file: /nowhere}", {"identity.policy_file", "/nowhere"}},
      {"identity: {policy_file: /etc/hostname, open: true}", {"identity.open"}},
      {"limits: {default_deadline: 5}", {"limits.default_deadline", "5s"}},
      {"limits: {default_deadline: 2m, max_deadline: 1m}",
       {"limits.default_deadline", "limits.max_deadline"}},
      {"limits: {max_deadline: 2d}", {"limits.max_deadline"}},
      {"limits: {commands_max: 0}", {"limits.commands_max", "1"}},
      {"limits: {watcher_max: 5}", {"limits.watcher_max", "watchers_max"}},
      {"limits: {watcher_queue: -1}", {"limits.watcher_queue", "1"}},
      {"limits: {watcher_patience: 1ms}", {"limits.watcher_patience", "100ms"}},
      {"limits: {drain: never}", {"limits.drain", "never"}},
      {"lease: {ttl: 100ms}", {"lease.ttl", "1s"}},
      {"nats: {urls: [http://x]}", {"nats.urls", "nats://host:port"}},
      {"nats: {user: u, token: t}", {"nats.user", "one way to log in"}},
      {"admin: {port: 70000}", {"admin.port", "65535"}},
      {"log: {level: loud}", {"log.level", "debug"}},
      {"tenants: []", {"tenants"}},
      {"grpc: {", {"control.yaml"}},
  };
  for (const auto& [text, words] : cases) {
    const auto problems = read(text).problems;
    ASSERT_THAT(problems, Not(IsEmpty())) << text;
    for (const char* word : words) {
      EXPECT_THAT(problems, Contains(HasSubstr(word))) << text;
    }
  }
}

TEST(ControlConfig, NeverShowsASecret) {
  const auto problems = read("nats: {user: u, password: hunter2, token: hunter2}").problems;
  ASSERT_THAT(problems, Not(IsEmpty()));
  for (const auto& problem : problems) EXPECT_THAT(problem, Not(HasSubstr("hunter2")));
}

TEST(ControlConfig, IsOpenToThisMachineAloneUnlessToldOtherwise) {
  for (const char* text :
       {"", "grpc: {address: 127.0.0.7}", "grpc: {address: \"::1\"}", "grpc: {address: localhost}",
        "{grpc: {address: 0.0.0.0}, identity: {open: true}}",
        "{grpc: {address: 0.0.0.0}, identity: {policy_file: /etc/hostname}}"}) {
    EXPECT_THAT(read(text).problems, IsEmpty()) << text;
  }
  EXPECT_EQ(read("identity: {policy_file: /etc/hostname}").config.policy_file, "/etc/hostname");
}

}  // namespace
}  // namespace control
