#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/document.h"

namespace config {

// A small service's settings, with at least one of each kind.
struct Sample {
  enum class Format { json, text };

  std::string name;
  std::int64_t workers = 0;
  std::chrono::milliseconds timeout{};
  std::uint64_t buffer = 0;
  bool dry_run = false;
  Format format = Format::json;
  std::vector<std::string> tags;
  HostPort nats;
  std::string nats_user;
  Secret nats_password;
  std::string ca_file;
  struct Tenant {
    std::string name;
    std::string url;
    Secret password;
    std::chrono::milliseconds ping{};
  };
  std::vector<Tenant> tenants;
};

inline Sample sample_from(const Section& root) {
  using namespace std::chrono_literals;
  using Format = Sample::Format;
  Sample it;
  it.name = root.text("name", {.doc = "What this instance is called.",
                               .otherwise = "gateway",
                               .pattern = "[a-z][a-z0-9-]*",
                               .like = "lower-case letters, digits and '-'",
                               .length_max = 20});
  it.workers =
      root.integer("workers", {.doc = "I/O threads.", .otherwise = 2, .least = 1, .most = 64});
  it.timeout = root.duration(
      "timeout", {.doc = "How long to wait.", .otherwise = 10s, .least = 100ms, .most = 1h});
  it.buffer = root.bytes(
      "buffer",
      {.doc = "How much to hold.", .otherwise = 1 << 20, .least = 1 << 10, .most = 1 << 30});
  it.dry_run = root.boolean("dry_run", {.doc = "Do nothing.", .otherwise = false});
  it.format = root.one_of<Format>("format", {{"json", Format::json}, {"text", Format::text}},
                                  {.doc = "Of log lines.", .otherwise = Format::json});
  it.tags = root.list("tags", {.doc = "Free words.",
                               .otherwise = std::vector<std::string>{},
                               .pattern = "[a-z|]+",
                               .like = "lower-case letters",
                               .count_max = 3});
  const auto nats = root.section("nats");
  it.nats = nats.host_port("address", {.doc = "Where NATS is.", .port_otherwise = 4222});
  it.nats_user = nats.text("user", {.doc = "Who we are.", .otherwise = ""});
  it.nats_password = nats.secret("password", {.doc = "Of that user.", .required = false});
  it.ca_file = nats.section("tls").file("ca_file", {.doc = "Whom to trust.", .required = false});
  root.each(
      "tenants",
      [&](const Section& in) {
        it.tenants.push_back({in.text("name", {.doc = "Its name."}),
                              in.section("pbx").text("url", {.doc = "Its PBX.",
                                                             .pattern = "wss?://[^/@]+.*",
                                                             .like = "a ws:// or wss:// address"}),
                              in.secret("password", {.doc = "At its PBX."}),
                              in.duration("ping", {.doc = "Between pings.", .otherwise = 20s})});
      },
      {.doc = "The customers.", .count_max = 3, .unique = "name"});
  return it;
}

// A folder of its own for each test, gone with it.
struct Folder {
  std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) /
      (std::string("config-") + testing::UnitTest::GetInstance()->current_test_info()->name() +
       '-' + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + '-' +
       std::to_string(getpid()));

  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

}  // namespace config
