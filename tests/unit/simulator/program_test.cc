#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The program itself, as somebody starts it.
class ProgramTest : public testing::Test {
 protected:
  void start(std::vector<std::string> arguments) {
    std::array<int, 2> out{};
    ASSERT_EQ(::pipe(out.data()), 0);
    std::vector<char*> words{const_cast<char*>(SIMULATOR_PROGRAM)};
    for (auto& word : arguments) words.push_back(word.data());
    words.push_back(nullptr);
    process = ::fork();
    if (process == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(out[1], STDERR_FILENO);
      ::close(out[0]);
      ::execv(words[0], words.data());
      ::_exit(127);
    }
    ::close(out[1]);
    output = ::fdopen(out[0], "r");
  }
  std::string line() {
    std::string text;
    for (int c = std::fgetc(output); c != EOF && c != '\n'; c = std::fgetc(output)) {
      text += static_cast<char>(c);
    }
    return text;
  }
  int exit_code() {
    int status = 0;
    ::waitpid(process, &status, 0);
    process = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void TearDown() override {
    if (process > 0) {
      ::kill(process, SIGKILL);
      exit_code();
    }
    if (output) std::fclose(output);
  }

  pid_t process = 0;
  std::FILE* output = nullptr;
};

TEST_F(ProgramTest, SaysWhereItListensAndStopsWhenAsked) {
  start({"--any-ports", "--scenario", std::string(SIMULATOR_SCENARIOS) + "/demo.yaml"});
  EXPECT_THAT(line(), HasSubstr("SHA-256 pin"));
  const auto ready = boost::json::parse(line());
  EXPECT_EQ(ready.at("ready"), true);
  EXPECT_GT(ready.at("control").to_number<int>(), 0);
  EXPECT_GT(ready.at("innova360").at("tls").to_number<int>(), 0);
  ASSERT_EQ(::kill(process, SIGTERM), 0);
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(ProgramTest, TellsItsVersion) {
  start({"--version"});
  EXPECT_THAT(line(), StartsWith("simulator "));
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(ProgramTest, ChecksItsFiles) {
  start({"--check-config", "--scenario", std::string(SIMULATOR_SCENARIOS) + "/faults.yaml"});
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(ProgramTest, RefusesAFileThatIsNotThere) {
  start({"--check-config", "--scenario", "/nowhere.yaml"});
  EXPECT_THAT(line(), HasSubstr("/nowhere.yaml"));
  EXPECT_EQ(exit_code(), 2);
}

}  // namespace
