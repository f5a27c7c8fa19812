#include <chrono>
#include <cstdlib>
#include <string>

#include "config/document.h"

// Any bytes as a configuration file, through one setting of each kind: nothing throws, and each
// problem can be put into words.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::chrono_literals;
  const std::string text(reinterpret_cast<const char*>(data), size);
  auto document = config::Document::parse(text, "fuzz.yaml", {{"PBXGW_LIST", text}});
  const auto root = document.root();
  root.text("text", {.pattern = "[a-z]+"});
  root.integer("integer", {.least = -5, .most = 5});
  root.duration("duration");
  root.bytes("bytes");
  root.boolean("boolean");
  root.one_of<int>("word", {{"one", 1}, {"two", 2}});
  root.host_port("address");
  root.list("list");
  root.section("section").secret("secret");
  root.each("items",
            [](const config::Section& item) {
              item.text("name");
              item.section("inner").list("names", {.count_min = 1, .count_max = 2});
            },
            {.unique = "name"});
  for (const auto& problem : document.finish()) {
    if (problem.text().empty()) std::abort();
  }
  return 0;
}
