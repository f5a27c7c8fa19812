#include <algorithm>

#include "control/answer.h"
#include "unit/control/control_fixture.h"

namespace control {
namespace {

using base::Errc;
using namespace pbxgw::v1;
using namespace std::chrono_literals;
using testing::IsEmpty;

std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 131 >> 3);
  return bytes;
}

struct CallHistoryTest : ControlFixture {
  CallHistoryTest() {
    make_owners();
    owners->add("acme");
  }
  void begin() {
    start();
    see("acme");
  }
  void script(std::function<OwnerReply(const OwnerRequest&)> answer) {
    owners->with("acme", [&](ScriptedOwners::Tenant& it) { it.on_command = std::move(answer); });
  }
  // What the owner was asked, of this kind.
  std::vector<HistoryRequest> heard(HistoryRequest::BodyCase kind) {
    return owners->with("acme", [&](ScriptedOwners::Tenant& it) {
      std::vector<HistoryRequest> all;
      for (const auto& request : it.heard) {
        if (request.history().body_case() == kind) all.push_back(request.history());
      }
      return all;
    });
  }
  static OwnerReply error(Errc why) {
    OwnerReply reply;
    *reply.mutable_error() = refuse(why);
    return reply;
  }

  // An owner that has one recording, in parts of a size.
  void has_recording(std::string bytes, std::size_t part = 100'000) {
    script([bytes = std::move(bytes), part](const OwnerRequest& request) {
      OwnerReply reply;
      auto& result = *reply.mutable_history_result();
      if (request.history().has_open()) {
        result.mutable_opened()->set_transfer_id("7-1");
        result.mutable_opened()->set_content_type("audio/wav");
        result.mutable_opened()->set_size_bytes(static_cast<std::int64_t>(bytes.size()));
      } else if (request.history().has_read()) {
        const std::size_t at = (request.history().read().number() - 1) * part;
        result.mutable_part()->set_data(bytes.substr(std::min(at, bytes.size()), part));
        result.mutable_part()->set_last(at + part >= bytes.size());
      } else {
        result.mutable_closed();
      }
      return reply;
    });
  }

  // ---- SearchCalls
  SearchCallsRequest searching() const {
    SearchCallsRequest request;
    request.set_parent("tenants/acme");
    return request;
  }
  grpc::Status search(const SearchCallsRequest& request, SearchCallsResponse& response) {
    return call<CallHistory>(&CallHistory::Stub::SearchCalls, request, response);
  }
  std::string field_of(const grpc::Status& status) {
    google::rpc::BadRequest bad;
    const auto details = details_of(status);
    for (const auto& detail : details.details()) {
      if (detail.UnpackTo(&bad)) return bad.field_violations(0).field();
    }
    return {};
  }

  // ---- GetRecording
  struct Download {
    grpc::ClientContext context;
    std::unique_ptr<CallHistory::Stub> stub;
    std::unique_ptr<grpc::ClientReader<GetRecordingResponse>> reader;
    Recording recording;
    std::string bytes;
    std::size_t largest = 0;

    // False at the end.
    bool next() {
      GetRecordingResponse response;
      if (!reader->Read(&response)) return false;
      if (response.has_recording()) recording = response.recording();
      bytes += response.data();
      largest = std::max(largest, response.data().size());
      return true;
    }
    grpc::Status finish() {
      while (next()) {
      }
      return reader->Finish();
    }
  };
  std::unique_ptr<Download> download(const std::string& name = "tenants/acme/recordings/3") {
    auto it = std::make_unique<Download>();
    it->context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    it->stub = CallHistory::NewStub(channel);
    GetRecordingRequest request;
    request.set_name(name);
    it->reader = it->stub->GetRecording(&it->context, request);
    return it;
  }
};

TEST_F(CallHistoryTest, AsksTheOwnerForAPageAndSealsItsPlace) {
  begin();
  script([](const OwnerRequest& request) {
    OwnerReply reply;
    auto& page = *reply.mutable_history_result()->mutable_page();
    const bool first = request.history().search().after().empty();
    page.add_calls()->set_name(first ? "tenants/acme/pastCalls/2" : "tenants/acme/pastCalls/1");
    if (first) page.set_next("place");
    return reply;
  });
  auto request = searching();
  request.mutable_start_time()->set_seconds(1'000);
  request.mutable_end_time()->set_seconds(2'000);
  request.set_device_id("501");
  request.set_page_size(7);
  SearchCallsResponse response;
  auto status = search(request, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.calls(0).name(), "tenants/acme/pastCalls/2");
  ASSERT_NE(response.next_page_token(), "");
  const auto token = response.next_page_token();
  request.set_page_token(token);
  ASSERT_TRUE(search(request, response).ok());
  EXPECT_EQ(response.calls(0).name(), "tenants/acme/pastCalls/1");
  EXPECT_EQ(response.next_page_token(), "");
  const auto asked = heard(HistoryRequest::kSearch);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].search().start_time().seconds(), 1'000);
  EXPECT_EQ(asked[0].search().end_time().seconds(), 2'000);
  EXPECT_EQ(asked[0].search().device_id(), "501");
  EXPECT_EQ(asked[0].search().limit(), 7);
  EXPECT_EQ(asked[1].search().after(), "place");

  // The token is of these arguments, and of no others.
  request.set_device_id("502");
  EXPECT_EQ(reason_of(search(request, response)), "PAGE_TOKEN_INVALID");
  request = searching();
  request.set_page_token(token);
  EXPECT_EQ(reason_of(search(request, response)), "PAGE_TOKEN_INVALID");
  request.set_page_token("x");
  EXPECT_EQ(reason_of(search(request, response)), "PAGE_TOKEN_INVALID");
}

TEST_F(CallHistoryTest, NamesTheFieldThatIsWrong) {
  begin();
  const auto field = [&](auto change) {
    auto request = searching();
    change(request);
    SearchCallsResponse response;
    const auto status = search(request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return field_of(status);
  };
  EXPECT_EQ(field([](auto& it) { it.set_parent("tenants/-"); }), "parent");
  EXPECT_EQ(field([](auto& it) { it.set_parent("acme"); }), "parent");
  EXPECT_EQ(field([](auto& it) { it.clear_parent(); }), "parent");
  EXPECT_EQ(field([](auto& it) { it.mutable_start_time()->set_nanos(-1); }), "start_time");
  EXPECT_EQ(field([](auto& it) { it.mutable_end_time()->set_nanos(-1); }), "end_time");
  EXPECT_EQ(field([](auto& it) {
              it.mutable_start_time()->set_seconds(2);
              it.mutable_end_time()->set_seconds(1);
            }),
            "end_time");
  EXPECT_EQ(field([](auto& it) { it.set_page_size(-1); }), "page_size");
  EXPECT_EQ(field([](auto& it) { it.set_device_id(std::string(65, '1')); }), "device_id");
  EXPECT_THAT(heard(HistoryRequest::kSearch), IsEmpty());
}

TEST_F(CallHistoryTest, PassesTheOwnersErrorsOn) {
  begin();
  script([](const OwnerRequest&) { return error(Errc::feature_not_supported); });
  SearchCallsResponse response;
  EXPECT_EQ(search(searching(), response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(download()->finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  script([](const OwnerRequest&) { return error(Errc::recording_not_found); });
  EXPECT_EQ(reason_of(download()->finish()), "RECORDING_NOT_FOUND");
  script([](const OwnerRequest&) {
    OwnerReply reply;
    reply.mutable_command_result();
    return reply;
  });
  EXPECT_EQ(reason_of(search(searching(), response)), "INTERNAL_ERROR");
  EXPECT_EQ(reason_of(download()->finish()), "INTERNAL_ERROR");
  auto request = searching();
  request.set_parent("tenants/nobody");
  EXPECT_EQ(reason_of(search(request, response)), "TENANT_NOT_FOUND");
  EXPECT_EQ(reason_of(download("tenants/nobody/recordings/3")->finish()), "TENANT_NOT_FOUND");
  for (const char* name :
       {"", "tenants/acme", "tenants/acme/calls/3", "tenants/acme/recordings/"}) {
    const auto status = download(name)->finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << name;
    EXPECT_EQ(field_of(status), "name");
  }
}

TEST_F(CallHistoryTest, StreamsARecordingInSmallPieces) {
  begin();
  for (const std::size_t size : {0u, 1u, 100'000u, 100'001u, 5'000'000u}) {
    const std::string bytes = bytes_of(size);
    has_recording(bytes);
    const auto it = download();
    const auto status = it->finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(it->recording.name(), "tenants/acme/recordings/3");
    EXPECT_EQ(it->recording.content_type(), "audio/wav");
    EXPECT_EQ(it->recording.size_bytes(), static_cast<std::int64_t>(size));
    EXPECT_TRUE(it->bytes == bytes) << size;
    EXPECT_LE(it->largest, 65'536u);
  }
  EXPECT_EQ(metric("pbxgw_recording_bytes_total"), "5200002");
  EXPECT_TRUE(eventually([&] { return metric("pbxgw_recordings") == "0"; }));
  EXPECT_THAT(heard(HistoryRequest::kClose), IsEmpty());  // the last part closes it
}

TEST_F(CallHistoryTest, EndsWithTheErrorThatCameInTheMiddle) {
  begin();
  has_recording(bytes_of(1'000'000));
  const auto whole = owners->with("acme", [](auto& it) { return it.on_command; });
  script([whole](const OwnerRequest& request) {
    if (request.history().read().number() == 3) return error(Errc::pbx_disconnected);
    return whole(request);
  });
  const auto it = download();
  const auto status = it->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "PBX_DISCONNECTED");
  EXPECT_THAT(heard(HistoryRequest::kClose), IsEmpty());
}

TEST_F(CallHistoryTest, AsksOnceMoreForAPartThatDoesNotCome) {
  config.download.part_wait = 300ms;
  begin();
  const std::string bytes = bytes_of(300'000);
  has_recording(bytes);
  const auto whole = owners->with("acme", [](auto& it) { return it.on_command; });
  auto failures = std::make_shared<int>(0);
  script([whole, failures](const OwnerRequest& request) {
    // As the bus says it when nothing comes.
    if (request.history().read().number() == 2 && (*failures)++ == 0) {
      return error(Errc::timed_out);
    }
    return whole(request);
  });
  const auto it = download();
  EXPECT_TRUE(it->finish().ok());
  EXPECT_TRUE(it->bytes == bytes);
  EXPECT_EQ(*failures, 2);

  // Nor the second time: nobody answers at all.
  has_recording(std::string(50'000'000, 'x'), 256 << 10);
  const auto other = download();
  ASSERT_TRUE(other->next());
  owners->with("acme", [](auto& tenant) { tenant.silent = true; });
  EXPECT_EQ(reason_of(other->finish()), "TIMED_OUT");
}

TEST_F(CallHistoryTest, StopsPullingWhenTheCallerIsGone) {
  begin();
  has_recording(std::string(200'000'000, 'x'), 256 << 10);
  const auto it = download();
  ASSERT_TRUE(it->next());
  ASSERT_TRUE(it->next());
  it->context.TryCancel();
  EXPECT_EQ(it->finish().error_code(), grpc::StatusCode::CANCELLED);
  ASSERT_TRUE(eventually([&] { return !heard(HistoryRequest::kClose).empty(); }));
  EXPECT_EQ(heard(HistoryRequest::kClose)[0].close().transfer_id(), "7-1");
  EXPECT_LT(heard(HistoryRequest::kRead).size(), 400u);
  EXPECT_TRUE(eventually([&] { return metric("pbxgw_recordings") == "0"; }));
}

// Over a window that stays small: otherwise gRPC's client grows it until it swallows everything.
TEST_F(CallHistoryTest, EndsACallerWhoTakesNothing) {
  config.download.patience = 300ms;
  begin();
  grpc::ChannelArguments small;
  small.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  small.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 * 1024);
  channel = connect(small);
  has_recording(std::string(100'000'000, 'x'), 256 << 10);
  const auto it = download();
  // Nothing is read until the server has had enough of it.
  ASSERT_TRUE(eventually([&] { return metric("pbxgw_recordings_too_slow_total") == "1"; }));
  EXPECT_LT(heard(HistoryRequest::kRead).size(), 100u);
  EXPECT_EQ(reason_of(it->finish()), "TIMED_OUT");
  EXPECT_TRUE(eventually([&] { return !heard(HistoryRequest::kClose).empty(); }));
}

TEST_F(CallHistoryTest, LetsSoManyInAtATime) {
  config.limits.recordings_max = 1;
  begin();
  has_recording(std::string(200'000'000, 'x'), 256 << 10);
  const auto it = download();
  ASSERT_TRUE(it->next());
  EXPECT_EQ(reason_of(download()->finish()), "PERFORMANCE_LIMIT_EXCEEDED");
  SearchCallsResponse response;  // is of another kind
  script([](const OwnerRequest&) {
    OwnerReply reply;
    reply.mutable_history_result()->mutable_page();
    return reply;
  });
  EXPECT_TRUE(search(searching(), response).ok());
  it->context.TryCancel();
}

TEST_F(CallHistoryTest, EndsDownloadsWhenDraining) {
  begin();
  has_recording(std::string(200'000'000, 'x'), 256 << 10);
  const auto it = download();
  ASSERT_TRUE(it->next());
  EXPECT_EQ(stop(), 0);
  EXPECT_EQ(it->finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(heard(HistoryRequest::kClose).empty());
}

TEST_F(CallHistoryTest, SaysThatTheOwnerIsGone) {
  begin();
  has_recording(std::string(200'000'000, 'x'), 256 << 10);
  const auto it = download();
  ASSERT_TRUE(it->next());
  owners->disown("acme");
  const auto status = it->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "OWNER_MOVING");
}

}  // namespace
}  // namespace control
