#include <set>

#include "control/signal_call.h"
#include "unit/control/control_fixture.h"

namespace control {
namespace {

using namespace pbxgw::v1;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

SignalResponse ready() {
  SignalResponse it;
  it.mutable_ready();
  return it;
}
SignalResponse ringing(const std::string& call) {
  SignalResponse it;
  it.mutable_far_ringing()->set_call(call);
  return it;
}
SignalRequest hang_up(const std::string& call) {
  SignalRequest it;
  it.mutable_hang_up()->set_call(call);
  return it;
}
SignalRequest opening(const std::string& device = "tenants/acme/devices/501") {
  SignalRequest it;
  it.mutable_open()->set_device(device);
  return it;
}

// A client of WebRtc.Signal.
class MediaClient {
 public:
  explicit MediaClient(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(WebRtc::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + ControlFixture::kDeadline);
    stream_ = stub_->Signal(&context_);
  }
  ~MediaClient() {
    if (finished_) return;
    context_.TryCancel();
    finish();
  }

  bool say(const SignalRequest& request) { return stream_->Write(request); }
  std::optional<SignalResponse> next() {
    SignalResponse response;
    if (!stream_->Read(&response)) return std::nullopt;
    return response;
  }
  // The calls that ring, until the end or so many.
  std::vector<std::string> rings(std::size_t count) {
    std::vector<std::string> calls;
    while (calls.size() < count) {
      const auto response = next();
      if (!response) break;
      calls.push_back(response->has_ready() ? "ready" : response->far_ringing().call());
    }
    return calls;
  }
  void leave() { stream_->WritesDone(); }
  void cancel() { context_.TryCancel(); }
  // What it ends with, whatever comes before.
  grpc::Status finish() {
    while (next()) {
    }
    finished_ = true;
    return stream_->Finish();
  }

 private:
  std::unique_ptr<WebRtc::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<SignalRequest, SignalResponse>> stream_;
  bool finished_ = false;
};

// The owner's desk, by a script: on the owners' thread.
struct Desk {
  struct Stream {
    OpenStream options;
    std::vector<SignalResponse> said;
    std::optional<google::rpc::Status> over;
    std::vector<std::string> heard;
    std::uint64_t acknowledged = 0;
    std::shared_ptr<bus::Request> poll;
    bool closed = false;
  };
  std::map<std::string, Stream> streams;
  std::optional<google::rpc::Status> refusal;
  bool is_ready = true;  // as soon as one is opened
  // Replies that get lost, though what they answer was done.
  int lose_polls = 0, lose_sends = 0, lose_opens = 0;

  void take(const SignalCommand& asked, bus::Request request) {
    OwnerReply reply;
    auto& result = *reply.mutable_signal_result();
    if (asked.has_open()) {
      if (refusal) {
        *reply.mutable_error() = *refusal;
        return request.respond(reply.SerializeAsString());
      }
      Stream& stream = streams[asked.stream()];
      stream.options = asked.open().options();
      if (is_ready && stream.said.empty()) stream.said.push_back(ready());
      if (lose_opens-- > 0) return;
      return request.respond(reply.SerializeAsString());
    }
    const auto found = streams.find(asked.stream());
    if (found == streams.end()) {
      *result.mutable_ended() = refuse(base::Errc::owner_moving, "not here");
      return request.respond(reply.SerializeAsString());
    }
    Stream& stream = found->second;
    if (asked.has_send()) {
      auto number = asked.send().first_number();
      EXPECT_LE(number, stream.heard.size() + 1);
      for (const auto& message : asked.send().messages()) {
        if (number++ == stream.heard.size() + 1) stream.heard.push_back(message.hang_up().call());
      }
      if (lose_sends-- > 0) return;
      return request.respond(reply.SerializeAsString());
    }
    if (asked.has_close()) {
      stream.closed = true;
      return request.respond(reply.SerializeAsString());
    }
    stream.acknowledged = asked.poll().after();
    stream.poll = std::make_shared<bus::Request>(std::move(request));
    answer(stream);
  }
  void answer(Stream& stream) {
    if (!stream.poll || (stream.said.size() <= stream.acknowledged && !stream.over)) return;
    OwnerReply reply;
    auto& result = *reply.mutable_signal_result();
    result.set_first_number(stream.acknowledged + 1);
    for (std::size_t i = stream.acknowledged; i < stream.said.size(); ++i) {
      *result.add_messages() = stream.said[i];
    }
    if (stream.over) *result.mutable_ended() = *stream.over;
    const auto poll = std::exchange(stream.poll, nullptr);
    if (lose_polls-- > 0) return;
    poll->respond(reply.SerializeAsString());
  }
};

struct SignalTest : ControlFixture {
  Desk desk;

  SignalTest() {
    make_owners();
    add("acme");
    config.lease_ttl = 1min;  // nobody renews them here
    config.signal_times.ask_wait = 250ms;
    config.signal_times.poll_wait = 250ms;
    start();
  }
  ~SignalTest() override {
    stop();
    // Polls hold on to the owners' connection.
    owners->with("acme", [this](ScriptedOwners::Tenant&) { desk.streams.clear(); });
    owners.reset();
  }
  void SetUp() override { see("acme"); }

  void add(const std::string& tenant) {
    owners->add(tenant);
    owners->with(tenant, [this](ScriptedOwners::Tenant& it) {
      it.on_signal = [this](const SignalCommand& asked, bus::Request request) {
        desk.take(asked, std::move(request));
      };
    });
  }
  void restart() {
    stop();
    start();
    see("acme");
  }
  template <class Do>
  auto at_desk(Do act) {
    return owners->with("acme", [&](ScriptedOwners::Tenant&) { return act(desk); });
  }
  // Of the only stream.
  template <class Do>
  auto at_stream(Do act) {
    return at_desk([&](Desk& it) {
      EXPECT_THAT(it.streams, SizeIs(1));
      return act(it.streams.begin()->second);
    });
  }
  void tell(const SignalResponse& response) {
    at_stream([&](Desk::Stream& it) {
      it.said.push_back(response);
      desk.answer(it);
    });
  }
  void end_stream(const google::rpc::Status& status) {
    at_stream([&](Desk::Stream& it) {
      it.over = status;
      desk.answer(it);
    });
  }
  bool until_heard(const std::vector<std::string>& calls) {
    return eventually(
        [&] { return at_stream([](const Desk::Stream& it) { return it.heard; }) == calls; });
  }
  bool until_closed() {
    return eventually([&] { return at_stream([](const Desk::Stream& it) { return it.closed; }); });
  }
  std::unique_ptr<MediaClient> client() { return std::make_unique<MediaClient>(channel); }
  std::unique_ptr<MediaClient> opened() {
    auto it = client();
    it->say(opening());
    EXPECT_THAT(it->rings(1), ElementsAre("ready"));
    return it;
  }
};

std::string field_of(const grpc::Status& status) {
  google::rpc::BadRequest bad;
  const auto details = details_of(status);
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&bad)) return bad.field_violations(0).field();
  }
  return {};
}

TEST_F(SignalTest, CarriesMessagesBothWaysInOrder) {
  const auto one = client();
  auto open = opening();
  open.mutable_open()->set_receives_calls(true);
  open.mutable_open()->set_user_agent("test");
  ASSERT_TRUE(one->say(open));
  ASSERT_TRUE(one->say(hang_up("a")));
  EXPECT_THAT(one->rings(1), ElementsAre("ready"));
  ASSERT_TRUE(one->say(hang_up("b")));
  EXPECT_TRUE(until_heard({"a", "b"}));
  at_stream([](const Desk::Stream& it) {
    EXPECT_EQ(it.options.device(), "tenants/acme/devices/501");
    EXPECT_TRUE(it.options.receives_calls());
    EXPECT_EQ(it.options.user_agent(), "test");
  });
  for (const char* call : {"x", "y", "z"}) tell(ringing(call));
  EXPECT_THAT(one->rings(3), ElementsAre("x", "y", "z"));
  EXPECT_EQ(metric("pbxgw_signal_streams"), "1");
  EXPECT_EQ(metric("pbxgw_signal_messages_total{direction=\"to_client\"}"), "4");
}

TEST_F(SignalTest, PassesNothingOnThatItDoesNotKnow) {
  MediaClient client(channel);
  auto first = opening();
  auto* open = first.mutable_open();
  open->GetReflection()->MutableUnknownFields(open)->AddLengthDelimited(999, "tenants/beta");
  client.say(first);
  EXPECT_EQ(client.rings(1), std::vector<std::string>{"ready"});
  EXPECT_EQ(at_stream([](Desk::Stream& it) { return it.options.SerializeAsString(); }),
            opening().open().SerializeAsString());
  client.leave();
  EXPECT_TRUE(client.finish().ok());
}

TEST_F(SignalTest, EndsWellWhenTheClientLeaves) {
  const auto one = opened();
  one->say(hang_up("a"));
  one->leave();
  const auto status = one->finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(until_closed());
  EXPECT_TRUE(until_heard({"a"}));  // what it said before
  EXPECT_EQ(metric("pbxgw_commands_total{code=\"OK\",rpc=\"Signal\"}"), "1");
  EXPECT_TRUE(eventually([&] { return metric("pbxgw_signal_streams") == "0"; }));
}

TEST_F(SignalTest, TellsTheOwnerWhenTheClientVanishes) {
  const auto one = opened();
  one->cancel();
  EXPECT_EQ(one->finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(until_closed());
}

TEST_F(SignalTest, HoldsWhatIsSaidUntilTheOwnerIsReady) {
  at_desk([](Desk& it) { it.is_ready = false; });
  const auto one = client();
  one->say(opening());
  for (int i = 0; i < 40; ++i) one->say(hang_up(std::to_string(i)));  // more than is kept
  ASSERT_TRUE(eventually([&] { return at_desk([](Desk& it) { return it.streams.size() == 1; }); }));
  tell(ringing("early"));
  EXPECT_THAT(one->rings(1), ElementsAre("early"));
  EXPECT_THAT(at_stream([](const Desk::Stream& it) { return it.heard; }), IsEmpty());
  tell(ready());
  std::vector<std::string> all;
  for (int i = 0; i < 40; ++i) all.push_back(std::to_string(i));
  EXPECT_TRUE(until_heard(all));
}

TEST_F(SignalTest, RefusesWhatIsMalformedOrOutOfPlace) {
  const auto first = [&](const SignalRequest& request) {
    const auto one = client();
    one->say(request);
    const auto status = one->finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return field_of(status);
  };
  EXPECT_EQ(first(hang_up("a")), "open");
  EXPECT_EQ(first(SignalRequest()), "open");
  EXPECT_EQ(first(opening("tenants/acme")), "open.device");
  const auto silent = client();
  silent->leave();
  EXPECT_EQ(field_of(silent->finish()), "open");
  at_desk([](Desk& it) { EXPECT_THAT(it.streams, IsEmpty()); });

  SignalRequest big;
  big.mutable_answer_offer()->set_call("x");
  big.mutable_answer_offer()->set_sdp(std::string(50'000, 'x'));
  const std::vector<std::pair<SignalRequest, std::string>> later = {
      {opening(), "open"},
      {SignalRequest(), "message"},
      {hang_up("a b"), "hang_up.call"},
      {big, "answer_offer.sdp"}};
  for (const auto& [request, field] : later) {
    const auto one = opened();
    one->say(hang_up("before"));
    one->say(request);
    const auto status = one->finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << field;
    EXPECT_EQ(field_of(status), field);
    EXPECT_TRUE(until_heard({"before"}));
    EXPECT_TRUE(until_closed());
    at_desk([](Desk& it) { it.streams.clear(); });
  }
}

TEST_F(SignalTest, WaitsOnlySoLongForTheFirstWord) {
  config.signal_times.open_wait = 20ms;
  restart();
  const auto status = client()->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(reason_of(status), "TIMED_OUT");
}

TEST_F(SignalTest, PassesOnWhyThereIsNoStream) {
  const auto refused = [&](const std::string& device) {
    const auto one = client();
    one->say(opening(device));
    return one->finish();
  };
  EXPECT_EQ(reason_of(refused("tenants/nobody/devices/501")), "TENANT_NOT_FOUND");
  at_desk([](Desk& it) {
    it.refusal = refuse(base::Errc::feature_not_supported, "Signal: no such thing");
  });
  const auto status = refused("tenants/acme/devices/501");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(reason_of(status), "FEATURE_NOT_SUPPORTED");
  EXPECT_EQ(status.error_message(), "Signal: no such thing");
}

TEST_F(SignalTest, EndsAsTheOwnerSaysAfterItsLastWords) {
  const auto one = opened();
  at_stream([&](Desk::Stream& it) {
    for (int i = 0; i < 20; ++i) it.said.push_back(ringing(std::to_string(i)));
    it.over = refuse(base::Errc::pbx_disconnected, "the PBX hung up");
    desk.answer(it);
  });
  EXPECT_THAT(one->rings(100), SizeIs(20));
  const auto status = one->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "PBX_DISCONNECTED");
  EXPECT_TRUE(until_closed());  // the owner can forget it
}

TEST_F(SignalTest, LosesAndDoublesNothingWhenRepliesAreLost) {
  at_desk([](Desk& it) { it.lose_polls = 2; });
  const auto one = opened();
  at_desk([](Desk& it) {
    it.lose_polls = 1;
    it.lose_sends = 2;
  });
  tell(ringing("x"));
  one->say(hang_up("a"));
  one->say(hang_up("b"));
  tell(ringing("y"));
  EXPECT_THAT(one->rings(2), ElementsAre("x", "y"));
  EXPECT_TRUE(until_heard({"a", "b"}));
  one->say(hang_up("c"));
  EXPECT_TRUE(until_heard({"a", "b", "c"}));
}

TEST_F(SignalTest, ClosesAStreamThatItDoesNotKnowToBeOpen) {
  at_desk([](Desk& it) { it.lose_opens = 1; });
  const auto one = client();
  one->say(opening());
  EXPECT_EQ(reason_of(one->finish()), "TIMED_OUT");
  EXPECT_TRUE(until_closed());
}

TEST_F(SignalTest, SurvivesAnOwnerThatIsSilentForAWhile) {
  const auto one = opened();
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  one->say(hang_up("a"));
  // Polls and sends are tried again.
  ASSERT_TRUE(eventually([&] {
    return owners->with("acme",
                        [](ScriptedOwners::Tenant& it) { return it.unanswered.size() >= 4; });
  }));
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = false; });
  owners->answer_late("acme");
  tell(ringing("x"));
  EXPECT_THAT(one->rings(1), ElementsAre("x"));
  EXPECT_TRUE(until_heard({"a"}));
}

TEST_F(SignalTest, SurvivesAnOutageOfNats) {
  const auto one = opened();
  server.stop();
  ASSERT_TRUE(eventually([&] { return metric("pbxgw_nats_connected") == "0"; }));
  one->say(hang_up("a"));
  server.start();
  EXPECT_TRUE(until_heard({"a"}));
  tell(ringing("x"));
  EXPECT_THAT(one->rings(1), ElementsAre("x"));
}

TEST_F(SignalTest, EndsWhenTheOwnerIsSilentForTooLong) {
  config.signal_times.owner_patience = 100ms;
  restart();
  const auto one = opened();
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  const auto status = one->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "OWNER_MOVING");
}

TEST_F(SignalTest, EndsWhenNobodyOwnsTheTenant) {
  config.signal_times.owner_patience = 1h;
  restart();
  const auto one = opened();
  owners->disown("acme");
  const auto status = one->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "OWNER_MOVING");
}

TEST_F(SignalTest, EndsWhenAnotherOwnerHasTheTenant) {
  const auto one = opened();
  at_desk([](Desk& it) { it.streams.clear(); });
  const auto status = one->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "OWNER_MOVING");
}

TEST_F(SignalTest, EndsWhenTheServiceDoes) {
  const auto one = opened();
  service->stop();
  const auto status = one->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "SHUTTING_DOWN");
  EXPECT_TRUE(until_closed());
  EXPECT_EQ(join(), 0);
}

TEST_F(SignalTest, LetsOnlySoManyIn) {
  config.limits.signals_max = 1;
  restart();
  const auto one = opened();
  const auto status = client()->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(info_of(status).metadata().at("kind"), "media clients");
  one->leave();
  EXPECT_TRUE(one->finish().ok());
}

TEST_F(SignalTest, EndsOnAMessageThatIsTooBigToRead) {
  const auto one = opened();
  SignalRequest big;
  big.mutable_resume_media()->set_sdp(std::string(config.server.request_bytes_max, 'x'));
  one->say(big);
  const auto status = one->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_details(), "");  // gRPC's own: nothing of ours is asked
  EXPECT_TRUE(until_closed());
}

TEST_F(SignalTest, SendsAClientAwayThatTakesNothing) {
  config.signal_times.client_patience = 300ms;
  restart();
  // Over a window that stays small.
  grpc::ChannelArguments small;
  small.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  small.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 * 1024);
  channel = connect(small);
  see("acme");
  const auto one = opened();
  at_stream([&](Desk::Stream& it) {
    SignalResponse offer;
    offer.mutable_remote_offer()->set_sdp(std::string(20'000, 'x'));
    for (int i = 0; i < 40; ++i) it.said.push_back(offer);
    desk.answer(it);
  });
  // Nothing is read until the server has had enough of it.
  ASSERT_TRUE(eventually([&] { return metric("pbxgw_signal_streams_too_slow_total") == "1"; }));
  const auto status = one->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(reason_of(status), "OVERLOADED");
}

}  // namespace
}  // namespace control
