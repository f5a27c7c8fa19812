#include <fstream>

#include <gmock/gmock.h>

#include "sample.h"

namespace config {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// What is wrong with `text`, as the operator reads it.
std::vector<std::string> problems_of(const std::string& text, Environment environment = {}) {
  auto document = Document::parse(text, "/etc/gw.yaml", std::move(environment));
  sample_from(document.root());
  std::vector<std::string> lines;
  for (const auto& it : document.finish()) lines.push_back(it.text());
  return lines;
}

struct Row {
  std::string text;
  std::vector<std::string> problems;
};

// Unless a row is about NATS or tenants, it stands after this.
constexpr auto kNats = "nats: {address: a}\n";

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows{
      // Text
      {"name:",
       {R"(/etc/gw.yaml:2: name: found nothing; expected lower-case letters, digits and '-')"}},
      {"name: ~",
       {R"(/etc/gw.yaml:2: name: found nothing; expected lower-case letters, digits and '-')"}},
      {"name: ''",
       {R"(/etc/gw.yaml:2: name: found ""; expected lower-case letters, digits and '-')"}},
      {"name: [a]",
       {R"(/etc/gw.yaml:2: name: found a list; expected lower-case letters, digits and '-')"}},
      {"name: {a: b}",
       {R"(/etc/gw.yaml:2: name: found a mapping; expected lower-case letters, digits and '-')"}},
      {"name: Ab",
       {R"(/etc/gw.yaml:2: name: found "Ab"; expected lower-case letters, digits and '-')"}},
      {"name: \"a\\tb\"",
       {R"(/etc/gw.yaml:2: name: found "a\x09b"; expected lower-case letters, digits and '-')"}},
      {"name: \"a\\\"\"",
       {R"(/etc/gw.yaml:2: name: found "a\""; expected lower-case letters, digits and '-')"}},
      {"name: \"a\\0\"",
       {R"(/etc/gw.yaml:2: name: found "a\x00"; expected text without NUL characters)"}},
      {"name: abcdefghijklmnopqrstu",
       {R"(/etc/gw.yaml:2: name: found "abcdefghijklmnopqrstu"; expected at most 20 characters, not 21)"}},
      // Whole numbers
      {"workers: 0", {R"(/etc/gw.yaml:2: workers: found "0"; expected a whole number, 1 to 64)"}},
      {"workers: 65", {R"(/etc/gw.yaml:2: workers: found "65"; expected a whole number, 1 to 64)"}},
      {"workers: -1", {R"(/etc/gw.yaml:2: workers: found "-1"; expected a whole number, 1 to 64)"}},
      {"workers: two",
       {R"(/etc/gw.yaml:2: workers: found "two"; expected a whole number, 1 to 64)"}},
      {"workers: 2.0",
       {R"(/etc/gw.yaml:2: workers: found "2.0"; expected a whole number, 1 to 64)"}},
      {"workers: 0x10",
       {R"(/etc/gw.yaml:2: workers: found "0x10"; expected a whole number, 1 to 64)"}},
      {"workers: 99999999999999999999",
       {R"(/etc/gw.yaml:2: workers: found "99999999999999999999"; expected a whole number, 1 to 64)"}},
      {"workers: ''", {R"(/etc/gw.yaml:2: workers: found ""; expected a whole number, 1 to 64)"}},
      // Durations
      {"timeout: 10", {R"(/etc/gw.yaml:2: timeout: found "10"; expected a unit: 10s or 10ms?)"}},
      {"timeout: 10 s",
       {R"(/etc/gw.yaml:2: timeout: found "10 s"; expected a duration such as 500ms, 10s, 5m or 2h, 100ms to 1h)"}},
      {"timeout: 10sec",
       {R"(/etc/gw.yaml:2: timeout: found "10sec"; expected a duration such as 500ms, 10s, 5m or 2h, 100ms to 1h)"}},
      {"timeout: 99ms",
       {R"(/etc/gw.yaml:2: timeout: found "99ms"; expected a duration such as 500ms, 10s, 5m or 2h, 100ms to 1h)"}},
      {"timeout: 61m",
       {R"(/etc/gw.yaml:2: timeout: found "61m"; expected a duration such as 500ms, 10s, 5m or 2h, 100ms to 1h)"}},
      {"timeout: -1s",
       {R"(/etc/gw.yaml:2: timeout: found "-1s"; expected a duration such as 500ms, 10s, 5m or 2h, 100ms to 1h)"}},
      {"timeout: 9999999999999999d",
       {R"(/etc/gw.yaml:2: timeout: found "9999999999999999d"; expected a duration such as 500ms, 10s, 5m or 2h, 100ms to 1h)"}},
      {"timeout: [10s]",
       {R"(/etc/gw.yaml:2: timeout: found a list; expected a duration such as 500ms, 10s, 5m or 2h, 100ms to 1h)"}},
      // Sizes
      {"buffer: 4096",
       {R"(/etc/gw.yaml:2: buffer: found "4096"; expected a unit: 4096B or 4096KiB?)"}},
      {"buffer: 1MB",
       {R"(/etc/gw.yaml:2: buffer: found "1MB"; expected a size such as 64KiB or 16MiB, 1KiB to 1GiB)"}},
      {"buffer: 2GiB",
       {R"(/etc/gw.yaml:2: buffer: found "2GiB"; expected a size such as 64KiB or 16MiB, 1KiB to 1GiB)"}},
      {"buffer: 18446744073709551615GiB",
       {R"(/etc/gw.yaml:2: buffer: found "18446744073709551615GiB"; expected a size such as 64KiB or 16MiB, 1KiB to 1GiB)"}},
      // Truth and words
      {"dry_run: yes", {R"(/etc/gw.yaml:2: dry_run: found "yes"; expected true or false)"}},
      {"dry_run: 1", {R"(/etc/gw.yaml:2: dry_run: found "1"; expected true or false)"}},
      {"dry_run: True", {R"(/etc/gw.yaml:2: dry_run: found "True"; expected true or false)"}},
      {"format: jsno",
       {R"(/etc/gw.yaml:2: format: found "jsno"; expected one of json, text; did you mean "json"?)"}},
      {"format: xml", {R"(/etc/gw.yaml:2: format: found "xml"; expected one of json, text)"}},
      // Lists of text
      {"tags: a", {R"(/etc/gw.yaml:2: tags: found "a"; expected a list: [first, second])"}},
      {"tags: [a, B]", {R"(/etc/gw.yaml:2: tags[1]: found "B"; expected lower-case letters)"}},
      {"tags: [a,\n  [b]]",
       {R"(/etc/gw.yaml:3: tags[1]: found a list; expected lower-case letters)"}},
      {"tags: [a, ~]", {R"(/etc/gw.yaml:2: tags[1]: found nothing; expected lower-case letters)"}},
      {"tags: [a, '']", {R"(/etc/gw.yaml:2: tags[1]: found ""; expected lower-case letters)"}},
      {"tags: [a, b, c, d]", {R"(/etc/gw.yaml:2: tags: found more items; expected 0 to 3)"}},
      // What does not belong
      {"wrokers: 3", {R"(/etc/gw.yaml:2: wrokers: unknown setting; did you mean "workers"?)"}},
      {"dry-run: true", {R"(/etc/gw.yaml:2: dry-run: unknown setting; did you mean "dry_run"?)"}},
      {"colour: red",
       {R"(/etc/gw.yaml:2: colour: unknown setting; known here: buffer, dry_run, format, name, nats, tags, tenants, timeout, workers)"}},
      {"workers: 3\nworkers: 4",
       {R"(/etc/gw.yaml:3: workers: given twice; the first is in line 2)"}},
      {"\"a\\nb\": 1",
       {R"(/etc/gw.yaml:2: "a\x0ab": unknown setting; known here: buffer, dry_run, format, name, nats, tags, tenants, timeout, workers)"}},
      {"<<: {workers: 3}",
       {R"(/etc/gw.yaml:2: <<: unknown setting; known here: buffer, dry_run, format, name, nats, tags, tenants, timeout, workers)"}},
      // Lists of mappings
      {"tenants: {}", {R"(/etc/gw.yaml:2: tenants: found a mapping; expected a list of mappings)"}},
      {"tenants: [acme]",
       {R"(/etc/gw.yaml:2: tenants[0]: found "acme"; expected a mapping of settings)"}},
      {"tenants:\n  - name: a\n    pbx: {url: ws://x}",
       {R"(/etc/gw.yaml:3: tenants[0].password: missing; expected this, or tenants[0].password_file, or tenants[0].password_env)"}},
      {"tenants:\n  - name: a\n    password: p",
       {R"(/etc/gw.yaml:3: tenants[0].pbx.url: missing; expected a ws:// or wss:// address)"}},
      {"tenants:\n  - name: a\n    password: p\n    pbx: ws://x",
       {R"(/etc/gw.yaml:5: tenants[0].pbx: found "ws://x"; expected a mapping of settings)"}},
      {"tenants:\n  - name: a\n    password: p\n    pbx: {url: http://me:hunter2@x/}",
       {R"(/etc/gw.yaml:5: tenants[0].pbx.url: found "http://***@x/"; expected a ws:// or wss:// address)"}},
      {"tenants:\n  - &t {name: a, password: p, pbx: {url: ws://x}}\n  - *t",
       {R"(/etc/gw.yaml:3: tenants[1].name: "a" is already in line 3)"}},
      {"tenants:\n  - {name: a, password: p, pbx: {url: ws://x, prot: 1}}",
       {R"(/etc/gw.yaml:3: tenants[0].pbx.prot: unknown setting; known here: url)"}},
      {"tenants:\n  - {name: a, password: p, password_env: P, pbx: {url: ws://x}}",
       {R"(/etc/gw.yaml:3: tenants[0].password_env: given as well as tenants[0].password; expected one of them)"}},
      {"tenants:\n  - {name: a, password: '', pbx: {url: ws://x}}",
       {R"(/etc/gw.yaml:3: tenants[0].password: is empty; expected a secret)"}},
      {"tenants:\n  - {name: a, password: [p], pbx: {url: ws://x}}",
       {R"(/etc/gw.yaml:3: tenants[0].password: found a list; expected text)"}},
      {"tenants:\n  - {name: a, password_env: P, pbx: {url: ws://x}}",
       {R"(/etc/gw.yaml:3: tenants[0].password_env: the environment variable it names is not set)"}},
      {"tenants:\n  - {name: a, password_file: /no/such, pbx: {url: ws://x}}",
       {R"(/etc/gw.yaml:3: tenants[0].password_file: the file it names cannot be read: No such file or directory)"}},
      {"tenants:\n  - {name: a, password_file: /tmp, pbx: {url: ws://x}}",
       {R"(/etc/gw.yaml:3: tenants[0].password_file: the file it names cannot be read: not a file)"}},
      {"tenants:\n  - {name: a, password_file: /dev/null, pbx: {url: ws://x}}",
       {R"(/etc/gw.yaml:3: tenants[0].password_file: the file it names cannot be read: not a file)"}},
      {"tenants: [1, 2, 3, 4]",
       {R"(/etc/gw.yaml:2: tenants: found 4 items; expected 0 to 3)",
        R"(/etc/gw.yaml:2: tenants[0]: found "1"; expected a mapping of settings)",
        R"(/etc/gw.yaml:2: tenants[1]: found "2"; expected a mapping of settings)",
        R"(/etc/gw.yaml:2: tenants[2]: found "3"; expected a mapping of settings)"}},
  };
  return kRows;
}

TEST(Problems, AreWordedAsTheOperatorNeedsThem) {
  for (const auto& row : rows()) {
    EXPECT_THAT(problems_of(kNats + row.text), ElementsAreArray(row.problems)) << row.text;
  }
}

TEST(Problems, OfSectionsAndAddresses) {
  const std::vector<Row> kRows{
      {"",
       {"/etc/gw.yaml:1: nats.address: missing; expected host or host:port, an IPv6 address in "
        "[brackets]"}},
      {"nats:",
       {"/etc/gw.yaml:1: nats.address: missing; expected host or host:port, an IPv6 address in "
        "[brackets]"}},
      {"name: a\nnats:\n  user: u",
       {"/etc/gw.yaml:2: nats.address: missing; expected host or host:port, an IPv6 address in "
        "[brackets]"}},
      {"nats: a:4222", {R"(/etc/gw.yaml:1: nats: found "a:4222"; expected a mapping of settings)"}},
      {"nats: {address: 'nats://u:hunter2@a'}",
       {R"(/etc/gw.yaml:1: nats.address: found "nats://***@a"; expected host or host:port alone)"}},
      {"nats: {address: 'a:99999'}",
       {R"(/etc/gw.yaml:1: nats.address: found "a:99999"; expected host or host:port, an IPv6 address in [brackets])"}},
      {"nats: {address: 'fe80::1'}",
       {R"(/etc/gw.yaml:1: nats.address: found "fe80::1"; expected host or host:port, an IPv6 address in [brackets])"}},
      {"nats: {address: '[fe80::1'}",
       {R"(/etc/gw.yaml:1: nats.address: found "[fe80::1"; expected host or host:port, an IPv6 address in [brackets])"}},
      {"nats: {address: a, tls: {ca_file: no.pem}}",
       {R"(/etc/gw.yaml:1: nats.tls.ca_file: found "no.pem"; expected a file that can be read: No such file or directory)"}},
      {"nats: {address: a, tls: {ca_file: /tmp}}",
       {R"(/etc/gw.yaml:1: nats.tls.ca_file: found "/tmp"; expected a file, not a folder or device)"}},
  };
  for (const auto& row : kRows) {
    EXPECT_THAT(problems_of(row.text), ElementsAreArray(row.problems)) << row.text;
  }
}

// Then nothing is said about single settings: they may all be there.
TEST(Problems, OfTheWholeDocumentComeAlone) {
  const std::vector<Row> kRows{
      {"- a", {R"(/etc/gw.yaml:1: the document is a list; expected "name: value" lines)"}},
      {"hello",
       {R"(/etc/gw.yaml:1: the document is a single value; expected "name: value" lines)"}},
      {"a: b: c", {"/etc/gw.yaml:1: cannot be read as YAML: illegal map value"}},
      {"a: 1\nb: [1, 2",
       {"/etc/gw.yaml:2: cannot be read as YAML: end of sequence flow not found"}},
      {"a: 1\n\tb: 2",
       {"/etc/gw.yaml:2: cannot be read as YAML: illegal tab when looking for indentation"}},
      {"a: *hunter2",
       {"/etc/gw.yaml:1: cannot be read as YAML: the referenced anchor is not defined"}},
      {"a: &a [*a]", {"/etc/gw.yaml:1: cannot be read as YAML: an alias may not contain itself"}},
      {"[a, b]: c", {"/etc/gw.yaml:1: cannot be read as YAML: a key must be plain text"}},
      {"name: a\n---\nname: b",
       {"/etc/gw.yaml:3: cannot be read as YAML: a second document begins; expected only one "
        "(remove the \"---\")"}},
  };
  for (const auto& row : kRows) {
    EXPECT_THAT(problems_of(row.text), ElementsAreArray(row.problems)) << row.text;
  }
}

TEST(Problems, OfDeepNestingAreOne) {
  EXPECT_THAT(problems_of(std::string(100'000, '[')),
              ElementsAre(HasSubstr("cannot be read as YAML")));
  EXPECT_THAT(problems_of(std::string(100'000, '{')),
              ElementsAre(HasSubstr("cannot be read as YAML")));
}

TEST(Problems, OfTooManyValuesAreOne) {
  std::string text = "tags: [";
  for (int i = 0; i < 1'000'000; ++i) text += "a,";
  EXPECT_THAT(problems_of(text + "a]"),
              ElementsAre("/etc/gw.yaml:1: cannot be read as YAML: more than 1000000 values"));
}

TEST(Problems, ComeAllAtOnceByLine) {
  EXPECT_THAT(
      problems_of("tags: [A]\nworkers: 0\nnats:\n  adress: a\nname: a\nname: b\n",
                  {{"PBXGW_TIMEOUT", "3"}}),
      ElementsAre(HasSubstr("gw.yaml:1: tags[0]:"), HasSubstr("gw.yaml:2: workers:"),
                  HasSubstr("gw.yaml:3: nats.address: missing"),
                  HasSubstr("gw.yaml:4: nats.adress: unknown setting; did you mean \"address\"?"),
                  HasSubstr("gw.yaml:6: name: given twice"),
                  HasSubstr("environment PBXGW_TIMEOUT: timeout: found \"3\"")));
}

TEST(Problems, AreCutAtAHundred) {
  std::string text = kNats;
  for (int i = 0; i < 250; ++i) text += "zzzzzzzzzzzz" + std::to_string(i) + ": 1\n";
  const auto problems = problems_of(text);
  ASSERT_THAT(problems, SizeIs(Document::kProblemsMax + 1));
  EXPECT_EQ(problems.back(), "/etc/gw.yaml: and 150 more");
}

TEST(Problems, OfTheFileItself) {
  Folder folder;
  const auto load = [](const std::filesystem::path& path) {
    auto document = Document::load(path, {});
    sample_from(document.root());
    const auto problems = document.finish();
    EXPECT_THAT(problems, SizeIs(1));
    return problems.empty() ? "" : problems[0].message;
  };
  EXPECT_EQ(load(folder.path / "none.yaml"), "cannot be opened: No such file or directory");
  EXPECT_EQ(load(folder.path), "is a folder; expected a YAML file");
  const auto big = folder.path / "big.yaml";
  std::ofstream(big) << std::string(Document::kBytesMax + 1, '#');
  EXPECT_EQ(load(big), "is larger than 16MiB");
}

TEST(Problems, MayBeAddedByTheService) {
  auto document = Document::parse("a: 1\nb: 2\n", "gw.yaml", {{"PBXGW_A", "3"}});
  const auto root = document.root();
  root.integer("a", {.otherwise = 0});
  root.integer("b", {.otherwise = 0});
  root.wrong("a", "and b exclude each other");
  root.wrong("b", "and a exclude each other");
  EXPECT_THAT(
      document.finish(),
      ElementsAre(
          testing::Property(&Problem::text, "gw.yaml:2: b: and a exclude each other"),
          testing::Property(&Problem::text, "environment PBXGW_A: a: and b exclude each other")));
}

TEST(Quote, CutsOnlyBetweenCharacters) {
  EXPECT_EQ(quote(std::string(61, 'x')), '"' + std::string(60, 'x') + "…\"");
  EXPECT_EQ(quote(std::string(60, 'x')), '"' + std::string(60, 'x') + '"');
  EXPECT_EQ(quote(std::string(59, 'x') + "üü"), '"' + std::string(59, 'x') + "ü…\"");
}

TEST(Nearest, FindsSlipsButNotOtherWords) {
  const std::vector<std::string> known{"url", "user", "password", "connect_timeout"};
  EXPECT_EQ(nearest("ulr", known), "url");
  EXPECT_EQ(nearest("URL", known), "url");
  EXPECT_EQ(nearest("usr", known), "user");
  EXPECT_EQ(nearest("passwd", known), "password");
  EXPECT_EQ(nearest("connect-timeout", known), "connect_timeout");
  EXPECT_EQ(nearest("host", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(1'000'000, 'a'), known), "");
}

}  // namespace
}  // namespace config
