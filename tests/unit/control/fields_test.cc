#include "control/fields.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "control/rpc/command.h"
#include "google/rpc/error_details.pb.h"
#include "pbxgw/v1/call_control_service.pb.h"

namespace control {
namespace {

using namespace pbxgw::v1;

constexpr char kDevice[] = "tenants/acme/devices/201";
constexpr char kCall[] = "tenants/acme/calls/c7-1";
constexpr char kConnection[] = "tenants/acme/connections/c7-1-2";
constexpr char kOther[] = "tenants/acme/connections/c7-9-1";
constexpr char kId[] = "0b7ce1a4-3d1e-4f0a-9c55-0a1b2c3d4e5f";

// A request with everything that is required, and nothing wrong.
template <class Request>
Request valid() {
  Request request;
  if constexpr (requires { request.set_device(""); }) request.set_device(kDevice);
  if constexpr (requires { request.set_call(""); }) request.set_call(kCall);
  if constexpr (requires { request.set_connection(""); }) request.set_connection(kConnection);
  if constexpr (requires { request.set_destination(""); }) request.set_destination("0301234567");
  if constexpr (requires { request.set_digits(""); }) request.set_digits("12#");
  if constexpr (requires { request.set_presence(""); }) request.set_presence("away");
  if constexpr (requires { request.mutable_data(); }) (*request.mutable_data())["order"] = "17";
  if constexpr (requires { request.set_agent_state(AGENT_STATE_READY); }) {
    request.set_agent_state(AGENT_STATE_READY);
  }
  if constexpr (requires { request.mutable_forwarding(); }) {
    request.mutable_forwarding()->set_type(FORWARDING_TYPE_BUSY);
    request.mutable_forwarding()->set_destination("202");
  }
  request.set_request_id(kId);
  return request;
}

struct Row {
  std::string rpc;
  std::optional<wire::Failure> failure;
  std::string field, message;
};

// Collects what is said about one request after another.
class Table {
 public:
  template <class Request, class Change>
  void add(Service service, Change change, std::string field, std::string message) {
    auto request = valid<Request>();
    change(request);
    rows.push_back({Request::descriptor()->name(), rpc::read(service, request).failure(),
                    std::move(field), std::move(message)});
  }

  // What is the same in all requests that have the field.
  template <class Request>
  void add_common(Service service) {
    EXPECT_FALSE(rpc::read(service, valid<Request>()).failure()) << Request::descriptor()->name();
    auto change = [&](auto how, std::string field, std::string message) {
      add<Request>(service, how, std::move(field), std::move(message));
    };
    change([](auto& it) { it.set_request_id("42"); }, "request_id",
           "request_id \"42\" is not a UUID of version 4: send a fresh one, or none, for each "
           "request");
    change([](auto& it) { it.set_request_id("0b7ce1a4-3d1e-1f0a-9c55-0a1b2c3d4e5f"); },
           "request_id",
           "request_id \"0b7ce1a4-3d1e-1f0a-9c55-0a1b2c3d4e5f\" is not a UUID of version 4: send a "
           "fresh one, or none, for each request");
    if constexpr (requires(Request it) { it.set_connection(""); }) {
      change([](auto& it) { it.clear_connection(); }, "connection",
             "connection is missing: expected tenants/{tenant}/connections/{connection}");
      change([](auto& it) { it.set_connection(kCall); }, "connection",
             "connection \"tenants/acme/calls/c7-1\" is not of the form "
             "tenants/{tenant}/connections/{connection}");
      change([](auto& it) { it.set_connection("tenants/_/connections/c7-1-2"); }, "connection",
             "connection \"tenants/_/connections/c7-1-2\" is not of the form "
             "tenants/{tenant}/connections/{connection}");
    }
    if constexpr (requires(Request it) { it.set_call(""); }) {
      change([](auto& it) { it.set_call("tenants/_/calls/c7-1"); }, "call",
             "call \"tenants/_/calls/c7-1\" is not of the form tenants/{tenant}/calls/{call}");
      change([](auto& it) { it.clear_call(); }, "call",
             "call is missing: expected tenants/{tenant}/calls/{call}");
      change([](auto& it) { it.set_call("c7-1"); }, "call",
             "call \"c7-1\" is not of the form tenants/{tenant}/calls/{call}");
    }
    if constexpr (requires(Request it) { it.set_device(""); }) {
      change([](auto& it) { it.set_device("tenants/_/devices/201"); }, "device",
             "device \"tenants/_/devices/201\" is not of the form "
             "tenants/{tenant}/devices/{device}");
      change([](auto& it) { it.clear_device(); }, "device",
             "device is missing: expected tenants/{tenant}/devices/{device}");
      change([](auto& it) { it.set_device("tenants/acme/devices/20 1"); }, "device",
             "device \"tenants/acme/devices/20 1\" is not of the form "
             "tenants/{tenant}/devices/{device}");
    }
    if constexpr (requires(Request it) { it.set_other_connection(""); }) {
      auto fine = valid<Request>();
      fine.set_other_connection(kOther);
      EXPECT_FALSE(rpc::read(service, fine).failure());
      change([](auto& it) { it.set_other_connection("tenants/_/connections/c7-9-1"); },
             "other_connection",
             "other_connection \"tenants/_/connections/c7-9-1\" is not of the form "
             "tenants/{tenant}/connections/{connection}");
      change([](auto& it) { it.set_other_connection("x"); }, "other_connection",
             "other_connection \"x\" is not of the form tenants/{tenant}/connections/{connection}");
      change([](auto& it) { it.set_other_connection(kConnection); }, "other_connection",
             "other_connection \"tenants/acme/connections/c7-1-2\" is the same as connection: give "
             "the device's other connection, or none");
      change([](auto& it) { it.set_other_connection("tenants/beta/connections/c7-9-1"); },
             "other_connection",
             "other_connection \"tenants/beta/connections/c7-9-1\" is of another tenant: expected "
             "one of tenants/acme");
    }
    if constexpr (requires(Request it) { it.set_destination(""); }) {
      const std::string remedy = ": expected the number as the device's user would dial it";
      change([](auto& it) { it.clear_destination(); }, "destination",
             "destination is empty" + remedy);
      change([](auto& it) { it.set_destination(std::string(65, '1')); }, "destination",
             "destination \"" + std::string(64, '1') + "…\" is longer than 64 characters" + remedy);
      change([](auto& it) { it.set_destination("030\n1"); }, "destination",
             "destination \"030?1\" has a control character" + remedy);
    }
  }

  std::vector<Row> rows;
};

TEST(Fields, SayForEveryRpcWhatIsWrongAndWhatToDo) {
  Table table;
  table.add_common<MakeCallRequest>(SERVICE_MAKE_CALL);
  table.add_common<AnswerCallRequest>(SERVICE_ANSWER_CALL);
  table.add_common<ClearConnectionRequest>(SERVICE_CLEAR_CONNECTION);
  table.add_common<ClearCallRequest>(SERVICE_CLEAR_CALL);
  table.add_common<HoldCallRequest>(SERVICE_HOLD_CALL);
  table.add_common<RetrieveCallRequest>(SERVICE_RETRIEVE_CALL);
  table.add_common<AlternateCallRequest>(SERVICE_ALTERNATE_CALL);
  table.add_common<ReconnectCallRequest>(SERVICE_RECONNECT_CALL);
  table.add_common<ConsultationCallRequest>(SERVICE_CONSULTATION_CALL);
  table.add_common<TransferCallRequest>(SERVICE_TRANSFER_CALL);
  table.add_common<SingleStepTransferCallRequest>(SERVICE_SINGLE_STEP_TRANSFER_CALL);
  table.add_common<DeflectCallRequest>(SERVICE_DEFLECT_CALL);
  table.add_common<ConferenceCallRequest>(SERVICE_CONFERENCE_CALL);
  table.add_common<DirectedPickupCallRequest>(SERVICE_DIRECTED_PICKUP_CALL);
  table.add_common<ParkCallRequest>(SERVICE_PARK_CALL);
  table.add_common<GenerateDigitsRequest>(SERVICE_GENERATE_DIGITS);
  table.add_common<StartRecordingRequest>(SERVICE_START_RECORDING);
  table.add_common<StopRecordingRequest>(SERVICE_STOP_RECORDING);
  table.add_common<AssociateDataRequest>(SERVICE_ASSOCIATE_DATA);
  table.add_common<SetDoNotDisturbRequest>(SERVICE_SET_DO_NOT_DISTURB);
  table.add_common<SetForwardingRequest>(SERVICE_SET_FORWARDING);
  table.add_common<SetPresenceRequest>(SERVICE_SET_PRESENCE);
  table.add_common<SetAgentStateRequest>(SERVICE_SET_AGENT_STATE);

  table.add<DirectedPickupCallRequest>(
      SERVICE_DIRECTED_PICKUP_CALL, [](auto& it) { it.set_device("tenants/beta/devices/1"); },
      "device",
      "device \"tenants/beta/devices/1\" is of another tenant: expected one of tenants/acme");
  table.add<ParkCallRequest>(
      SERVICE_PARK_CALL, [](auto& it) { it.set_slot("7\t"); }, "slot",
      "slot \"7?\" has a control character: expected a park slot, or nothing");
  table.add<GenerateDigitsRequest>(
      SERVICE_GENERATE_DIGITS, [](auto& it) { it.set_digits(""); }, "digits",
      "digits is empty: expected 1 to 64 of 0-9 * # A-D");
  table.add<GenerateDigitsRequest>(
      SERVICE_GENERATE_DIGITS, [](auto& it) { it.set_digits("12E"); }, "digits",
      "digits \"12E\" is not DTMF: expected 1 to 64 of 0-9 * # A-D");
  table.add<GenerateDigitsRequest>(
      SERVICE_GENERATE_DIGITS, [](auto& it) { it.set_digits(std::string(65, '1')); }, "digits",
      "digits \"" + std::string(64, '1') + "…\" is too long: expected 1 to 64 of 0-9 * # A-D");
  table.add<AssociateDataRequest>(
      SERVICE_ASSOCIATE_DATA, [](auto& it) { it.clear_data(); }, "data",
      "data is empty: give at least one key and value");
  table.add<AssociateDataRequest>(
      SERVICE_ASSOCIATE_DATA,
      [](auto& it) {
        for (int i = 0; i < 32; ++i) (*it.mutable_data())["key" + std::to_string(i)] = "";
      },
      "data", "data has too many entries: expected at most 32");
  table.add<MakeCallRequest>(
      SERVICE_MAKE_CALL, [](auto& it) { (*it.mutable_data())["a"] = std::string(4096, 'x'); },
      "data", "data is too big: expected at most 4096 bytes of keys and values");
  table.add<MakeCallRequest>(
      SERVICE_MAKE_CALL, [](auto& it) { (*it.mutable_data())[""] = "x"; }, "data",
      "data has an empty key: give each value a name");
  table.add<MakeCallRequest>(
      SERVICE_MAKE_CALL,
      [](auto& it) {
        it.clear_data();
        (*it.mutable_data())["a\x01"] = "x";
      },
      "data", "data \"a?\" has a key with a control character: use printable ones");
  table.add<SetForwardingRequest>(
      SERVICE_SET_FORWARDING, [](auto& it) { it.clear_forwarding(); }, "forwarding",
      "forwarding is missing: give its type, and a destination or none");
  table.add<SetForwardingRequest>(
      SERVICE_SET_FORWARDING, [](auto& it) { it.mutable_forwarding()->clear_type(); },
      "forwarding.type",
      "forwarding.type \"0\" is unspecified or unknown: expected a ForwardingType");
  table.add<SetForwardingRequest>(
      SERVICE_SET_FORWARDING, [](auto& it) { it.mutable_forwarding()->set_destination("\x7f"); },
      "forwarding.destination",
      "forwarding.destination \"?\" has a control character: expected a number, or nothing to "
      "switch it off");
  table.add<SetPresenceRequest>(
      SERVICE_SET_PRESENCE, [](auto& it) { it.clear_presence(); }, "presence",
      "presence is empty: expected a presence state of the PBX");
  table.add<SetPresenceRequest>(
      SERVICE_SET_PRESENCE, [](auto& it) { it.set_note("\r"); }, "note",
      "note \"?\" has a control character: expected a short text, or nothing");
  table.add<SetAgentStateRequest>(
      SERVICE_SET_AGENT_STATE, [](auto& it) { it.clear_agent_state(); }, "agent_state",
      "agent_state \"0\" is unspecified or unknown: expected an AgentState");
  table.add<SetAgentStateRequest>(
      SERVICE_SET_AGENT_STATE, [](auto& it) { it.set_agent_state(AGENT_STATE_BUSY); },
      "agent_state", "agent_state \"AGENT_STATE_BUSY\" cannot be asked for: it follows from calls");
  table.add<SetAgentStateRequest>(
      SERVICE_SET_AGENT_STATE, [](auto& it) { it.set_agent_state(static_cast<AgentState>(99)); },
      "agent_state", "agent_state \"99\" is unspecified or unknown: expected an AgentState");
  table.add<SetAgentStateRequest>(
      SERVICE_SET_AGENT_STATE, [](auto& it) { it.set_reason(std::string(257, 'r')); }, "reason",
      "reason \"" + std::string(64, 'r') +
          "…\" is longer than 256 characters: expected a short text, or nothing");

  for (const Row& row : table.rows) {
    SCOPED_TRACE(row.rpc + ": " + row.message);
    ASSERT_TRUE(row.failure);
    EXPECT_EQ(row.failure->field, row.field);
    EXPECT_EQ(row.failure->detail, row.message);
    EXPECT_EQ(row.failure->metadata.at("field"), row.field);

    const auto status = wire::to_status(*row.failure);
    EXPECT_EQ(status.code(), 3);
    google::rpc::BadRequest bad;
    ASSERT_EQ(status.details_size(), 2);
    ASSERT_TRUE(status.details(1).UnpackTo(&bad));
    EXPECT_EQ(bad.field_violations(0).field(), row.field);
  }
}

TEST(Fields, TellTheOwnerWhatTheRequestSays) {
  auto request = valid<TransferCallRequest>();
  request.set_other_connection(kOther);
  request.set_validate_only(true);
  request.set_request_id("0B7CE1A4-3D1E-4F0A-9C55-0A1B2C3D4E5F");
  Fields fields = rpc::read(SERVICE_TRANSFER_CALL, request);
  ASSERT_FALSE(fields.failure());
  EXPECT_EQ(fields.tenant().str(), "acme");
  const OwnerRequest& asked = fields.request();
  EXPECT_EQ(asked.tenant(), "tenants/acme");
  EXPECT_EQ(asked.request_id(), kId) << "a UUID in capitals is the same UUID";
  EXPECT_EQ(asked.command().service(), SERVICE_TRANSFER_CALL);
  EXPECT_EQ(asked.command().call_id(), "c7-1");
  EXPECT_EQ(asked.command().connection_number(), 2u);
  EXPECT_EQ(asked.command().other_call_id(), "c7-9");
  EXPECT_EQ(asked.command().other_connection_number(), 1u);
  EXPECT_TRUE(asked.command().validate_only());
}

TEST(Fields, ReadForeignDeviceIdsBack) {
  auto request = valid<MakeCallRequest>();
  request.set_device("tenants/acme/devices/line_20_231");
  const Fields fields = rpc::read(SERVICE_MAKE_CALL, request);
  ASSERT_FALSE(fields.failure());
  EXPECT_EQ(Fields(fields).request().command().device_id(), "line #1");
}

TEST(Fields, CountCharactersRatherThanBytes) {
  auto request = valid<SetPresenceRequest>();
  std::string text;
  for (int i = 0; i < 64; ++i) text += "ü";
  request.set_presence(text);
  EXPECT_FALSE(rpc::read(SERVICE_SET_PRESENCE, request).failure());
  request.set_presence(text + "ü");
  EXPECT_TRUE(rpc::read(SERVICE_SET_PRESENCE, request).failure());
}

TEST(PageSize, HasADefaultAndALimit) {
  EXPECT_EQ(page_size_of(0), 100);
  EXPECT_EQ(page_size_of(7), 7);
  EXPECT_EQ(page_size_of(5'000), 1'000);
  EXPECT_FALSE(page_size_of(-1));
}

}  // namespace
}  // namespace control
