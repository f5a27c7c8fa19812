#include "config/document.h"

#include <fstream>

#include <gmock/gmock.h>

#include "sample.h"

namespace config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kEverything = R"(# a comment
name: edge-1
workers: 8
timeout: 2m
buffer: 64KiB
dry_run: true
format: text
tags: [blue, green]
nats:
  address: nats.example
  user: gateway
  password: hunter2
  tls: {ca_file: ca.pem}
tenants:
  - name: acme
    pbx: &pbx {url: "wss://pbx.example/api"}
    password: "007"
  - name: 2nd
    pbx: *pbx
    password: x
    ping: 500ms
)";

TEST(Document, ReadsEveryKindOfSetting) {
  Folder folder;
  std::ofstream(folder.path / "gw.yaml") << kEverything;
  std::ofstream(folder.path / "ca.pem") << "PEM";
  auto document = Document::load(folder.path / "gw.yaml", {});
  const auto it = sample_from(document.root());
  EXPECT_THAT(document.finish(), IsEmpty());

  EXPECT_EQ(it.name, "edge-1");
  EXPECT_EQ(it.workers, 8);
  EXPECT_EQ(it.timeout, 2min);
  EXPECT_EQ(it.buffer, 65'536u);
  EXPECT_TRUE(it.dry_run);
  EXPECT_EQ(it.format, Sample::Format::text);
  EXPECT_THAT(it.tags, ElementsAre("blue", "green"));
  EXPECT_EQ(it.nats, (HostPort{"nats.example", 4222}));
  EXPECT_EQ(it.nats_user, "gateway");
  EXPECT_TRUE(it.nats_password.equals("hunter2"));
  EXPECT_EQ(it.ca_file, (folder.path / "ca.pem").string());
  ASSERT_THAT(it.tenants, SizeIs(2));
  EXPECT_EQ(it.tenants[0].url, "wss://pbx.example/api");
  EXPECT_TRUE(it.tenants[0].password.equals("007"));
  EXPECT_EQ(it.tenants[0].ping, 20s);
  EXPECT_EQ(it.tenants[1].name, "2nd");
  EXPECT_EQ(it.tenants[1].url, "wss://pbx.example/api");
  EXPECT_EQ(it.tenants[1].ping, 500ms);
}

TEST(Document, FillsInDefaults) {
  auto document = Document::parse("nats: {address: a}", "gw.yaml", {});
  const auto it = sample_from(document.root());
  EXPECT_THAT(document.finish(), IsEmpty());
  EXPECT_EQ(it.name, "gateway");
  EXPECT_EQ(it.workers, 2);
  EXPECT_EQ(it.timeout, 10s);
  EXPECT_EQ(it.buffer, 1u << 20);
  EXPECT_FALSE(it.dry_run);
  EXPECT_THAT(it.tags, IsEmpty());
  EXPECT_TRUE(it.nats_password.empty());
  EXPECT_EQ(it.ca_file, "");
  EXPECT_THAT(it.tenants, IsEmpty());
}

TEST(Document, KnowsWhatIsPresent) {
  auto document = Document::parse("a: {b: 1}\nc:\n", "gw.yaml", {{"PBXGW_D_E", "x"}});
  const auto root = document.root();
  EXPECT_TRUE(root.section("a").present());
  EXPECT_TRUE(root.section("a").has("b"));
  EXPECT_FALSE(root.section("a").has("c"));
  EXPECT_FALSE(root.section("c").present());
  EXPECT_TRUE(root.section("d").present());
  EXPECT_TRUE(root.section("d").has("e"));
  EXPECT_FALSE(root.section("e").present());
}

TEST(Document, TakesAnAnchoredTreeWithoutUnfoldingIt) {
  // Nine levels of nine aliases: four hundred million values, if they were copied.
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 10; ++i) {
    const auto last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 1; j < 9; ++j) text += ", " + last;
    text += "]\n";
  }
  auto document = Document::parse(text + "nats: {address: a}", "gw.yaml", {});
  sample_from(document.root());
  EXPECT_THAT(document.finish(), SizeIs(10));  // each an unknown setting
}

TEST(Document, SettingsWithOneVariableAreABug) {
  auto document = Document::parse("", "gw.yaml", {});
  document.root().section("a").text("b_c", {.otherwise = ""});
  EXPECT_THROW(document.root().section("a_b").text("c", {.otherwise = ""}), std::logic_error);
}

}  // namespace
}  // namespace config
