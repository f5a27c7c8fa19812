#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>

#include "io/cloudevents/v1/cloudevents.pb.h"
#include "wire/chance.h"
#include "wire/events.h"

namespace wire {
namespace {

using base::TenantId;
using google::protobuf::util::MessageDifferencer;
using io::cloudevents::v1::CloudEvent;
using testing::HasSubstr;
using testing::StartsWith;
using testing::Test;

class EventEncoding : public Test {
 protected:
  // As the generated classes make it: what encode() must be equal to.
  static CloudEvent built_by_generated_classes(const call::Event& event, const std::string& type) {
    v1::Event data;
    to_proto(TenantId("a.b"), event, data);
    CloudEvent out;
    out.set_id("a_2eb." + std::to_string(event.epoch) + "." + std::to_string(event.sequence));
    out.set_source("//pbx.example.com/pbx/tenants/a_2eb");
    out.set_spec_version("1.0");
    out.set_type(type);
    auto& attributes = *out.mutable_attributes();
    std::string subject = "tenants/a_2eb";
    if (data.has_call_event()) subject = data.call_event().call().name();
    if (data.has_device_event()) subject = data.device_event().device().name();
    attributes["subject"].set_ce_string(subject);
    *attributes["time"].mutable_ce_timestamp() = data.receive_time();
    attributes["dataschema"].set_ce_uri("https://pbxgw.dev/schemas/pbxgw.v1.Event");
    auto digits = std::to_string(event.sequence);
    attributes["sequence"].set_ce_string(std::string(20 - digits.size(), '0') + digits);
    attributes["partitionkey"].set_ce_string("a_2eb");
    out.mutable_proto_data()->PackFrom(data);
    return out;
  }

  // A call of two, as most are.
  static call::Event established() {
    call::Event event;
    event.epoch = 7;
    event.sequence = 42;
    event.received = call::Time(std::chrono::milliseconds(1'700'000'000'250));
    call::CallEvent body;
    body.type = call::CallEventType::established;
    body.connection = 2;
    body.cause = call::Cause::new_call;
    body.call.id = base::CallId("c7-3");
    body.call.key = "4711";
    body.call.dialled = "202";
    body.call.created = call::Time(std::chrono::milliseconds(1'700'000'000'000));
    for (unsigned number : {1u, 2u}) {
      call::Connection connection;
      connection.number = number;
      connection.leg = "leg" + std::to_string(number);
      const auto id = std::to_string(200 + number);
      connection.party = {base::DeviceId(id), call::DeviceKind::extension, id, ""};
      connection.role = number == 1 ? call::Role::calling : call::Role::called;
      connection.state = call::ConnectionState::connected;
      connection.cause = call::Cause::new_call;
      connection.since = event.received;
      connection.allowed = {call::Service::clear_connection, call::Service::hold_call};
      body.call.connections.push_back(connection);
    }
    event.body = body;
    return event;
  }
};

TEST_F(EventEncoding, IsWhatTheGeneratedClassesMake) {
  EventEncoder encoder(TenantId("a.b"), "pbx.example.com", Format::protobuf);
  Chance chance(8);
  for (int i = 0; i < 3'000; ++i) {
    const auto event = chance.event();
    CloudEvent decoded;
    const std::string bytes(encoder.encode(event));
    ASSERT_TRUE(decoded.ParseFromString(bytes));
    const auto expected = built_by_generated_classes(event, decoded.type());
    v1::Event data, expected_data;
    ASSERT_TRUE(decoded.proto_data().UnpackTo(&data));
    ASSERT_TRUE(expected.proto_data().UnpackTo(&expected_data));
    ASSERT_TRUE(MessageDifferencer::Equals(data, expected_data));
    ASSERT_EQ(bytes.size(), expected.ByteSizeLong());
    // The order of map entries within the data may differ.
    auto without_data = expected;
    without_data.clear_data();
    decoded.clear_data();
    ASSERT_TRUE(MessageDifferencer::Equals(decoded, without_data)) << decoded.DebugString();
    ASSERT_EQ(decoded.id(), encoder.message_id(event));
  }
}

TEST_F(EventEncoding, NamesEachType) {
  EventEncoder encoder(TenantId("acme"), "pbx.example.com", Format::protobuf);
  const auto type_of = [&](const auto& body) {
    call::Event event;
    event.body = body;
    CloudEvent decoded;
    EXPECT_TRUE(decoded.ParseFromString(std::string(encoder.encode(event))));
    return decoded.type();
  };
  const char* call_types[] = {"dev.pbxgw.call.v1.serviceInitiated",
                              "dev.pbxgw.call.v1.originated",
                              "dev.pbxgw.call.v1.digitsDialed",
                              "dev.pbxgw.call.v1.networkReached",
                              "dev.pbxgw.call.v1.offered",
                              "dev.pbxgw.call.v1.delivered",
                              "dev.pbxgw.call.v1.queued",
                              "dev.pbxgw.call.v1.established",
                              "dev.pbxgw.call.v1.held",
                              "dev.pbxgw.call.v1.retrieved",
                              "dev.pbxgw.call.v1.diverted",
                              "dev.pbxgw.call.v1.conferenced",
                              "dev.pbxgw.call.v1.transferred",
                              "dev.pbxgw.call.v1.failed",
                              "dev.pbxgw.call.v1.connectionCleared",
                              "dev.pbxgw.call.v1.callCleared",
                              "dev.pbxgw.call.v1.bridged",
                              "dev.pbxgw.call.v1.callInformation",
                              "dev.pbxgw.call.v1.recordingStarted",
                              "dev.pbxgw.call.v1.recordingStopped"};
  for (std::size_t i = 0; i < std::size(call_types); ++i) {
    call::CallEvent body;
    body.type = static_cast<call::CallEventType>(i);
    EXPECT_EQ(type_of(body), call_types[i]);
  }
  const char* device_types[] = {
      "dev.pbxgw.device.v1.added",           "dev.pbxgw.device.v1.removed",
      "dev.pbxgw.device.v1.backInService",   "dev.pbxgw.device.v1.outOfService",
      "dev.pbxgw.device.v1.activityChanged", "dev.pbxgw.device.v1.doNotDisturb",
      "dev.pbxgw.device.v1.forwarding",      "dev.pbxgw.device.v1.presenceState",
      "dev.pbxgw.device.v1.agentState",      "dev.pbxgw.device.v1.information"};
  for (std::size_t i = 0; i < std::size(device_types); ++i) {
    call::DeviceEvent body;
    body.type = static_cast<call::DeviceEventType>(i);
    EXPECT_EQ(type_of(body), device_types[i]);
  }
  const char* link_types[] = {"dev.pbxgw.link.v1.unowned",   "dev.pbxgw.link.v1.connecting",
                              "dev.pbxgw.link.v1.loggingIn", "dev.pbxgw.link.v1.synchronizing",
                              "dev.pbxgw.link.v1.up",        "dev.pbxgw.link.v1.backingOff"};
  for (std::size_t i = 0; i < std::size(link_types); ++i) {
    call::LinkEvent body;
    body.state = static_cast<call::LinkState>(i);
    EXPECT_EQ(type_of(body), link_types[i]);
  }
  EXPECT_EQ(type_of(call::StreamGap{}), "dev.pbxgw.link.v1.streamGap");
}

TEST_F(EventEncoding, IsThisInJson) {
  EventEncoder encoder(TenantId("acme"), "pbx.example.com", Format::json);
  EXPECT_EQ(
      encoder.encode(established()),
      R"({"specversion":"1.0","id":"acme.7.42","source":"//pbx.example.com/pbx/tenants/acme",)"
      R"("type":"dev.pbxgw.call.v1.established","subject":"tenants/acme/calls/c7-3",)"
      R"("time":"2023-11-14T22:13:20.250Z",)"
      R"("dataschema":"https://pbxgw.dev/schemas/pbxgw.v1.Event",)"
      R"("datacontenttype":"application/json","sequence":"00000000000000000042",)"
      R"("partitionkey":"acme","data":{"tenant":"tenants/acme","epoch":"7","sequence":"42",)"
      R"("origin":"ORIGIN_LIVE","receiveTime":"2023-11-14T22:13:20.250Z",)"
      R"("callEvent":{"type":"CALL_EVENT_TYPE_ESTABLISHED","call":{)"
      R"("name":"tenants/acme/calls/c7-3","direction":"DIRECTION_INTERNAL",)"
      R"("dialledNumber":"202","connections":[)"
      R"({"name":"tenants/acme/connections/c7-3-1","party":{"deviceId":"201",)"
      R"("kind":"DEVICE_KIND_EXTENSION","number":"201"},"role":"ROLE_CALLING",)"
      R"("state":"CONNECTION_STATE_CONNECTED","cause":"CAUSE_NEW_CALL",)"
      R"("stateTime":"2023-11-14T22:13:20.250Z",)"
      R"("allowedActions":["SERVICE_CLEAR_CONNECTION","SERVICE_HOLD_CALL"],)"
      R"("vendorLegId":"leg1"},)"
      R"({"name":"tenants/acme/connections/c7-3-2","party":{"deviceId":"202",)"
      R"("kind":"DEVICE_KIND_EXTENSION","number":"202"},"role":"ROLE_CALLED",)"
      R"("state":"CONNECTION_STATE_CONNECTED","cause":"CAUSE_NEW_CALL",)"
      R"("stateTime":"2023-11-14T22:13:20.250Z",)"
      R"("allowedActions":["SERVICE_CLEAR_CONNECTION","SERVICE_HOLD_CALL"],)"
      R"("vendorLegId":"leg2"}],"createTime":"2023-11-14T22:13:20Z",)"
      R"("vendorCallId":"4711"},"connection":"tenants/acme/connections/c7-3-2",)"
      R"("cause":"CAUSE_NEW_CALL"}}})");
}

TEST_F(EventEncoding, IsDecodedFromEitherFormat) {
  EventEncoder protobuf(TenantId("a.b"), "pbx.example.com", Format::protobuf);
  EventEncoder json(TenantId("a.b"), "pbx.example.com", Format::json);
  Chance chance(9);
  for (int i = 0; i < 1'000; ++i) {
    const auto event = chance.event();
    v1::Event expected;
    to_proto(TenantId("a.b"), event, expected);
    const auto of_protobuf = decode_event(protobuf.encode(event));
    ASSERT_TRUE(of_protobuf);
    ASSERT_TRUE(MessageDifferencer::Equals(*of_protobuf, expected));
    const auto text = json.encode(event);
    const auto of_json = decode_event(text);
    ASSERT_TRUE(of_json) << text;
    ASSERT_TRUE(MessageDifferencer::Equals(*of_json, expected)) << text;
  }
}

TEST_F(EventEncoding, IsRefusedWhenItIsNone) {
  const std::string bytes(
      EventEncoder(TenantId("acme"), "x", Format::protobuf).encode(established()));
  EXPECT_TRUE(decode_event(bytes));
  EXPECT_EQ(decode_event("").error(), base::Errc::bad_frame);
  EXPECT_EQ(decode_event(std::string_view(bytes).substr(0, bytes.size() - 1)).error(),
            base::Errc::bad_frame);
  EXPECT_EQ(decode_event("{").error(), base::Errc::bad_frame);
  EXPECT_EQ(decode_event("{}").error(), base::Errc::bad_frame);
  EXPECT_EQ(decode_event(R"({"data":7})").error(), base::Errc::bad_frame);
  EXPECT_TRUE(decode_event(R"({"traceparent":"00-…","data":{}})"));
  CloudEvent other;
  other.mutable_proto_data()->PackFrom(v1::Call());
  EXPECT_EQ(decode_event(other.SerializeAsString()).error(), base::Errc::bad_frame);
}

TEST_F(EventEncoding, KeepsItsSourceAUri) {
  EventEncoder encoder(TenantId("acme"), "pbx \"x\"/é:8443", Format::json);
  EXPECT_THAT(encoder.encode(established()),
              HasSubstr(R"("source":"//pbx%20%22x%22%2F%C3%A9:8443/pbx/tenants/acme")"));
}

TEST_F(EventEncoding, OrdersSequencesAsTexts) {
  EventEncoder encoder(TenantId("acme"), "x", Format::protobuf);
  auto event = established();
  std::string last;
  for (std::uint64_t sequence : {std::uint64_t{0}, std::uint64_t{9}, std::uint64_t{10},
                                 std::uint64_t{99'999}, ~std::uint64_t{0}}) {
    event.sequence = sequence;
    CloudEvent decoded;
    ASSERT_TRUE(decoded.ParseFromString(std::string(encoder.encode(event))));
    const auto text = decoded.attributes().at("sequence").ce_string();
    EXPECT_EQ(text.size(), 20u);
    EXPECT_LT(last, text);
    last = text;
  }
}

TEST_F(EventEncoding, SaysWhatItIs) {
  EXPECT_STREQ(content_type(Format::protobuf), "application/cloudevents+protobuf");
  EXPECT_STREQ(content_type(Format::json), "application/cloudevents+json");
}

}  // namespace
}  // namespace wire
