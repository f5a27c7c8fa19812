#include "connector/history_desk.h"

#include <deque>
#include <map>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include "support/patience.h"
#include "telemetry/log.h"
#include "unit/connector/asker.h"
#include "unit/connector/scripted_pbx.h"

namespace connector {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::Errc;
using pbxgw::v1::HistoryRequest;
using pbxgw::v1::OwnerReply;
using testing::HasSubstr;
using testing::SizeIs;
using namespace std::chrono_literals;

std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 131 >> 3);
  return bytes;
}

std::string wav_header(std::size_t size) {
  return "HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: " + std::to_string(size) +
         "\r\n\r\n";
}

// A desk, an adapter that the test plays, and a PBX's web server that says what the test has it
// say, on real sockets.
struct HistoryDeskTest : testing::Test {
  asio::io_context io{1};
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  std::string pbx_says;
  bool pbx_hangs_up = true;
  std::vector<std::string> heard_by_pbx;
  std::vector<std::shared_ptr<tcp::socket>> sockets;

  telemetry::Metrics all_metrics;
  Metrics metrics{all_metrics};
  std::vector<call::Capability> capabilities{every_capability().begin(), every_capability().end()};
  std::optional<wire::Failure> obstacle;
  bool crowded = false, waits = false;
  std::vector<std::pair<call::Inquiry, std::function<void(pbx::Inform::Answer)>>> asked;
  pbx::Inform::Answer answer;
  HistoryDesk::Limits limits;
  HistoryDesk::Way way;
  std::chrono::milliseconds step{5'000};
  std::unique_ptr<HistoryDesk> desk;
  std::deque<std::optional<OwnerReply>> replies;

  HistoryDeskTest() {
    telemetry::log::set_level(telemetry::log::Level::error);
    asio::co_spawn(io, serve(), asio::detached);
  }
  ~HistoryDeskTest() override {
    if (desk) desk->close();
    acceptor.close();
    sockets.clear();
    io.restart();
    io.run_for(5s);
    for (const auto& reply : replies) EXPECT_TRUE(reply.has_value());
    EXPECT_EQ(metrics.recordings.value(), 0);
  }

  asio::awaitable<void> serve() {
    for (;;) {
      auto [error, opened] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      sockets.push_back(std::make_shared<tcp::socket>(std::move(opened)));
      asio::co_spawn(io, play(sockets.back()), asio::detached);
    }
  }
  asio::awaitable<void> play(std::shared_ptr<tcp::socket> socket) {
    std::string request;
    co_await asio::async_read_until(*socket, asio::dynamic_buffer(request), "\r\n\r\n",
                                    asio::as_tuple(asio::use_awaitable));
    heard_by_pbx.push_back(request);
    const std::string said = pbx_says;
    const bool hangs_up = pbx_hangs_up;
    co_await asio::async_write(*socket, asio::buffer(said), asio::as_tuple(asio::use_awaitable));
    base::Error ignored;
    if (hangs_up) socket->shutdown(tcp::socket::shutdown_send, ignored);
  }

  void open_desk() {
    const auto port = std::to_string(acceptor.local_endpoint().port());
    if (std::holds_alternative<call::PastCalls>(answer)) {
      answer = pbx::RecordingSource{
          {"127.0.0.1", port, "/recs?id=3", false, {{"Cookie", "session=s3cret"}}}, step};
    }
    desk = std::make_unique<HistoryDesk>(
        io.get_executor(),
        HistoryDesk::Owner{
            .tenant = base::TenantId("acme"),
            .epoch = 7,
            .capabilities = capabilities,
            .obstacle = [this] { return obstacle; },
            .ask =
                [this](call::Inquiry inquiry, HistoryDesk::TimePoint,
                       std::function<void(pbx::Inform::Answer)> done) {
                  if (crowded) return false;
                  asked.emplace_back(std::move(inquiry), done);
                  if (!waits) done(answer);
                  return true;
                },
            .way = [this](std::string&) { return base::Result<HistoryDesk::Way>(way); }},
        limits, metrics);
  }

  // The number of the request.
  std::size_t send(const HistoryRequest& request, std::chrono::milliseconds limit = 20s) {
    if (!desk) open_desk();
    const std::size_t number = replies.size();
    replies.emplace_back();
    desk->take(request, std::chrono::steady_clock::now() + limit, [this, number](OwnerReply it) {
      EXPECT_FALSE(replies[number].has_value()) << "answered twice";
      replies[number] = std::move(it);
    });
    return number;
  }
  bool run_until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + support::kPatience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_one_for(50ms);
    }
    return true;
  }
  OwnerReply reply(std::size_t number) {
    EXPECT_TRUE(run_until([&] { return replies[number].has_value(); }));
    return replies[number].value_or(OwnerReply());
  }
  OwnerReply ask(const HistoryRequest& request) { return reply(send(request)); }

  static HistoryRequest open() {
    HistoryRequest request;
    request.mutable_open()->set_recording_id("3");
    return request;
  }
  static HistoryRequest read(const std::string& transfer, unsigned number) {
    HistoryRequest request;
    request.mutable_read()->set_transfer_id(transfer);
    request.mutable_read()->set_number(number);
    return request;
  }
  static HistoryRequest close(const std::string& transfer) {
    HistoryRequest request;
    request.mutable_close()->set_transfer_id(transfer);
    return request;
  }
  static HistoryRequest search() {
    HistoryRequest request;
    request.mutable_search()->set_limit(10);
    return request;
  }
  std::string opened() { return ask(open()).history_result().opened().transfer_id(); }
  double ended(const char* reason) { return metrics.recordings_ended.at({reason}).value(); }
};

TEST_F(HistoryDeskTest, BringsARecordingPartByPart) {
  const std::string audio = bytes_of(1'000'000);
  pbx_says = wav_header(audio.size()) + audio;
  const auto told = ask(open()).history_result().opened();
  EXPECT_EQ(std::get<call::FindRecording>(asked.at(0).first).recording, "3");
  EXPECT_EQ(told.content_type(), "audio/wav");
  EXPECT_EQ(told.size_bytes(), 1'000'000);
  EXPECT_EQ(metrics.recordings.value(), 1);
  EXPECT_THAT(heard_by_pbx.at(0), HasSubstr("Cookie: session=s3cret"));

  std::string got;
  bool last = false;
  for (unsigned number = 1; !last && number < 1'000; ++number) {
    const auto once = ask(read(told.transfer_id(), number));
    const auto again = ask(read(told.transfer_id(), number));  // a retry brings the same
    ASSERT_TRUE(once.history_result().has_part());
    const auto& part = once.history_result().part();
    EXPECT_EQ(again.history_result().part().data(), part.data());
    EXPECT_LE(part.data().size(), limits.part_bytes_max);
    got += part.data();
    last = part.last();
  }
  EXPECT_EQ(got, audio);
  EXPECT_EQ(metrics.recordings.value(), 0);
  EXPECT_EQ(metrics.recording_bytes.value(), 1'000'000);
  EXPECT_EQ(ended("complete"), 1);
  EXPECT_EQ(metrics.commands.at({"GetRecording", "OK"}).value(), 1);
}

TEST_F(HistoryDeskTest, TellsAPageOfPastCalls) {
  call::PastCalls page;
  page.calls.resize(1);
  page.calls[0].id = "7";
  page.next = "more";
  open_desk();
  answer = page;
  const auto told = ask(search()).history_result().page();
  EXPECT_EQ(told.calls(0).name(), "tenants/acme/pastCalls/7");
  EXPECT_EQ(told.next(), "more");
  const auto& inquiry = std::get<call::SearchCalls>(asked.at(0).first);
  EXPECT_EQ(inquiry.limit, 10u);
  EXPECT_GT(inquiry.now, call::Time{});
  EXPECT_EQ(metrics.commands.at({"SearchCalls", "OK"}).value(), 1);

  page.calls[0].data["x"] = std::string(limits.page_bytes_max, 'x');
  answer = page;
  EXPECT_EQ(reason_of(ask(search())), "MESSAGE_TOO_BIG");
}

TEST_F(HistoryDeskTest, SaysWhatTheVendorCannotDoAndWhyNothingCanBeAsked) {
  open_desk();
  obstacle = wire::Failure{Errc::pbx_disconnected, "", "", {}};
  EXPECT_EQ(reason_of(ask(search())), "PBX_DISCONNECTED");
  EXPECT_EQ(reason_of(ask(open())), "PBX_DISCONNECTED");
  obstacle.reset();
  crowded = true;
  EXPECT_EQ(reason_of(ask(search())), "PERFORMANCE_LIMIT_EXCEEDED");
  EXPECT_EQ(reason_of(ask(open())), "PERFORMANCE_LIMIT_EXCEEDED");
  crowded = false;
  answer = call::Refusal{Errc::pbx_refused, "no"};
  EXPECT_EQ(ask(search()).error().message(), "no");
  EXPECT_EQ(ask(open()).error().message(), "no");
  answer = call::PastCalls();
  EXPECT_EQ(reason_of(ask(open())), "INTERNAL_ERROR");
  EXPECT_EQ(reason_of(ask(HistoryRequest())), "INTERNAL_ERROR");
  for (auto& row : capabilities) row = {row.service, call::Confirmation::none, "Because."};
  EXPECT_EQ(reason_of(ask(search())), "FEATURE_NOT_SUPPORTED");
  EXPECT_EQ(ask(open()).error().message(), "GetRecording: Because.");
  EXPECT_EQ(metrics.recordings.value(), 0);
}

TEST_F(HistoryDeskTest, SaysWhatBecameOfTheRequestToThePbx) {
  const std::pair<const char*, const char*> kReplies[] = {
      {"HTTP/1.1 404 Not Found\r\n\r\n", "RECORDING_NOT_FOUND"},
      {"HTTP/1.1 401 Unauthorized\r\n\r\n", "DEVICE_CREDENTIALS_REFUSED"},
      {"HTTP/1.1 403 Forbidden\r\n\r\n", "PERMISSION_DENIED"},
      {"HTTP/1.1 429 Slowly\r\n\r\n", "PERFORMANCE_LIMIT_EXCEEDED"},
      {"HTTP/1.1 302 Found\r\n\r\n", "VENDOR_ERROR"},
      {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\nfalse", "VENDOR_ERROR"},
      {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", "VENDOR_ERROR"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", "MESSAGE_TOO_BIG"},
      {"SIP/2.0 200 OK\r\n\r\n", "VENDOR_ERROR"},
      {"", "PBX_DISCONNECTED"},
  };
  for (const auto& [says, reason] : kReplies) {
    pbx_says = says;
    const auto told = ask(open());
    EXPECT_EQ(reason_of(told), reason) << says;
    EXPECT_THAT(told.error().message(), testing::Not(HasSubstr("s3cret")));
  }
  EXPECT_EQ(ended("failed"), std::size(kReplies));
  pbx_says = "HTTP/1.1 200 OK\r\n\r\nsound";  // says neither what nor how much
  const auto told = ask(open()).history_result().opened();
  EXPECT_EQ(told.content_type(), "application/octet-stream");
  EXPECT_FALSE(told.has_size_bytes());
}

TEST_F(HistoryDeskTest, SaysWhereARecordingBreaksOff) {
  pbx_says = wav_header(10) + "half";
  const std::string id = opened();
  std::string reason;
  for (unsigned number = 1; reason.empty() && number < 5; ++number) {
    reason = reason_of(ask(read(id, number)));
  }
  EXPECT_EQ(reason, "PBX_DISCONNECTED");
  EXPECT_EQ(reason_of(ask(read(id, 1))), "OWNER_MOVING");  // it is over
}

TEST_F(HistoryDeskTest, EndsARecordingThatIsLargerThanItMayBe) {
  way.limits.body_bytes_max = 1'000;
  pbx_says = "HTTP/1.1 200 OK\r\n\r\n" + bytes_of(5'000);
  const std::string id = opened();
  std::string reason;
  for (unsigned number = 1; reason.empty() && number < 5; ++number) {
    reason = reason_of(ask(read(id, number)));
  }
  EXPECT_EQ(reason, "MESSAGE_TOO_BIG");
}

TEST_F(HistoryDeskTest, EndsARecordingThatStopsComing) {
  step = 50ms;
  pbx_says = wav_header(10) + "half";
  pbx_hangs_up = false;
  const std::string id = opened();
  std::string reason;
  for (unsigned number = 1; reason.empty() && number < 5; ++number) {
    reason = reason_of(ask(read(id, number)));
  }
  EXPECT_EQ(reason, "TIMED_OUT");
}

TEST_F(HistoryDeskTest, GivesPartsInOrderOnly) {
  pbx_says = wav_header(4) + "half";
  const std::string id = opened();
  EXPECT_EQ(reason_of(ask(read(id, 0))), "INTERNAL_ERROR");
  EXPECT_EQ(reason_of(ask(read(id, 2))), "INTERNAL_ERROR");
  EXPECT_EQ(ask(read(id, 1)).history_result().part().data(), "half");
  EXPECT_EQ(reason_of(ask(read(id, 3))), "INTERNAL_ERROR");
  EXPECT_EQ(reason_of(ask(read(id, 2))), "INTERNAL_ERROR");  // after the last one
  EXPECT_EQ(reason_of(ask(read("6-1", 1))), "OWNER_MOVING");
}

TEST_F(HistoryDeskTest, FetchesSoManyAtATime) {
  limits.transfers_max = 2;
  pbx_says = wav_header(10);
  pbx_hangs_up = false;
  const std::string one = opened(), other = opened();
  EXPECT_EQ(reason_of(ask(open())), "PERFORMANCE_LIMIT_EXCEEDED");
  EXPECT_TRUE(ask(close(one)).history_result().has_closed());
  EXPECT_TRUE(ask(close(one)).history_result().has_closed());
  EXPECT_EQ(ended("closed"), 1);
  EXPECT_NE(opened(), "");
  EXPECT_EQ(metrics.recordings.value(), 2);
}

TEST_F(HistoryDeskTest, ForgetsWhatNobodyAsksFor) {
  limits.idle = 50ms;
  pbx_says = wav_header(10);
  pbx_hangs_up = false;
  const std::string id = opened();
  EXPECT_TRUE(run_until([&] { return ended("idle") == 1; }));
  EXPECT_EQ(reason_of(ask(read(id, 1))), "OWNER_MOVING");
}

TEST_F(HistoryDeskTest, AnswersWhoeverWaitsWhenItCloses) {
  pbx_says = wav_header(10);
  pbx_hangs_up = false;
  const std::string id = opened();
  const auto reading = send(read(id, 1));
  const auto again = send(read(id, 1));  // the first one has given up
  EXPECT_EQ(reason_of(reply(reading)), "TIMED_OUT");
  pbx_says.clear();
  const auto opening = send(open());
  EXPECT_TRUE(run_until([&] { return heard_by_pbx.size() == 2; }));
  waits = true;
  const auto finding = send(open());
  desk->close();
  EXPECT_EQ(reason_of(reply(again)), "OWNER_MOVING");
  EXPECT_EQ(reason_of(reply(opening)), "OWNER_MOVING");
  EXPECT_EQ(reason_of(reply(finding)), "OWNER_MOVING");
  asked.back().second(answer);  // the adapter's answer comes too late
  EXPECT_EQ(reason_of(ask(search())), "OWNER_MOVING");
  EXPECT_EQ(ended("stopped"), 3);
}

TEST_F(HistoryDeskTest, OpensNothingForACallerWhoIsGone) {
  pbx_says = wav_header(4) + "half";
  open_desk();
  EXPECT_EQ(reason_of(reply(send(open(), 0s))), "TIMED_OUT");
  EXPECT_EQ(metrics.recordings.value(), 0);
}

}  // namespace
}  // namespace connector
