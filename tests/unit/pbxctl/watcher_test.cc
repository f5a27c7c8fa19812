#include "pbxctl/watcher.h"

#include <csignal>

#include <gmock/gmock.h>

#include "pbxctl/fake_control.h"

namespace pbxctl {
namespace {

using base::Errc;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::Test;

class Watching : public Test {
 protected:
  FakeControl control;

  // Event `sequence` of the tenant, after which the stream can be resumed with "m<sequence>".
  static v1::WatchResponse event(std::uint64_t sequence, std::uint64_t epoch = 1) {
    v1::WatchResponse out;
    out.set_resume_marker("m" + std::to_string(sequence));
    auto& event = *out.mutable_event();
    event.set_tenant("tenants/acme");
    event.set_epoch(epoch);
    event.set_sequence(sequence);
    event.set_origin(v1::ORIGIN_LIVE);
    event.mutable_receive_time()->set_seconds(kNow + static_cast<std::int64_t>(sequence));
    event.mutable_device_event()->set_type(v1::DEVICE_EVENT_TYPE_ACTIVITY_CHANGED);
    auto& device = *event.mutable_device_event()->mutable_device();
    device.set_device_id("201");
    device.set_activity(v1::ACTIVITY_RINGING);
    return out;
  }
  static std::string line(int sequence) {
    return "12:00:0" + std::to_string(sequence) +
           ".000  acme  activity-changed    201                               ringing\n";
  }

  // With no time lost between attempts.
  Ran watch(WatchOptions options, std::optional<std::chrono::milliseconds> length = {}) {
    std::ostringstream out, err;
    const Terminal terminal{
        .out = out, .err = err, .now = [] { return Time(std::chrono::seconds(kNow)); }};
    Options common;
    common.server = control.address();
    Session session(common, terminal);
    Stopper stopper(length);
    options.request.set_parent("tenants/-");
    options.backoff = {1ms, 1ms};
    Watcher watcher(session, std::move(options), EventLines(Style(false), true), stopper);
    const auto outcome = watcher.run();
    Ran ran;
    if (!outcome) print(outcome.error(), false, err);
    ran.status = outcome ? 0 : static_cast<int>(outcome.error().code);
    ran.out = out.str();
    ran.err = err.str();
    return ran;
  }
  static WatchOptions until(std::uint64_t count) {
    WatchOptions options;
    options.count = count;
    return options;
  }
};

TEST_F(Watching, ShowsEventsAndEndsWhenThereWereEnough) {
  control.streams = {{.responses = {event(1), event(2), event(3)}, .hangs = true}};
  const Ran ran = watch(until(2));
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, line(1) + line(2));
}

TEST_F(Watching, GoesOnWhereItStoppedWhenTheServiceGoes) {
  control.streams = {
      {.responses = {event(1)}, .status = error(Errc::shutting_down, "Draining.")},
      {.status = grpc::Status(grpc::UNAVAILABLE, "Socket closed")},
      {.responses = {event(2)}, .hangs = true},
  };
  const Ran ran = watch(until(2));
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, line(1) + "12:00:00.000  -- Draining. (SHUTTING_DOWN); reconnecting to " +
                         control.address() + " in 1ms\n" +
                         "12:00:00.000  -- Socket closed; reconnecting to " + control.address() +
                         " in 1ms\n" + "12:00:00.000  -- connected again\n" + line(2));
  ASSERT_THAT(control.watches, SizeIs(3));
  EXPECT_EQ(control.watches[0].resume_marker(), "");
  EXPECT_EQ(control.watches[1].resume_marker(), "m1");
  EXPECT_EQ(control.watches[2].resume_marker(), "m1");
}

TEST_F(Watching, GoesOnWhenItWasTooSlow) {
  control.streams = {
      {.responses = {event(1)}, .status = error(Errc::watcher_too_slow, "Too slow.")},
      {.responses = {event(2)}, .hangs = true},
  };
  EXPECT_EQ(watch(until(2)).status, 0);
  EXPECT_EQ(control.watches.at(1).resume_marker(), "m1");
}

TEST_F(Watching, StartsAnewWhenTheMarkerHasExpiredAndSaysSo) {
  control.streams = {
      {.status = error(Errc::marker_expired, "Too old.")},
      {.responses = {event(7)}, .hangs = true},
  };
  auto options = until(1);
  options.request.set_resume_marker("old");
  options.request.set_skip_snapshot(true);
  const Ran ran = watch(options);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("-- the resume marker has expired: what happened in between is "
                                 "lost; starting anew\n"));
  ASSERT_THAT(control.watches, SizeIs(2));
  EXPECT_EQ(control.watches[0].resume_marker(), "old");
  EXPECT_EQ(control.watches[1].resume_marker(), "");
  EXPECT_FALSE(control.watches[1].skip_snapshot());
}

TEST_F(Watching, ShowsAnEventOnceHoweverOftenItComes) {
  control.streams = {{.responses = {event(5), event(5), event(4), event(1, 2), event(6, 1)},
                      .status = error(Errc::internal, "Over.")}};
  const Ran ran = watch({});
  EXPECT_EQ(ran.out, line(5) + line(1));
}

TEST_F(Watching, GivesUpWhereTryingAgainCannotHelp) {
  control.streams = {{.responses = {event(1)}, .status = error(Errc::permission_denied, "No.")}};
  const Ran ran = watch({});
  EXPECT_EQ(ran.status, 5);
  EXPECT_THAT(ran.err, HasSubstr("pbxctl: No.\n  reason: PERMISSION_DENIED"));
  EXPECT_THAT(control.watches, SizeIs(1));
}

TEST_F(Watching, GivesUpOnAServiceThatWasNeverThere) {
  control.stop();
  const Ran ran = watch({});
  EXPECT_EQ(ran.status, 6);
  EXPECT_THAT(ran.err, HasSubstr("cannot reach the control service at " + control.address()));
}

TEST_F(Watching, EndsWhenItsTimeIsUp) {
  control.streams = {{.responses = {event(1)}, .hangs = true}};
  EXPECT_EQ(watch({}, 200ms).status, 0);
}

TEST_F(Watching, EndsWhileItWaitsForAServiceThatIsGone) {
  control.streams = {{.responses = {event(1)}, .status = grpc::Status(grpc::UNAVAILABLE, "gone")}};
  // Until the time is up, the only stream that there is refuses.
  for (int i = 0; i < 100'000; ++i) {
    control.streams.push_back({.status = grpc::Status(grpc::UNAVAILABLE, "gone")});
  }
  EXPECT_EQ(watch({}, 200ms).status, 0);
}

TEST_F(Watching, EndsAtASignal) {
  control.streams = {{.hangs = true}};
  std::thread signalling([this] {
    // Once the watch has arrived, its handler is there.
    while (control.watching() == 0) std::this_thread::yield();
    std::raise(SIGTERM);
  });
  EXPECT_EQ(watch({}).status, 0);
  signalling.join();
}

TEST_F(Watching, FailsIfItSawFewerEventsThanExpected) {
  control.streams = {{.responses = {event(1)}, .hangs = true}};
  WatchOptions options;
  options.expect = 2;
  const Ran ran = watch(options, 200ms);
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.err, "pbxctl: expected at least 2 events, saw 1\n");
}

// ---- From the command line ----

TEST_F(Watching, AsksForWhatTheArgumentsSay) {
  control.streams = {{.responses = {event(1)}, .hangs = true},
                     {.responses = {event(2)}, .hangs = true}};
  const std::string server = control.address();
  EXPECT_EQ(run_with({"watch", "--count", "1", "--server", server, "--tenant", "acme", "--device",
                      "201", "--device", "202", "--type", "held", "--type", "call-cleared",
                      "--no-snapshot", "--resume", "m0"})
                .status,
            0);
  EXPECT_EQ(run_with({"watch", "--count", "1", "--server", server, "--class", "device", "--class",
                      "link"})
                .status,
            0);
  ASSERT_THAT(control.watches, SizeIs(2));
  EXPECT_EQ(
      control.watches[0].ShortDebugString(),
      "parent: \"tenants/acme\" resume_marker: \"m0\" device_ids: \"201\" device_ids: \"202\" "
      "classes: EVENT_CLASS_CALL call_event_types: CALL_EVENT_TYPE_HELD call_event_types: "
      "CALL_EVENT_TYPE_CALL_CLEARED skip_snapshot: true");
  EXPECT_EQ(control.watches[1].ShortDebugString(),
            "parent: \"tenants/-\" classes: EVENT_CLASS_DEVICE classes: EVENT_CLASS_LINK");
}

TEST_F(Watching, PrintsOneObjectPerLineForScripts) {
  v1::WatchResponse complete;
  complete.mutable_snapshot_complete();
  control.streams = {{.responses = {complete, event(1)}, .hangs = true}};
  const Ran ran = run_with({"watch", "--json", "--count", "1", "--server", control.address()});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out,
            R"({"snapshotComplete":{}})"
            "\n"
            R"({"resumeMarker":"m1","event":{"tenant":"tenants/acme","epoch":"1","sequence":"1",)"
            R"("origin":"ORIGIN_LIVE","receiveTime":"2026-01-02T12:00:01Z","deviceEvent":{"type":)"
            R"("DEVICE_EVENT_TYPE_ACTIVITY_CHANGED","device":{"deviceId":"201","activity":)"
            R"("ACTIVITY_RINGING"}}}})"
            "\n");
}

}  // namespace
}  // namespace pbxctl
