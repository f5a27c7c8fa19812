#include "pbxctl/words.h"

#include <set>

#include <gmock/gmock.h>

#include "pbxctl/fake_control.h"
#include "pbxctl/request_id.h"
#include "pbxctl/table.h"
#include "pbxctl/verb.h"
#include "pbxgw/v1/events_service.pb.h"

namespace pbxctl {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Test;

class Words : public Test {};

TEST_F(Words, AreTheValuesOfEnums) {
  EXPECT_EQ(word(v1::CALL_EVENT_TYPE_CONNECTION_CLEARED), "connection-cleared");
  EXPECT_EQ(word(v1::CAUSE_UNSPECIFIED), "unspecified");
  EXPECT_EQ(word(static_cast<v1::Cause>(999)), "999");
  EXPECT_THAT(words<v1::EventClass>(), ElementsAre("call", "device", "link"));
  for (const auto& text : words<v1::CallEventType>()) {
    EXPECT_EQ(word(value_of<v1::CallEventType>(text)), text);
  }
}

TEST_F(Words, HaveAVerbForEachService) {
  std::set<std::string> names, verbs_seen;
  for (const Verb& verb : verbs()) names.insert(verb.name);
  for (const auto& text : words<v1::Service>()) {
    const std::string verb = verb_for(value_of<v1::Service>(text));
    EXPECT_TRUE(names.contains(verb)) << text;
    EXPECT_TRUE(verbs_seen.insert(verb).second) << text;
  }
  EXPECT_STREQ(verb_for(v1::SERVICE_SINGLE_STEP_TRANSFER_CALL), "blind-transfer");
  EXPECT_STREQ(verb_for(v1::SERVICE_SET_AGENT_STATE), "set-agent-state");
  EXPECT_STREQ(verb_for(static_cast<v1::Service>(999)), "?");
}

TEST_F(Words, OfAPbxCannotControlTheTerminal) {
  EXPECT_EQ(printable("Ana Pérez 日本 🎧"), "Ana Pérez 日本 🎧");
  EXPECT_EQ(printable("\x1b[2Jgone\n"), "\uFFFD[2Jgone\uFFFD");
  EXPECT_EQ(printable("a\u009b31mb"), "a\uFFFD31mb");      // CSI in one character
  EXPECT_EQ(printable("\u202Egnp.exe"), "\uFFFDgnp.exe");  // right to left
  EXPECT_EQ(printable("\xff"), "\uFFFD");
}

TEST_F(Words, SayWhoTakesPart) {
  v1::Party party;
  EXPECT_EQ(who(party), "withheld");
  party.set_device_id("201");
  EXPECT_EQ(who(party), "201");
  party.set_display_name("Ana");
  EXPECT_EQ(who(party), "201 Ana");
  party.set_number("+3491201");
  EXPECT_EQ(who(party), "+3491201 Ana");
}

TEST_F(Words, SayWhoCallsWhom) {
  const auto at = [](const char* number, v1::Role role) {
    return connection("c1-1-1", number, "", role, v1::CONNECTION_STATE_CONNECTED);
  };
  v1::Call call = call_of("c1-1", {at("201", v1::ROLE_CALLING)});
  EXPECT_EQ(parties(call), "201 → ?");
  call.set_dialled_number("202");
  EXPECT_EQ(parties(call), "201 → 202");
  EXPECT_EQ(parties(call_of("c1-1", {at("202", v1::ROLE_CALLED)})), "? → 202");
  EXPECT_EQ(parties(call_of("c1-1", {})), "");
  EXPECT_EQ(parties(call_of("c1-1", {at("201", v1::ROLE_CALLING), at("202", v1::ROLE_CALLED),
                                     at("203", v1::ROLE_CALLED), at("204", v1::ROLE_CALLED),
                                     at("205", v1::ROLE_CALLED), at("206", v1::ROLE_CALLED)})),
            "201 → 202, 203, 204, 2 more");
}

TEST_F(Words, TakeNamesApart) {
  EXPECT_EQ(id_of("tenants/acme/connections/c12-7-1"), "c12-7-1");
  EXPECT_EQ(id_of("tenants/acme/devices/_2b34"), "+34");
  EXPECT_EQ(id_of("acme"), "acme");
  EXPECT_EQ(tenant_of("tenants/acme/calls/c1-1"), "acme");
  EXPECT_EQ(tenant_of("tenants/acme"), "acme");
}

TEST_F(Words, SayHowLong) {
  EXPECT_EQ(length_text(-5s), "0s");
  EXPECT_EQ(length_text(999ms), "0s");
  EXPECT_EQ(length_text(59s), "59s");
  EXPECT_EQ(length_text(185s), "3m05s");
  EXPECT_EQ(length_text(2h + 7min + 59s), "2h07m");
  EXPECT_EQ(length_text(76h), "3d04h");
}

TEST_F(Words, MakeRequestIds) {
  std::set<std::string> ids;
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = new_request_id();
    EXPECT_TRUE(is_request_id(id)) << id;
    EXPECT_TRUE(ids.insert(id).second);
  }
  EXPECT_TRUE(is_request_id("3F2504E0-4F89-41D3-9A0C-0305E82C3301"));
  for (const char* text :
       {"", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-7a0c-0305e82c3301",
        "3f2504e04f8941d39a0c0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c330g"}) {
    EXPECT_FALSE(is_request_id(text)) << text;
  }
}

TEST_F(Words, AlignByCharactersAndEndWithoutBlanks) {
  const Style plain(false), colored(true);
  EXPECT_EQ(row({{"é"}, {"b"}, {""}}, {3, 2, 5}, plain), "é    b");
  EXPECT_EQ(row({{"toolong"}, {"b"}}, {3, 2}, plain), "toolong  b");
  EXPECT_EQ(row({{""}, {"b"}}, {3, 2}, plain), "     b");
  EXPECT_EQ(row({{"a"}, {""}, {"c"}}, {2, 0, 0}, plain), "a   c");
  EXPECT_EQ(row({{"a", Color::red}, {"b"}}, {2, 0}, colored), "\x1b[31ma\x1b[0m   b");
}

}  // namespace
}  // namespace pbxctl
