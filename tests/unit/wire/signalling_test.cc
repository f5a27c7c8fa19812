#include "wire/signalling.h"

#include <vector>

#include <gmock/gmock.h>

#include "google/rpc/error_details.pb.h"

namespace wire {
namespace {

using base::Errc;
using namespace pbxgw::v1;

const char kSdp[] =
    "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=setup:actpass\r\na=mid:0\r\n";
const char kCandidate[] = "candidate:1 1 udp 2113937151 192.0.2.7 54400 typ host";

// The models have no operator==: their messages do as well.
template <class Model, class Proto>
void expect_round_trip(const Model& model) {
  const Proto proto = to_proto(model);
  Proto read;  // over bytes, as on the bus
  ASSERT_TRUE(read.ParseFromString(proto.SerializeAsString()));
  const auto back = from_proto(read);
  ASSERT_TRUE(back) << proto.ShortDebugString();
  EXPECT_EQ(back->index(), model.index());
  EXPECT_EQ(to_proto(*back).SerializeAsString(), proto.SerializeAsString())
      << proto.ShortDebugString();
}

TEST(SignallingTest, CarriesWhatTheClientSays) {
  const std::vector<call::FromClient> all = {
      call::StartCall{"1a2b@app", "502", kSdp},
      call::AnswerOffer{"1a2b@app", kSdp},
      call::IceCandidate{"1a2b@app", kCandidate, "audio", 3},
      call::IceCandidate{"1a2b@app", "", "", 0},
      call::RejectCall{"x@pbx", call::RejectCall::Why::declined},
      call::RejectCall{"x@pbx", call::RejectCall::Why::busy},
      call::RejectCall{"x@pbx", call::RejectCall::Why::not_acceptable},
      call::HoldMedia{"x@pbx"},
      call::ResumeMedia{"x@pbx", kSdp},
      call::ResumeMedia{"x@pbx", ""},
      call::MuteMedia{"x@pbx", true},
      call::TransferMedia{"x@pbx", "503"},
      call::HangUp{"x@pbx"},
  };
  for (const auto& message : all) expect_round_trip<call::FromClient, SignalRequest>(message);
  const auto start = to_proto(all[0]).start_call();
  EXPECT_EQ(start.call(), "1a2b@app");
  EXPECT_EQ(start.destination(), "502");
  EXPECT_EQ(start.sdp(), kSdp);
  EXPECT_EQ(to_proto(all[5]).reject_call().reason(), RejectCall::REASON_BUSY);
  const auto candidate = std::get<call::IceCandidate>(*from_proto(to_proto(all[2])));
  EXPECT_EQ(candidate.candidate, kCandidate);
  EXPECT_EQ(candidate.sdp_mid, "audio");
  EXPECT_EQ(candidate.sdp_m_line_index, 3u);
}

TEST(SignallingTest, CarriesWhatThePbxSays) {
  const std::vector<call::ToClient> all = {
      call::SignalReady{},
      call::IncomingCall{"x@pbx", kSdp, "+34600111222", "Ann", "501"},
      call::RemoteOffer{"1a2b@app", kSdp},
      call::RemoteAnswer{"1a2b@app", kSdp},
      call::IceCandidate{"1a2b@app", kCandidate, "0", 0},
      call::FarRinging{"1a2b@app"},
      call::CallConnected{"1a2b@app"},
      call::FarIdentity{"1a2b@app", "502", "Bob"},
      call::RecordingState{"1a2b@app", true},
      call::SignalledCallEnded{"1a2b@app", call::Cause::incompatible_destination, 415, "no answer"},
      call::SignalRefused{"1a2b@app", Errc::incorrect_state, "it is not on hold"},
      call::SignalRefused{"", Errc::pbx_refused, ""},
  };
  for (const auto& message : all) expect_round_trip<call::ToClient, SignalResponse>(message);
  EXPECT_EQ(to_proto(all[9]).call_ended().code(), 415u);
  EXPECT_EQ(to_proto(all[9]).call_ended().cause(), CAUSE_INCOMPATIBLE_DESTINATION);
  const auto refused = std::get<call::SignalRefused>(*from_proto(to_proto(all[10])));
  EXPECT_EQ(refused.why, Errc::incorrect_state);
  EXPECT_EQ(refused.detail, "it is not on hold");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(to_proto(all[10]).refused().error().details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "INCORRECT_CONNECTION_STATE");
}

TEST(SignallingTest, MakesTextOfBytesThatAreNone) {
  const auto proto = to_proto(call::ToClient(call::IncomingCall{"x", kSdp, "1", "B\xe4r", "2"}));
  EXPECT_EQ(proto.incoming_call().calling_name(), "B\xef\xbf\xbdr");
}

TEST(SignallingTest, RefusesWhatIsNoMessage) {
  SignalRequest request;
  EXPECT_EQ(from_proto(request).error(), Errc::invalid_argument);
  request.mutable_open()->set_device("tenants/acme/devices/501");
  EXPECT_EQ(from_proto(request).error(), Errc::invalid_argument);
  request.mutable_reject_call()->set_call("x");
  EXPECT_EQ(from_proto(request).error(), Errc::invalid_argument);
  request.mutable_reject_call()->set_reason(static_cast<RejectCall::Reason>(9));
  EXPECT_EQ(from_proto(request).error(), Errc::invalid_argument);

  SignalResponse response;
  EXPECT_EQ(from_proto(response).error(), Errc::bad_frame);
  response.mutable_call_ended()->set_cause(static_cast<Cause>(99'999));
  EXPECT_EQ(from_proto(response).error(), Errc::bad_frame);
  response.mutable_refused()->set_call("x");  // without a reason
  EXPECT_EQ(from_proto(response).error(), Errc::bad_frame);
}

TEST(SignallingTest, OpensForADeviceOfItsTenantOnly) {
  const base::TenantId acme("acme");
  const call::SignalOptions options{base::DeviceId("5 01"), true, "Softphone 1.0"};
  const auto open = to_proto(acme, options);
  const auto back = from_proto(acme, open);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->device, options.device);
  EXPECT_TRUE(back->receives_calls);
  EXPECT_EQ(back->user_agent, "Softphone 1.0");
  EXPECT_EQ(from_proto(base::TenantId("bolt"), open).error(), Errc::invalid_argument);
  for (const char* name : {"", "tenants/acme", "tenants/acme/devices/", "tenants/acme/calls/c1"}) {
    OpenStream wrong;
    wrong.set_device(name);
    EXPECT_EQ(from_proto(acme, wrong).error(), Errc::invalid_argument) << name;
  }
}

}  // namespace
}  // namespace wire
