#include "config/secret.h"

#include <filesystem>
#include <fstream>
#include <ostream>
#include <tuple>

#include <gmock/gmock.h>

#include "sample.h"

namespace config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

template <class T>
concept Printable = requires(std::ostream& out, const T& it) {
  out << it;
};
static_assert(!Printable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_constructible_v<std::string, Secret>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST(Secret, ComparesAllOfIt) {
  const Secret secret("hunter2");
  EXPECT_TRUE(secret.equals("hunter2"));
  EXPECT_FALSE(secret.equals("hunter"));
  EXPECT_FALSE(secret.equals("hunter3"));
  EXPECT_FALSE(secret.equals("iunter2"));
  EXPECT_FALSE(secret.equals(""));
  EXPECT_TRUE(Secret().equals(""));
  EXPECT_TRUE(secret == Secret("hunter2"));
  EXPECT_TRUE(secret != Secret("hunter1"));
}

struct SecretReading : testing::Test {
  Folder folder;
  std::vector<Problem> problems;

  void write(const std::string& name, const std::string& content) {
    std::ofstream(folder.path / name, std::ios::binary) << content;
  }
  // The password of `text`, in a file in our folder.
  std::string read(const std::string& text, Environment environment = {}) {
    auto document = Document::parse(text, folder.path / "gw.yaml", std::move(environment));
    const auto secret = document.root().secret("password");
    problems = document.finish();
    return secret.reveal();
  }
};

TEST_F(SecretReading, ComesFromThreePlaces) {
  write("pw", "from file\n");
  EXPECT_EQ(read("password: literal"), "literal");
  EXPECT_EQ(read("password_file: pw"), "from file");
  EXPECT_EQ(read("password_file: " + (folder.path / "pw").string()), "from file");
  EXPECT_EQ(read("password_env: PW", {{"PW", "from env"}}), "from env");
  EXPECT_EQ(read("password_env: PBXGW_PW", {{"PBXGW_PW", "from env"}}), "from env");
  EXPECT_THAT(problems, IsEmpty());
}

TEST_F(SecretReading, LosesOneNewlineOfItsFile) {
  write("dos", "two\r\n");
  write("two", "two\n\n");
  EXPECT_EQ(read("password_file: dos"), "two");
  EXPECT_EQ(read("password_file: two"), "two\n");
}

TEST_F(SecretReading, IsOverriddenByAnyFormInTheEnvironment) {
  write("pw", "from file");
  EXPECT_EQ(read("password: literal", {{"PBXGW_PASSWORD", "other"}}), "other");
  EXPECT_EQ(read("password: literal", {{"PBXGW_PASSWORD_FILE", "pw"}}), "from file");
  EXPECT_EQ(read("password_file: gone", {{"PBXGW_PASSWORD_ENV", "PW"}, {"PW", "p"}}), "p");
  EXPECT_THAT(problems, IsEmpty());
  read("", {{"PBXGW_PASSWORD", "a"}, {"PBXGW_PASSWORD_FILE", "pw"}});
  EXPECT_THAT(problems, ElementsAre(testing::Property(
                            &Problem::text,
                            "environment PBXGW_PASSWORD_FILE: password_file: given as well as "
                            "PBXGW_PASSWORD; expected one of them")));
}

TEST_F(SecretReading, MayComeFromAnotherSettingsVariable) {
  auto document = Document::parse("password_env: PBXGW_USER", "gw.yaml", {{"PBXGW_USER", "u"}});
  EXPECT_TRUE(document.root().secret("password").equals("u"));
  EXPECT_EQ(document.root().text("user"), "u");
  EXPECT_THAT(document.finish(), IsEmpty());
}

// While somebody replaces a file it may be gone, or empty: then it counts as it was.
TEST_F(SecretReading, GoesOnWithWhatItsFileSaidBefore) {
  write("pw", "first\n");
  write("ca.pem", "certificate");
  const auto load = [&](Files before) {
    auto document =
        Document::parse("password_file: pw\nca_file: ca.pem", folder.path / "gw.yaml", {}, before);
    const auto secret = document.root().secret("password");
    const auto file = document.root().file("ca_file");
    problems = document.finish();
    return std::tuple(secret.reveal(), document.root().version_of(file), document.files(),
                      document.kept());
  };
  const auto [first, version, files, nothing] = load({});
  EXPECT_EQ(first, "first");
  EXPECT_THAT(nothing, IsEmpty());
  EXPECT_THAT(files, SizeIs(2));

  write("pw", "\n");
  std::filesystem::remove(folder.path / "ca.pem");
  const auto [second, same, still, kept] = load(files);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(second, "first");
  EXPECT_EQ(same, version);
  EXPECT_THAT(kept, ElementsAre(HasSubstr("pw: empty; what it said before still counts"),
                                HasSubstr("ca.pem: No such file or directory")));

  // As often as need be, and then it is another one.
  const auto [third, again, files_then, kept_again] = load(still);
  EXPECT_EQ(third, "first");
  EXPECT_THAT(kept_again, SizeIs(2));
  write("pw", "second");
  write("ca.pem", "another one");
  const auto [fourth, other, files_now, kept_now] = load(files_then);
  EXPECT_EQ(fourth, "second");
  EXPECT_NE(other, version);
  EXPECT_THAT(kept_now, IsEmpty());

  // At the start there is nothing to go on with.
  std::filesystem::remove(folder.path / "pw");
  load({});
  EXPECT_THAT(problems, SizeIs(1));
}

// Each mistake an operator can make with a secret at hand, in the file or in the environment.
TEST_F(SecretReading, NeverShowsInAProblem) {
  const std::string canary = "hunter2canary";
  write("empty", "\n");
  write("binary", std::string(70'000, 'x'));
  const std::vector<std::string> kTexts{
      "password: [" + canary + "]",
      "password: {" + canary + ": 1}",
      "password: {a: " + canary + "}",
      "password: *" + canary,
      "password: %" + canary,
      "password: @" + canary,
      "password: `" + canary,
      "password: \"\\" + canary + "\"",
      "password: \"" + canary,
      "password: '" + canary,
      "password: {" + canary,
      "password: a: " + canary,
      "password: " + canary + "\npassword: " + canary + "2",
      "password: " + canary + "\npassword_env: " + canary,
      "password: " + canary + "\npassword_file: " + canary,
      "password_file: " + canary,
      "password_env: " + canary,
      "password_file: empty",
      "password_file: binary",
      "password_file: [" + canary + "]",
      "password_env: {a: " + canary + "}",
      "passwort: " + canary,
      "url: nats://me:" + canary + "@host",
      "password: p\nurl: nats://me:" + canary + "@host",
      "password: p\nurl: me:" + canary + "@host",
      "password: p\nurl: nats://me:" + canary + "@@host@",
  };
  for (const auto& text : kTexts) {
    auto document = Document::parse(text, folder.path / "gw.yaml", {});
    document.root().secret("password");
    document.root().host_port("url", {.otherwise = HostPort{}});
    const auto found = document.finish();
    EXPECT_THAT(found, Not(IsEmpty())) << text;
    for (const auto& it : found) {
      // The key of a mapping is shown only where it is an unknown setting.
      EXPECT_THAT(it.text(), Not(HasSubstr(canary))) << text;
    }
  }
  for (const Environment& environment :
       {Environment{{"PBXGW_PASSWORT", canary}}, Environment{{"PBXGW_PASSWORD_FILE", canary}},
        Environment{{"PBXGW_PASSWORD_ENV", canary}},
        Environment{{"PBXGW_PASSWORD", canary}, {"PBXGW_PASSWORD_ENV", canary}}}) {
    read("password: p", environment);
    EXPECT_THAT(problems, SizeIs(1));
    for (const auto& it : problems) EXPECT_THAT(it.text(), Not(HasSubstr(canary)));
  }
}

TEST_F(SecretReading, SaysWhyAFileOrVariableWillNotDo) {
  write("empty", "\n");
  write("large", std::string((64 << 10) + 1, 'x'));
  const auto message = [&](const std::string& text, Environment environment = {}) {
    read(text, std::move(environment));
    return problems.size() == 1 ? problems[0].message : "";
  };
  EXPECT_EQ(message("password_file: empty"), "the file it names is empty");
  EXPECT_EQ(message("password_file: large"), "the file it names cannot be read: larger than 64KiB");
  EXPECT_EQ(message("password_file: none"),
            "the file it names cannot be read: No such file or directory");
  EXPECT_EQ(message("password_env: PW", {{"PW", ""}}),
            "the environment variable it names is empty");
  EXPECT_EQ(message("password:"), "found nothing; expected text");
  EXPECT_EQ(message("{}"), "missing; expected this, or password_file, or password_env");
}

}  // namespace
}  // namespace config
