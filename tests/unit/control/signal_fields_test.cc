#include "control/signal_fields.h"

#include <functional>

#include <gmock/gmock.h>

namespace control {
namespace {

using namespace pbxgw::v1;

// The field that is wrong; empty if none is.
std::string wrong_field(const std::function<void(SignalRequest&)>& fill) {
  SignalRequest request;
  fill(request);
  const auto failure = check_said(request);
  if (!failure) return {};
  EXPECT_EQ(failure->why, base::Errc::invalid_argument);
  EXPECT_EQ(failure->detail.substr(0, failure->field.size()), failure->field);
  return failure->field;
}

std::string wrong_open(const std::function<void(SignalRequest&)>& fill) {
  SignalRequest request;
  fill(request);
  const auto name = check_open(request);
  return name ? std::string() : name.error().field;
}

StartCall start(const std::string& call = "1a2b3c4d@app", const std::string& destination = "502",
                const std::string& sdp = "v=0\r\n") {
  StartCall it;
  it.set_call(call);
  it.set_destination(destination);
  it.set_sdp(sdp);
  return it;
}

TEST(SignalFieldsTest, TakesNoOpenForADeviceOfNoTenant) {
  EXPECT_EQ(wrong_open([](auto& it) { it.mutable_open()->set_device("tenants/_/devices/501"); }),
            "open.device");
}

TEST(SignalFieldsTest, TakesAnOpenForADevice) {
  SignalRequest request;
  request.mutable_open()->set_device("tenants/acme/devices/501");
  request.mutable_open()->set_user_agent("Softphone 1.0 (Ünïcode)");
  const auto name = check_open(request);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->tenant.str(), "acme");
  EXPECT_EQ(name->device.str(), "501");
}

TEST(SignalFieldsTest, WantsAnOpenFirstAndOnce) {
  EXPECT_EQ(wrong_open([](auto&) {}), "open");
  EXPECT_EQ(wrong_open([](auto& it) { it.mutable_hang_up()->set_call("x"); }), "open");
  EXPECT_EQ(wrong_open([](auto& it) { it.mutable_open(); }), "open.device");
  EXPECT_EQ(wrong_open([](auto& it) { it.mutable_open()->set_device("tenants/acme"); }),
            "open.device");
  EXPECT_EQ(wrong_open([](auto& it) { it.mutable_open()->set_device("tenants/acme/devices/"); }),
            "open.device");
  for (const auto& agent : {std::string(257, 'x'), std::string("a\nb")}) {
    EXPECT_EQ(wrong_open([&](auto& it) {
                it.mutable_open()->set_device("tenants/acme/devices/501");
                it.mutable_open()->set_user_agent(agent);
              }),
              "open.user_agent");
  }
  EXPECT_EQ(
      wrong_field([](auto& it) { it.mutable_open()->set_device("tenants/acme/devices/501"); }),
      "open");
}

TEST(SignalFieldsTest, TakesWhatIsRight) {
  EXPECT_EQ(wrong_field([](auto& it) { *it.mutable_start_call() = start(); }), "");
  EXPECT_EQ(wrong_field([](auto& it) {
              *it.mutable_start_call() =
                  start(std::string(255, '~'), "+34 600 111 222", std::string(48 << 10, 'x'));
            }),
            "");
  EXPECT_EQ(wrong_field([](auto& it) {
              it.mutable_answer_offer()->set_call("x");
              it.mutable_answer_offer()->set_sdp("v=0");
            }),
            "");
  EXPECT_EQ(wrong_field([](auto& it) {
              auto& candidate = *it.mutable_ice_candidate();
              candidate.set_call("x");
              candidate.set_candidate("candidate:1 1 udp 2113937151 192.0.2.7 54400 typ host");
              candidate.set_sdp_mid("0");
            }),
            "");
  EXPECT_EQ(wrong_field([](auto& it) { it.mutable_ice_candidate()->set_call("x"); }), "");
  EXPECT_EQ(wrong_field([](auto& it) {
              it.mutable_reject_call()->set_call("x");
              it.mutable_reject_call()->set_reason(RejectCall::REASON_BUSY);
            }),
            "");
  EXPECT_EQ(wrong_field([](auto& it) { it.mutable_hold_media()->set_call("x"); }), "");
  EXPECT_EQ(wrong_field([](auto& it) { it.mutable_resume_media()->set_call("x"); }), "");
  EXPECT_EQ(wrong_field([](auto& it) { it.mutable_mute_media()->set_call("x"); }), "");
  EXPECT_EQ(wrong_field([](auto& it) {
              it.mutable_transfer_media()->set_call("x");
              it.mutable_transfer_media()->set_destination("503");
            }),
            "");
  EXPECT_EQ(wrong_field([](auto& it) { it.mutable_hang_up()->set_call("x"); }), "");
}

TEST(SignalFieldsTest, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(wrong_field([](auto&) {}), "message");
  for (const auto& call : {std::string(), std::string(256, 'x'), std::string("a b"),
                           std::string("a\tb"), std::string("ä")}) {
    EXPECT_EQ(wrong_field([&](auto& it) { *it.mutable_start_call() = start(call); }),
              "start_call.call");
    EXPECT_EQ(wrong_field([&](auto& it) { it.mutable_hang_up()->set_call(call); }), "hang_up.call");
  }
  for (const auto& number : {std::string(), std::string(65, '1'), std::string("5\n02")}) {
    EXPECT_EQ(wrong_field([&](auto& it) { *it.mutable_start_call() = start("x", number); }),
              "start_call.destination");
  }
  for (const auto& sdp : {std::string(), std::string((48 << 10) + 1, 'x')}) {
    EXPECT_EQ(wrong_field([&](auto& it) { *it.mutable_start_call() = start("x", "502", sdp); }),
              "start_call.sdp");
    EXPECT_EQ(wrong_field([&](auto& it) {
                it.mutable_answer_offer()->set_call("x");
                it.mutable_answer_offer()->set_sdp(sdp);
              }),
              "answer_offer.sdp");
  }
  EXPECT_EQ(wrong_field([](auto& it) {
              it.mutable_resume_media()->set_call("x");
              it.mutable_resume_media()->set_sdp(std::string(50'000, 'x'));
            }),
            "resume_media.sdp");
  EXPECT_EQ(wrong_field([](auto& it) { it.mutable_transfer_media()->set_call("x"); }),
            "transfer_media.destination");
  EXPECT_EQ(wrong_field([](auto& it) { it.mutable_reject_call()->set_call("x"); }),
            "reject_call.reason");
  EXPECT_EQ(wrong_field([](auto& it) {
              it.mutable_reject_call()->set_call("x");
              it.mutable_reject_call()->set_reason(static_cast<RejectCall::Reason>(7));
            }),
            "reject_call.reason");
  const auto candidate = [](const std::string& line, const std::string& mid, unsigned index) {
    return wrong_field([&](auto& it) {
      it.mutable_ice_candidate()->set_call("x");
      it.mutable_ice_candidate()->set_candidate(line);
      it.mutable_ice_candidate()->set_sdp_mid(mid);
      it.mutable_ice_candidate()->set_sdp_m_line_index(index);
    });
  };
  EXPECT_EQ(candidate(std::string(1'025, 'x'), "", 0), "ice_candidate.candidate");
  EXPECT_EQ(candidate("candidate:1\r\nv=0", "", 0), "ice_candidate.candidate");
  EXPECT_EQ(candidate("candidate:1", std::string(65, 'x'), 0), "ice_candidate.sdp_mid");
  EXPECT_EQ(candidate("candidate:1", "0", 1'024), "ice_candidate.sdp_m_line_index");
}

TEST(SignalFieldsTest, GivesNothingOfASessionDescriptionBack) {
  SignalRequest request;
  *request.mutable_start_call() = start("x", "502", "secret" + std::string(50'000, 'x'));
  const auto failure = check_said(request);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->detail.find("secret"), std::string::npos);
  EXPECT_FALSE(failure->metadata.contains("value"));
}

}  // namespace
}  // namespace control
