#include <fstream>

#include <gmock/gmock.h>

#include "pbxctl/fake_control.h"
#include "pbxctl/verb.h"

namespace pbxctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::Test;

using Words = std::vector<std::string>;

class Arguments : public Test {
 protected:
  void expect_refused(const Words& arguments, const std::string& message) {
    const Ran ran = run_with(arguments);
    EXPECT_EQ(ran.status, 2) << ran.err;
    EXPECT_EQ(ran.err.substr(0, ran.err.find('\n')), "pbxctl: " + message);
    EXPECT_THAT(ran.out, IsEmpty());
  }
};

TEST_F(Arguments, ThatAreWrongAreNamed) {
  expect_refused({}, "what to do? Say a verb");
  expect_refused({"frob"}, "there is no verb \"frob\"");
  expect_refused({"cals"}, "there is no verb \"cals\"; did you mean calls?");
  expect_refused({"clear_call"}, "there is no verb \"clear_call\"; did you mean clear-call?");
  expect_refused({"--frob"}, "there is no option --frob");
  expect_refused({"hold"}, "CONNECTION is required");
  expect_refused({"call", "201"}, "NUMBER is required");
  expect_refused({"hold", "201", "202"}, "The following argument was not expected: 202");
  expect_refused({"set-dnd", "201", "perhaps"}, "STATE: perhaps not in {on,off}");
  expect_refused({"set-agent-state", "201", "busy"},
                 "STATE: busy not in {logged-off,not-ready,ready,working-after-call}");
  expect_refused({"watch", "--class", "weather"}, "--class: weather not in {call,device,link}");
  expect_refused({"--color", "blue", "tenants"}, "--color: blue not in {auto,always,never}");
  expect_refused({"--timeout", "10", "tenants"},
                 "--timeout: found \"10\"; expected a time such as 500ms, 10s or 5m");
  expect_refused({"watch", "--for", "0s"},
                 "--for: found \"0s\"; expected a time such as 500ms, 10s or 5m");
  expect_refused({"--server", "host:port", "tenants"},
                 "--server: found \"host:port\"; expected HOST:PORT such as 127.0.0.1:7443");
  expect_refused({"--tenant", "tenants/a/b", "calls"},
                 "--tenant: found \"tenants/a/b\"; expected a name such as acme or tenants/acme");
  expect_refused({"hold", "201", "--request-id", "7"},
                 "--request-id: found \"7\"; expected auto, or a UUID of version 4");
  expect_refused({"attach-data", "201", "order"},
                 "DATA: found \"order\"; expected KEY=VALUE such as order=4711");
  expect_refused({"attach-data", "201", "a=1", "a=2"}, "DATA: has \"a\" twice");
  expect_refused({"--cert", "/dev/null", "tenants"}, "--cert requires --key");
  expect_refused({"--ca-file", "/nowhere", "tenants"}, "--ca-file: File does not exist: /nowhere");
  expect_refused({"watch", "--call-events-only", "--class", "link"},
                 "--class excludes --call-events-only");
  expect_refused({"--tenant", "acme", "clear-call", "201"},
                 "found \"201\"; expected a call such as c12-7 (pbxctl calls lists them)");
  expect_refused({"--tenant", "acme", "hold", "c12-7"},
                 "found \"c12-7\"; expected a connection such as c12-7-1 (pbxctl calls c12-7 lists "
                 "them), or a device");
  expect_refused({"hold", "tenants/acme/calls/c1-1"},
                 "found \"tenants/acme/calls/c1-1\"; expected "
                 "tenants/{tenant}/connections/{connection}");
  expect_refused({"call", "tenants/acme", "202"},
                 "found \"tenants/acme\"; expected tenants/{tenant}/devices/{device}");
}

TEST_F(Arguments, ThatAreWrongLeadToHelp) {
  EXPECT_THAT(run_with({"hold"}).err, HasSubstr("\n  pbxctl hold --help tells more.\n"));
  EXPECT_THAT(run_with({"frob"}).err, HasSubstr("\n  pbxctl --help tells more.\n"));
}

TEST_F(Arguments, ThatAreWrongAreJsonForScripts) {
  EXPECT_THAT(run_with({"--json", "hold"}).err,
              StartsWith(R"({"error":{"message":"CONNECTION is required"},)"));
}

TEST_F(Arguments, OfEveryVerbMayStandBehindIt) {
  const Ran ran = run_with({"tenants", "--server", "127.0.0.1:1", "--timeout", "5s"});
  EXPECT_EQ(ran.status, 6);
  EXPECT_THAT(ran.err, HasSubstr("127.0.0.1:1"));
}

TEST_F(Arguments, AreExplained) {
  const Ran all = run_with({"--help"});
  EXPECT_EQ(all.status, 0);
  EXPECT_THAT(all.out, HasSubstr("Exit status:\n  0  done\n"));
  for (const Verb& verb : verbs()) {
    EXPECT_THAT(all.out, HasSubstr(std::string("\n  ") + verb.name + " "));
    EXPECT_THAT(all.out, HasSubstr(verb.summary));
    const Ran one = run_with({verb.name, "--help"});
    EXPECT_EQ(one.status, 0);
    EXPECT_THAT(one.out, AllOf(StartsWith(verb.summary), HasSubstr(verb.help),
                               HasSubstr(std::string("Usage: pbxctl ") + verb.name + " "),
                               HasSubstr("\n\nExample:\n  ")))
        << one.out;
  }
}

TEST_F(Arguments, OfExamplesAreWhatTheParserTakes) {
  // Every example is tried up to where it would speak to a service, where none is.
  for (const Verb& verb : verbs()) {
    std::istringstream lines(verb.example);
    for (std::string line; std::getline(lines, line);) {
      line = line.substr(0, line.find("  "));
      if (!line.starts_with("pbxctl ") || line.find('>') != std::string::npos) continue;
      Words words;
      std::string text;
      bool in_quotes = false;
      for (char c : line.substr(7) + " ") {
        if (c == '\'') {
          in_quotes = !in_quotes;
        } else if (c == ' ' && !in_quotes) {
          words.push_back(std::exchange(text, {}));
        } else {
          text += c;
        }
      }
      words.insert(words.end(), {"--server", "127.0.0.1:1"});
      EXPECT_EQ(run_with(words).status, 6) << line;
    }
  }
}

TEST_F(Arguments, TellTheVersion) {
  const Ran ran = run_with({"--version"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, testing::MatchesRegex("pbxctl [0-9.]+\n"));
}

}  // namespace
}  // namespace pbxctl
