#include "control/watch.h"

#include <set>
#include <sstream>

#include "unit/control/control_fixture.h"

namespace control {
namespace {

using namespace pbxgw::v1;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// A client of Events.Watch.
class Watcher {
 public:
  Watcher(const std::shared_ptr<grpc::Channel>& channel, const WatchRequest& request)
      : stub_(Events::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + ControlFixture::kDeadline);
    reader_ = stub_->Watch(&context_, request);
  }
  ~Watcher() {
    context_.TryCancel();
    if (!finished_) finish();
  }

  // The next response; nothing at the end.
  std::optional<WatchResponse> next() {
    WatchResponse response;
    if (!reader_->Read(&response)) return std::nullopt;
    if (!response.resume_marker().empty()) marker = response.resume_marker();
    return response;
  }
  // The next event, whatever comes before it.
  std::optional<Event> event() {
    while (auto response = next()) {
      if (response->has_event()) return response->event();
    }
    return std::nullopt;
  }
  std::vector<std::uint64_t> sequences(std::size_t count) {
    std::vector<std::uint64_t> found;
    while (found.size() < count) {
      const auto one = event();
      if (!one) break;
      found.push_back(one->sequence());
    }
    return found;
  }
  // Everything up to the end of the initial state: names of calls and devices, "!" and the tenant
  // for one that is unreachable.
  std::set<std::string> state() {
    std::set<std::string> names;
    while (auto response = next()) {
      if (response->has_snapshot_complete()) return names;
      EXPECT_TRUE(response->resume_marker().empty());
      add(response->snapshot(), names);
    }
    ADD_FAILURE() << "no end: " << finish().error_message();
    return names;
  }
  static void add(const Snapshot& part, std::set<std::string>& names) {
    if (part.unreachable()) names.insert('!' + part.tenant().name());
    for (const auto& call : part.calls()) names.insert(call.name());
    for (const auto& device : part.devices()) names.insert(device.name());
  }
  grpc::Status finish() {
    finished_ = true;
    return reader_->Finish();
  }

  std::string marker;  // the last one received

 private:
  std::unique_ptr<Events::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<WatchResponse>> reader_;
  bool finished_ = false;
};

struct WatchTest : ControlFixture {
  explicit WatchTest(std::int64_t events_per_subject = -1) {
    make_owners(events_per_subject);
    owners->add("acme");
    owners->with("acme", [](ScriptedOwners::Tenant& it) {
      it.calls["c1-1"] = a_call("acme", "c1-1", {"201"});
      it.calls["c1-2"] = a_call("acme", "c1-2", {"202"});
      it.devices["201"] = a_device("acme", "201");
      it.devices["202"] = a_device("acme", "202");
      it.sequence = 100;
    });
    start();
  }
  void SetUp() override { see("acme"); }

  static WatchRequest watching(const std::string& parent = "tenants/acme") {
    WatchRequest request;
    request.set_parent(parent);
    return request;
  }
  std::unique_ptr<Watcher> watch(const WatchRequest& request = watching()) {
    return std::make_unique<Watcher>(channel, request);
  }
  grpc::Status refused(const WatchRequest& request) {
    Watcher watcher(channel, request);
    while (watcher.next()) {
    }
    return watcher.finish();
  }
};

TEST_F(WatchTest, TellsTheStateAndThenEveryChange) {
  auto watcher = watch();
  EXPECT_THAT(watcher->state(),
              ElementsAre("tenants/acme/calls/c1-1", "tenants/acme/calls/c1-2",
                          "tenants/acme/devices/201", "tenants/acme/devices/202"));
  owners->publish("acme", call_event("c1-1", "201", call::CallEventType::held));
  owners->publish("acme", device_event("201"));
  owners->publish("acme", link_event(call::LinkState::backing_off));
  const auto held = watcher->event();
  ASSERT_TRUE(held);
  EXPECT_EQ(held->tenant(), "tenants/acme");
  EXPECT_EQ(held->sequence(), 101u);
  EXPECT_EQ(held->call_event().type(), CALL_EVENT_TYPE_HELD);
  EXPECT_THAT(watcher->sequences(2), ElementsAre(102, 103));
}

TEST_F(WatchTest, TellsTheStateInPages) {
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.page_max = 3;
    for (int i = 0; i < 20; ++i) {
      const auto id = "c2-" + std::to_string(i);
      it.calls[id] = a_call("acme", id);
    }
  });
  EXPECT_EQ(watch()->state().size(), 24u);
}

TEST_F(WatchTest, LeavesOutWhatTheStateTakesIn) {
  // The owner makes events just before it answers: they are in the stream after the point where
  // reading begins, and in the state as well.
  owners->with("acme", [this](ScriptedOwners::Tenant& it) {
    it.before_query = [](ScriptedOwners::Tenant& tenant) { tenant.sequence += 2; };
  });
  auto watcher = watch();
  watcher->state();
  auto known = call_event("c1-1", "201");
  known.epoch = 1;
  known.sequence = 102;
  owners->publish_as_is("acme", known);
  EXPECT_EQ(owners->publish("acme", call_event("c1-2", "202")), 103u);
  EXPECT_THAT(watcher->sequences(1), ElementsAre(103));
}

TEST_F(WatchTest, LeavesOutWhatComesTwiceOrFromAFormerOwner) {
  auto watcher = watch();
  watcher->state();
  owners->publish("acme", device_event("201"));
  auto again = device_event("201");
  again.epoch = 1;
  again.sequence = 101;
  owners->publish_as_is("acme", again);
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.epoch = 5;
    it.sequence = 0;
  });
  owners->publish("acme", device_event("202"));
  auto former = device_event("201");
  former.epoch = 1;
  former.sequence = 102;
  owners->publish_as_is("acme", former);
  owners->publish("acme", device_event("202"));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (int i = 0; i < 3; ++i) {
    const auto event = watcher->event();
    ASSERT_TRUE(event);
    seen.emplace_back(event->epoch(), event->sequence());
  }
  EXPECT_THAT(seen, ElementsAre(testing::Pair(1, 101), testing::Pair(5, 1), testing::Pair(5, 2)));
}

TEST_F(WatchTest, GoesOnAfterAMarker) {
  auto watcher = watch();
  watcher->state();
  ASSERT_FALSE(watcher->marker.empty());
  owners->publish("acme", device_event("201"));
  owners->publish("acme", device_event("202"));
  EXPECT_THAT(watcher->sequences(1), ElementsAre(101));
  auto request = watching();
  request.set_resume_marker(watcher->marker);
  watcher.reset();
  owners->publish("acme", device_event("201"));

  auto resumed = watch(request);
  const auto first = resumed->next();
  ASSERT_TRUE(first && first->has_event()) << "no state, only what came after";
  EXPECT_EQ(first->event().sequence(), 102u);
  EXPECT_THAT(resumed->sequences(1), ElementsAre(103));
}

TEST_F(WatchTest, GoesOnAtAnotherInstance) {
  auto watcher = watch();
  watcher->state();
  auto request = watching();
  request.set_resume_marker(watcher->marker);
  owners->publish("acme", device_event("201"));
  stop();
  start();
  see("acme");
  EXPECT_THAT(watch(request)->sequences(1), ElementsAre(101));
}

TEST_F(WatchTest, RefusesAForeignMarker) {
  auto watcher = watch();
  watcher->state();
  auto request = watching();
  request.set_resume_marker(watcher->marker);
  request.add_device_ids("201");
  const auto status = refused(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(reason_of(status), "RESUME_MARKER_INVALID");
  EXPECT_EQ(info_of(status).metadata().at("field"), "resume_marker");
}

TEST_F(WatchTest, TellsThatAMarkerOfAnotherStreamHasExpired) {
  auto watcher = watch();
  watcher->state();
  owners->publish("acme", device_event("201"));
  ASSERT_TRUE(watcher->event());
  auto request = watching();
  request.set_resume_marker(watcher->marker);
  watcher.reset();
  owners->delete_stream();
  owners->make_stream();
  for (int i = 0; i < 3; ++i) owners->publish("acme", device_event("201"));
  const auto status = refused(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(reason_of(status), "RESUME_MARKER_EXPIRED");
}

struct ForgetfulWatchTest : WatchTest {
  ForgetfulWatchTest() : WatchTest(1) {}
};

TEST_F(ForgetfulWatchTest, TellsThatWhatFollowsAMarkerIsGone) {
  auto watcher = watch();
  watcher->state();
  owners->publish("acme", device_event("201"));
  ASSERT_TRUE(watcher->event());
  auto request = watching();
  request.set_resume_marker(watcher->marker);
  // The stream keeps one event of each subject: the second of these pushes the first out.
  owners->publish("acme", device_event("202"));
  owners->publish("acme", device_event("202"));
  owners->publish("acme", device_event("201"));
  EXPECT_EQ(reason_of(refused(request)), "RESUME_MARKER_EXPIRED");
}

TEST_F(WatchTest, TellsOnlyWhatTheFiltersLetThrough) {
  auto request = watching();
  request.add_device_ids("202");
  auto watcher = watch(request);
  EXPECT_THAT(watcher->state(), ElementsAre("tenants/acme/calls/c1-2", "tenants/acme/devices/202"));
  owners->publish("acme", call_event("c1-1", "201"));
  call::Event gap;
  gap.body = call::StreamGap{};
  owners->publish("acme", gap);
  owners->publish("acme", call_event("c1-2", "202"));
  EXPECT_THAT(watcher->sequences(2), ElementsAre(102, 103));

  auto links = watching();
  links.add_classes(EVENT_CLASS_LINK);
  auto link_watcher = watch(links);
  EXPECT_THAT(link_watcher->state(), IsEmpty());
}

TEST_F(WatchTest, WaitsForADeviceThatIsNotThereYet) {
  auto request = watching();
  request.add_device_ids("203");
  auto watcher = watch(request);
  EXPECT_THAT(watcher->state(), IsEmpty());
  owners->publish("acme", device_event("201"));
  owners->publish("acme", device_event("203"));
  EXPECT_THAT(watcher->sequences(1), ElementsAre(102));
}

TEST_F(WatchTest, TellsOnlyChangesIfAskedTo) {
  auto request = watching();
  request.set_skip_snapshot(true);
  auto watcher = watch(request);
  EXPECT_THAT(watcher->state(), IsEmpty());
  EXPECT_FALSE(watcher->marker.empty());
  owners->publish("acme", device_event("201"));
  EXPECT_THAT(watcher->sequences(1), ElementsAre(101));
}

TEST_F(WatchTest, WatchesAllTenantsAndThoseThatCome) {
  owners->add("beta");
  owners->with("beta",
               [](ScriptedOwners::Tenant& it) { it.calls["c9-1"] = a_call("beta", "c9-1"); });
  see("beta");
  auto request = watching("tenants/-");
  request.add_classes(EVENT_CLASS_CALL);
  auto watcher = watch(request);
  EXPECT_THAT(watcher->state(), ElementsAre("tenants/acme/calls/c1-1", "tenants/acme/calls/c1-2",
                                            "tenants/beta/calls/c9-1"));
  owners->add("gamma");
  owners->publish("gamma", call_event("c1-1", "1"));
  const auto event = watcher->event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->tenant(), "tenants/gamma");
}

TEST_F(WatchTest, SendsTheStateOfAnUnreachableTenantLater) {
  owners->disown("acme");
  see("acme", "");
  auto watcher = watch();
  EXPECT_THAT(watcher->state(), ElementsAre("!tenants/acme"));
  // Passed on although what was before it is not known yet.
  owners->publish("acme", device_event("201"));
  EXPECT_THAT(watcher->sequences(1), ElementsAre(101));
  owners->own("acme");
  std::set<std::string> names;
  while (names.size() < 4) {
    const auto response = watcher->next();
    ASSERT_TRUE(response && response->has_snapshot());
    Watcher::add(response->snapshot(), names);
  }
  owners->publish("acme", device_event("202"));
  EXPECT_THAT(watcher->sequences(1), ElementsAre(102));
}

TEST_F(WatchTest, OwesTheStateBeyondAResume) {
  owners->disown("acme");
  see("acme", "");
  auto watcher = watch();
  EXPECT_THAT(watcher->state(), ElementsAre("!tenants/acme"));
  auto request = watching();
  request.set_resume_marker(watcher->marker);
  watcher.reset();
  owners->own("acme");
  auto resumed = watch(request);
  const auto response = resumed->next();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->snapshot().calls_size(), 2);
}

TEST_F(WatchTest, DoesNotSendAStateOlderThanTheEventsBefore) {
  owners->disown("acme");
  see("acme", "");
  auto watcher = watch();
  watcher->state();
  // An owner that is behind what its tenant's events have told: it has to be asked again.
  auto ahead = device_event("201");
  ahead.epoch = 1;
  ahead.sequence = 110;
  owners->publish_as_is("acme", ahead);
  EXPECT_THAT(watcher->sequences(1), ElementsAre(110));
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.heard.clear(); });
  owners->own("acme");
  ASSERT_TRUE(eventually([&] {
    return owners->with("acme", [](ScriptedOwners::Tenant& it) { return it.heard.size() >= 4; });
  }));
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.sequence = 110;
    it.calls.erase("c1-2");
  });
  const auto response = watcher->next();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->snapshot().calls_size(), 1);
}

struct SlowWatchTest : WatchTest {
  static constexpr int kEvents = 3'000;
  std::vector<call::Event> events;

  explicit SlowWatchTest(std::chrono::milliseconds patience = 60s) {
    config.watch_queue.responses_max = 16;
    config.watch_patience = patience;
    stop();
    start();
    for (int i = 0; i < kEvents; ++i)
      events.push_back(device_event("201", std::string(1'000, 'n')));
  }
  std::vector<std::uint64_t> all() const {
    std::vector<std::uint64_t> numbers;
    for (int i = 0; i < kEvents; ++i) numbers.push_back(101 + i);
    return numbers;
  }
};

TEST_F(SlowWatchTest, ReadsTheStreamAsFastAsItsCaller) {
  auto watcher = watch();
  watcher->state();
  owners->publish("acme", events);  // far more than the queue holds
  EXPECT_EQ(watcher->sequences(kEvents), all());
}

// Of a service that soon has enough of callers who do not read, over a window that stays small: on
// a quiet machine gRPC's client would grow it until it swallows everything.
struct ImpatientWatchTest : SlowWatchTest {
  ImpatientWatchTest() : SlowWatchTest(300ms) { narrow(); }
  void narrow() {
    grpc::ChannelArguments small;
    small.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    small.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 * 1024);
    channel = connect(small);
  }
};

TEST_F(ImpatientWatchTest, SendsACallerAwayWhoTakesNothingAndLetsHimResume) {
  see("acme");
  auto watcher = watch();
  watcher->state();
  owners->publish("acme", events);
  // Nothing is read until the server has had enough of it.
  ASSERT_TRUE(eventually([&] { return metric("pbxgw_watchers_too_slow_total") == "1"; }));
  auto seen = watcher->sequences(kEvents);
  EXPECT_LT(seen.size(), std::size_t{kEvents});
  const auto status = watcher->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(reason_of(status), "WATCHER_TOO_SLOW");
  EXPECT_EQ(info_of(status).metadata().at("resume_marker"), watcher->marker);

  // Once more, or as often as a slow machine is too slow again.
  while (seen.size() < kEvents) {
    auto request = watching();
    request.set_resume_marker(watcher->marker);
    watcher = watch(request);
    const auto rest = watcher->sequences(kEvents - seen.size());
    ASSERT_FALSE(rest.empty());
    seen.insert(seen.end(), rest.begin(), rest.end());
  }
  EXPECT_EQ(seen, all());
}

TEST_F(ImpatientWatchTest, LogsWhomItSendsAway) {
  stop();
  std::ostringstream log;
  telemetry::log::Options options;
  options.out = &log;
  telemetry::log::setup(options);
  start();
  narrow();
  see("acme");
  auto watcher = watch();
  watcher->state();
  owners->publish("acme", events);
  EXPECT_TRUE(eventually([&] { return metric("pbxgw_watchers_too_slow_total") == "1"; }));
  watcher.reset();
  stop();
  telemetry::log::setup({});
  EXPECT_THAT(log.str(), testing::HasSubstr(R"("principal":"anyone","subject":"",)"
                                            R"("tenant":"tenants/acme","address":"127.0.0.1",)"));
}

TEST_F(WatchTest, SurvivesAnOutageOfNats) {
  auto watcher = watch();
  watcher->state();
  owners->publish("acme", device_event("201"));
  EXPECT_THAT(watcher->sequences(1), ElementsAre(101));
  server.suspend();
  server.resume();
  owners->publish("acme", device_event("202"));
  EXPECT_THAT(watcher->sequences(1), ElementsAre(102));
}

TEST_F(WatchTest, EndsWhenTheServiceDoes) {
  auto watcher = watch();
  watcher->state();
  EXPECT_EQ(stop(), 0);
  EXPECT_FALSE(watcher->next());
  const auto status = watcher->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "SHUTTING_DOWN");
  EXPECT_EQ(info_of(status).metadata().at("resume_marker"), watcher->marker);
}

TEST_F(WatchTest, EndsInTimeWithAMarkerHoweverLongThatIs) {
  // The state of each is owed, and stands in the marker.
  for (int i = 0; i < 60; ++i) owners->add("tenant-without-an-owner-" + std::to_string(i), false);
  config.watch_age = 1s;
  stop();
  start();
  see("acme");
  see("tenant-without-an-owner-59", "");
  auto request = watching("tenants/-");
  auto watcher = watch(request);
  EXPECT_EQ(watcher->state().size(), 64u);
  const auto first = owners->publish("acme", device_event("201"));
  EXPECT_THAT(watcher->sequences(1), ElementsAre(first));
  while (watcher->next()) {
  }
  const auto status = watcher->finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "SHUTTING_DOWN");
  const std::string marker = info_of(status).metadata().at("resume_marker");
  EXPECT_GT(marker.size(), 1'000u) << "longer than what else stands in metadata";
  EXPECT_LE(marker.size(), kMarkerMax);
  EXPECT_EQ(marker, watcher->marker);

  request.set_resume_marker(marker);
  auto resumed = watch(request);
  const auto second = owners->publish("acme", device_event("202"));
  EXPECT_THAT(resumed->sequences(1), ElementsAre(second));
}

TEST_F(WatchTest, HasNoMarkerThatIsTooLongToCarry) {
  for (int i = 0; i < 40; ++i) owners->add(std::string(80, 'x') + std::to_string(i), false);
  see(std::string(80, 'x') + "39", "");
  auto watcher = watch(watching("tenants/-"));
  watcher->state();
  owners->publish("acme", device_event("201"));
  EXPECT_TRUE(watcher->event());
  EXPECT_EQ(watcher->marker, "");
}

TEST_F(WatchTest, RefusesTheWatcherAfterTheLimit) {
  config.limits.watches_max = 1;
  stop();
  start();
  see("acme");
  auto first = watch();
  first->state();
  const auto status = refused(watching());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(info_of(status).metadata().at("kind"), "watches");
  first.reset();  // cancelled: its place is free
  EXPECT_TRUE(eventually([&] {
    auto second = watch();
    return second->next().has_value();
  }));
}

TEST_F(WatchTest, SaysWhatIsWrongWithARequest) {
  EXPECT_EQ(reason_of(refused(watching("tenants/nobody"))), "TENANT_NOT_FOUND");
  EXPECT_EQ(refused(watching("")).error_message(),
            "parent is missing: expected tenants/{tenant} or tenants/-");
  owners->delete_stream();
  EXPECT_EQ(reason_of(refused(watching())), "BUS_UNAVAILABLE");
}

}  // namespace
}  // namespace control
