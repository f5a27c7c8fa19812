#include <gmock/gmock.h>

#include "pbxctl/fake_control.h"

namespace pbxctl {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;
using testing::StartsWith;
using testing::Test;
using namespace pbxgw::v1;

class VerbsOfPbxctl : public Test {
 protected:
  FakeControl control;

  Ran pbxctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", control.address()});
    return run_with(arguments);
  }
  // At the tenant acme.
  Ran at_acme(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--tenant", "acme"});
    return pbxctl(std::move(arguments));
  }
  static Tenant tenant(const std::string& id) {
    Tenant out;
    out.set_name("tenants/" + id);
    out.set_display_name("The " + id);
    out.set_vendor("innova360");
    out.set_owner("connector-1");
    out.set_epoch(12);
    out.mutable_link()->set_state(LINK_STATE_UP);
    out.mutable_link()->mutable_state_time()->set_seconds(kNow - 300);
    return out;
  }
  static Device device(const std::string& number) {
    Device out;
    out.set_name("tenants/acme/devices/" + number);
    out.set_device_id(number);
    out.set_display_name("Ana");
    out.set_availability(AVAILABILITY_IN_SERVICE);
    out.set_activity(ACTIVITY_IDLE);
    out.set_do_not_disturb(true);
    out.set_controllable(true);
    return out;
  }
  static Connection at_201(const std::string& id, ConnectionState state,
                           const std::vector<Service>& actions) {
    return connection(id, "201", "Ana", ROLE_CALLING, state, actions);
  }
  static Connection at_202(const std::string& id) {
    return connection(id, "202", "Ben", ROLE_CALLED, CONNECTION_STATE_CONNECTED);
  }
};

// ---- Looking ----

TEST_F(VerbsOfPbxctl, ListTenants) {
  control.tenants = {tenant("acme"), tenant("globex")};
  auto& link = *control.tenants[1].mutable_link();
  link.set_state(LINK_STATE_BACKING_OFF);
  link.set_reason(LINK_REASON_LOGIN_REJECTED);
  control.tenants[1].clear_owner();
  EXPECT_EQ(pbxctl({"tenants"}).out,
            "TENANT  NAME        VENDOR     LINK         SINCE  REASON          OWNER\n"
            "acme    The acme    innova360  up           5m00s  -               connector-1\n"
            "globex  The globex  innova360  backing-off  5m00s  login-rejected  -\n");
  EXPECT_EQ(pbxctl({"tenants", "acme"}).out,
            "tenant  acme\n"
            "name    The acme\n"
            "vendor  innova360\n"
            "link    up\n"
            "since   11:55:00.000, 5m00s ago\n"
            "owner   connector-1\n"
            "epoch   12\n");
  const Ran json = pbxctl({"tenants", "--json"});
  EXPECT_THAT(json.out, StartsWith(R"({"name":"tenants/acme","displayName":"The acme",)"));
  EXPECT_EQ(std::count(json.out.begin(), json.out.end(), '\n'), 2);
}

TEST_F(VerbsOfPbxctl, SayWhenThereIsNothing) {
  EXPECT_EQ(pbxctl({"tenants"}).out, "no tenants\n");
  EXPECT_EQ(pbxctl({"calls"}).out, "no calls\n");
  EXPECT_EQ(pbxctl({"devices"}).out, "no devices\n");
  EXPECT_EQ(pbxctl({"calls", "--json"}).out, "");
}

TEST_F(VerbsOfPbxctl, EndWithStatus3ForWhatIsNotThere) {
  const Ran ran = pbxctl({"tenants", "acme"});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, StartsWith("pbxctl: There is no tenant tenants/acme.\n"
                                  "  reason: TENANT_NOT_FOUND (NOT_FOUND)\n"));
  EXPECT_EQ(at_acme({"calls", "c1-7"}).status, 3);
  EXPECT_EQ(at_acme({"devices", "201"}).status, 3);
}

TEST_F(VerbsOfPbxctl, ListCapabilities) {
  EXPECT_EQ(pbxctl({"capabilities", "acme"}).out,
            "VERB  OFFERED   NOTE\n"
            "call  observed  The phone rings first.\n"
            "park  no\n");
  EXPECT_THAT(control.asked, ElementsAre("GetCapabilities name: \"tenants/acme/capabilities\""));
}

TEST_F(VerbsOfPbxctl, ListDevices) {
  control.devices = {device("201")};
  EXPECT_EQ(at_acme({"devices"}).out,
            "NUMBER  NAME  AVAILABILITY  ACTIVITY  DND  FORWARDING  PRESENCE  AGENT  CONTROL\n"
            "201     Ana   in-service    idle      on   -           -         -      yes\n");
  EXPECT_THAT(pbxctl({"devices"}).out, StartsWith("TENANT  NUMBER"));
  EXPECT_THAT(at_acme({"devices", "201"}).out, HasSubstr("do not disturb  on\n"));
}

TEST_F(VerbsOfPbxctl, ListCalls) {
  control.calls = {
      call_of("c1-7", {at_201("c1-7-1", CONNECTION_STATE_HOLD,
                              {SERVICE_RETRIEVE_CALL, SERVICE_SINGLE_STEP_TRANSFER_CALL}),
                       at_202("c1-7-2")})};
  EXPECT_EQ(at_acme({"calls"}).out,
            "CALL  DIRECTION  WHO                STATE  FOR    ACTIONS\n"
            "c1-7  internal   201 Ana → 202 Ben  hold   1m15s  201: retrieve blind-transfer\n");
  EXPECT_EQ(at_acme({"calls", "c1-7"}).out,
            "call       c1-7\n"
            "tenant     acme\n"
            "direction  internal\n"
            "seen for   1m15s\n"
            "\n"
            "CONNECTION  WHO      ROLE     STATE      FOR  CAUSE   ACTIONS\n"
            "c1-7-1      201 Ana  calling  hold       10s  normal  retrieve blind-transfer\n"
            "c1-7-2      202 Ben  called   connected  10s  normal  -\n");
}

TEST_F(VerbsOfPbxctl, WarnOfTenantsThatCouldNotBeAsked) {
  control.unreachable = {"tenants/globex"};
  const Ran ran = pbxctl({"calls"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err, "pbxctl: globex could not be asked: its calls are missing here\n");
}

// ---- Doing ----

TEST_F(VerbsOfPbxctl, AskForWhatTheArgumentsSay) {
  const std::string c = "connection: \"tenants/acme/connections/c1-7-1\"";
  const std::string other = " other_connection: \"tenants/acme/connections/c1-8-1\"";
  const std::string d = "device: \"tenants/acme/devices/201\"";
  const std::vector<std::pair<std::vector<std::string>, std::string>> rows = {
      {{"call", "--data", "a=1", "201", "+34"},
       "MakeCall " + d + " destination: \"+34\" data { key: \"a\" value: \"1\" }"},
      {{"answer", "c1-7-1"}, "AnswerCall " + c},
      {{"clear", "c1-7-1"}, "ClearConnection " + c},
      {{"clear-call", "c1-7"}, "ClearCall call: \"tenants/acme/calls/c1-7\""},
      {{"hold", "c1-7-1"}, "HoldCall " + c},
      {{"retrieve", "c1-7-1"}, "RetrieveCall " + c},
      {{"alternate", "c1-7-1"}, "AlternateCall " + c},
      {{"alternate", "c1-7-1", "c1-8-1"}, "AlternateCall " + c + other},
      {{"reconnect", "c1-7-1", "c1-8-1"}, "ReconnectCall " + c + other},
      {{"consult", "c1-7-1", "203"}, "ConsultationCall " + c + " destination: \"203\""},
      {{"transfer", "c1-7-1", "c1-8-1"}, "TransferCall " + c + other},
      {{"blind-transfer", "c1-7-1", "203"},
       "SingleStepTransferCall " + c + " destination: \"203\""},
      {{"deflect", "c1-7-1", "203"}, "DeflectCall " + c + " destination: \"203\""},
      {{"conference", "c1-7-1", "c1-8-1"}, "ConferenceCall " + c + other},
      {{"pickup", "201", "c1-7-1"}, "DirectedPickupCall " + c + " " + d},
      {{"park", "c1-7-1"}, "ParkCall " + c},
      {{"park", "c1-7-1", "71"}, "ParkCall " + c + " slot: \"71\""},
      {{"digits", "c1-7-1", "12#"}, "GenerateDigits " + c + " digits: \"12#\""},
      {{"record-start", "c1-7-1"}, "StartRecording " + c},
      {{"record-stop", "c1-7-1"}, "StopRecording " + c},
      {{"attach-data", "c1-7-1", "a=b=c"},
       "AssociateData " + c + " data { key: \"a\" value: \"b=c\" }"},
      {{"set-dnd", "201", "on"}, "SetDoNotDisturb " + d + " enabled: true"},
      {{"set-dnd", "201", "off"}, "SetDoNotDisturb " + d},
      {{"set-forwarding", "201", "no-answer", "203"},
       "SetForwarding " + d +
           " forwarding { type: FORWARDING_TYPE_NO_ANSWER destination: \"203\" }"},
      {{"set-forwarding", "201", "busy"},
       "SetForwarding " + d + " forwarding { type: FORWARDING_TYPE_BUSY }"},
      {{"set-presence", "201", "away", "--note", "lunch"},
       "SetPresence " + d + " presence: \"away\" note: \"lunch\""},
      {{"set-agent-state", "201", "not-ready", "--reason", "lunch"},
       "SetAgentState " + d + " agent_state: AGENT_STATE_NOT_READY reason: \"lunch\""},
      {{"hold", "tenants/globex/connections/c9-9-9"},
       "HoldCall connection: \"tenants/globex/connections/c9-9-9\""},
      {{"hold", "c1-7-1", "--dry-run"}, "HoldCall " + c + " validate_only: true"},
  };
  for (const auto& [arguments, asked] : rows) {
    control.asked.clear();
    const Ran ran = at_acme(arguments);
    EXPECT_EQ(ran.status, 0) << arguments[0] << ": " << ran.err;
    EXPECT_THAT(control.asked, ElementsAre(asked)) << arguments[0];
  }
  for (const auto& id : control.request_ids) EXPECT_THAT(id, SizeIs(36));
}

TEST_F(VerbsOfPbxctl, SayWhatCameOfIt) {
  control.call_after =
      call_of("c1-7", {at_201("c1-7-1", CONNECTION_STATE_HOLD, {}), at_202("c1-7-2")});
  control.connection_after = "tenants/acme/connections/c1-7-1";
  EXPECT_EQ(at_acme({"hold", "c1-7-1"}).out, "done  c1-7-1  hold  201 Ana → 202 Ben\n");
  EXPECT_EQ(at_acme({"hold", "c1-7-1", "--dry-run"}).out, "could be done now; nothing was done\n");
  control.call_after.Clear();
  EXPECT_EQ(at_acme({"clear", "c1-7-1"}).out, "done  the call has ended\n");
  control.devices = {device("201")};
  EXPECT_EQ(at_acme({"set-dnd", "201", "on"}).out, "done  201 Ana  do not disturb on\n");
}

TEST_F(VerbsOfPbxctl, ShowTheRequestIdInJson) {
  const std::string id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
  control.connection_after = "tenants/acme/connections/c1-7-1";
  EXPECT_EQ(at_acme({"hold", "c1-7-1", "--json", "--request-id", id}).out,
            "{\"requestId\":\"" + id + "\",\"connection\":\"tenants/acme/connections/c1-7-1\"}\n");
  EXPECT_THAT(control.request_ids, ElementsAre(id));
  control.connection_after.clear();
  EXPECT_THAT(at_acme({"hold", "c1-7-1", "--json"}).out,
              MatchesRegex("\\{\"requestId\":\"[0-9a-f-]*\"\\}\n"));
  EXPECT_NE(control.request_ids[1], id);
}

TEST_F(VerbsOfPbxctl, SayHowToRepeatWhatMayHaveBeenDone) {
  control.verdict = error(Errc::outcome_unknown, "The link was lost.");
  const Ran ran = at_acme({"hold", "c1-7-1"});
  EXPECT_EQ(ran.status, 7);
  EXPECT_THAT(ran.err, HasSubstr("  It may have been done. To repeat safely: --request-id " +
                                 control.request_ids.at(0)));
  control.verdict = error(Errc::incorrect_state, "It is not held.");
  const Ran other = at_acme({"retrieve", "c1-7-1"});
  EXPECT_EQ(other.status, 4);
  EXPECT_THAT(other.err, testing::Not(HasSubstr("--request-id")));
}

// ---- Which tenant, which connection ----

TEST_F(VerbsOfPbxctl, TakeTheOnlyTenant) {
  control.tenants = {tenant("globex")};
  EXPECT_EQ(pbxctl({"hold", "c1-7-1"}).status, 0);
  EXPECT_THAT(control.asked,
              ElementsAre("HoldCall connection: \"tenants/globex/connections/c1-7-1\""));
}

TEST_F(VerbsOfPbxctl, AskWhichTenant) {
  control.tenants = {tenant("acme"), tenant("globex")};
  const Ran ran = pbxctl({"hold", "c1-7-1"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err,
            "pbxctl: which tenant? Say --tenant NAME, or set PBXGW_TENANT\n"
            "  There are: acme, globex\n");
  control.tenants.clear();
  EXPECT_EQ(pbxctl({"hold", "c1-7-1"}).status, 3);
}

TEST_F(VerbsOfPbxctl, FindTheConnectionOfADevice) {
  const auto talks = CONNECTION_STATE_CONNECTED, held = CONNECTION_STATE_HOLD;
  // Its only one, even if it does not allow this: the service knows why not.
  control.calls = {call_of("c1-7", {at_201("c1-7-1", talks, {}), at_202("c1-7-2")})};
  EXPECT_EQ(at_acme({"hold", "201"}).status, 0);
  EXPECT_THAT(control.asked,
              ElementsAre("ListCalls parent: \"tenants/acme\" page_size: 1000 device_id: \"201\"",
                          "HoldCall connection: \"tenants/acme/connections/c1-7-1\""));
  // The only one that allows it.
  control.calls.push_back(call_of("c1-8", {at_201("c1-8-1", held, {SERVICE_RETRIEVE_CALL})}));
  control.asked.clear();
  EXPECT_EQ(at_acme({"retrieve", "201"}).status, 0);
  EXPECT_EQ(control.asked.at(1), "RetrieveCall connection: \"tenants/acme/connections/c1-8-1\"");
}

TEST_F(VerbsOfPbxctl, TakeTheConnectedOneOfTwo) {
  control.calls = {
      call_of("c1-7", {at_201("c1-7-1", CONNECTION_STATE_HOLD, {SERVICE_TRANSFER_CALL})}),
      call_of("c1-8", {at_201("c1-8-1", CONNECTION_STATE_CONNECTED, {SERVICE_TRANSFER_CALL})})};
  EXPECT_EQ(at_acme({"transfer", "201"}).status, 0);
  EXPECT_EQ(control.asked.at(1), "TransferCall connection: \"tenants/acme/connections/c1-8-1\"");
}

TEST_F(VerbsOfPbxctl, ListTheChoicesWhereThereAreSeveral) {
  const std::vector<Service> clear = {SERVICE_CLEAR_CONNECTION};
  control.calls = {
      call_of("c1-7", {at_201("c1-7-1", CONNECTION_STATE_HOLD, clear), at_202("c1-7-2")}),
      call_of("c1-8", {at_201("c1-8-1", CONNECTION_STATE_CONNECTED, clear)})};
  Ran ran = at_acme({"clear", "201"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err,
            "pbxctl: 201 has 2 connections that clear could mean; name one of them instead:\n"
            "  c1-7-1  hold       201 Ana → 202 Ben\n"
            "  c1-8-1  connected  201 Ana → ?\n");
  ran = at_acme({"answer", "201"});
  EXPECT_EQ(ran.status, 4);
  EXPECT_THAT(ran.err, StartsWith("pbxctl: none of the 2 connections of 201 allows answer now:\n"));
  EXPECT_THAT(control.asked, testing::Each(StartsWith("ListCalls")));
}

TEST_F(VerbsOfPbxctl, SayThatADeviceIsInNoCall) {
  const Ran ran = at_acme({"hold", "201"});
  EXPECT_EQ(ran.status, 3);
  EXPECT_EQ(ran.err, "pbxctl: 201 is in no call right now\n");
}

}  // namespace
}  // namespace pbxctl
