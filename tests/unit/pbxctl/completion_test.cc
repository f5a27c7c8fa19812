#include "pbxctl/completion.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "pbxctl/fake_control.h"
#include "pbxctl/verb.h"

namespace pbxctl {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Test;

class Completion : public Test {
 protected:
  // What bash offers for this command line.
  std::string offers(const std::string& line) {
    const auto folder = std::filesystem::temp_directory_path() /
                        ("pbxctl-completion-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "script")
        << run_with({"completion", "bash"}).out << "COMP_WORDS=(pbxctl " << line
        << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
        << "_pbxctl\necho \"${COMPREPLY[*]}\" >" << folder / "offers" << '\n';
    EXPECT_EQ(std::system(("bash " + (folder / "script").string()).c_str()), 0);
    std::ifstream in(folder / "offers");
    std::string text;
    std::getline(in, text);
    in.close();
    std::filesystem::remove_all(folder);
    return text;
  }
};

TEST_F(Completion, KnowsEachVerbInEachShell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Ran ran = run_with({"completion", shell});
    EXPECT_EQ(ran.status, 0);
    for (const Verb& verb : verbs()) EXPECT_THAT(ran.out, HasSubstr(verb.name)) << shell;
    for (const char* word : {"tenant", "request-id", "always", "no-answer", "connection-cleared"}) {
      EXPECT_THAT(ran.out, HasSubstr(word)) << shell;
    }
  }
}

TEST_F(Completion, WorksInBash) {
  EXPECT_EQ(offers("blin"), "blind-transfer");
  EXPECT_EQ(offers("--tenant acme hol"), "hold");
  EXPECT_EQ(offers("--color a"), "auto always");
  EXPECT_EQ(offers("hold 201 --dr"), "--dry-run");
  EXPECT_EQ(offers("watch --type conn"), "connection-cleared");
  EXPECT_EQ(offers("watch --type call-cleared --js"), "--json");
  EXPECT_EQ(offers("set-forwarding 201 no-a"), "no-answer no-answer-internal no-answer-external");
  EXPECT_THAT(offers("--request"), IsEmpty());
}

}  // namespace
}  // namespace pbxctl
