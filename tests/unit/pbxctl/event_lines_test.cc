#include "pbxctl/event_lines.h"

#include <gmock/gmock.h>

#include "pbxctl/fake_control.h"

namespace pbxctl {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Test;
using namespace std::chrono_literals;

const Time kTime{std::chrono::seconds(kNow)};

class Lines : public Test {
 protected:
  EventLines lines{Style(false), true};

  static v1::Event event(int seconds = 0) {
    v1::Event out;
    out.set_tenant("tenants/acme");
    out.set_epoch(1);
    out.set_sequence(1);
    out.set_origin(v1::ORIGIN_LIVE);
    out.mutable_receive_time()->set_seconds(kNow + seconds);
    out.mutable_receive_time()->set_nanos(250'000'000);
    return out;
  }
  static v1::Connection ana(v1::ConnectionState state) {
    return connection("c1-7-1", "201", "Ana Pérez", v1::ROLE_CALLING, state);
  }
  static v1::Connection ben(v1::ConnectionState state) {
    return connection("c1-7-2", "202", "Ben", v1::ROLE_CALLED, state);
  }
  static v1::Event call_event(v1::CallEventType type, const v1::Call& call,
                              const v1::Connection& of, int seconds = 0) {
    v1::Event out = event(seconds);
    auto& it = *out.mutable_call_event();
    it.set_type(type);
    *it.mutable_call() = call;
    it.set_connection(of.name());
    it.set_cause(v1::CAUSE_NORMAL);
    return out;
  }
  static v1::Event device_event(v1::DeviceEventType type) {
    v1::Event out = event();
    out.mutable_device_event()->set_type(type);
    auto& device = *out.mutable_device_event()->mutable_device();
    device.set_name("tenants/acme/devices/201");
    device.set_device_id("201");
    device.set_display_name("Ana Pérez");
    return out;
  }
};

TEST_F(Lines, TellACallFromBeginningToEnd) {
  using namespace v1;
  const auto rings = CONNECTION_STATE_ALERTING, talks = CONNECTION_STATE_CONNECTED,
             gone = CONNECTION_STATE_NULL;
  std::string text;
  v1::Call begun = call_of("c1-7", {ana(talks)});
  begun.set_dialled_number("202");
  text += lines.of(call_event(CALL_EVENT_TYPE_ORIGINATED, begun, ana(talks), 0));
  text += lines.of(call_event(CALL_EVENT_TYPE_DELIVERED, call_of("c1-7", {ana(talks), ben(rings)}),
                              ben(rings), 1));
  text += lines.of(call_event(CALL_EVENT_TYPE_ESTABLISHED,
                              call_of("c1-7", {ana(talks), ben(talks)}), ben(talks), 4));
  text += lines.of(call_event(CALL_EVENT_TYPE_HELD,
                              call_of("c1-7", {ana(CONNECTION_STATE_HOLD), ben(talks)}),
                              ana(CONNECTION_STATE_HOLD), 6));
  text += lines.of(call_event(CALL_EVENT_TYPE_CONNECTION_CLEARED,
                              call_of("c1-7", {ana(talks), ben(gone)}), ben(gone), 16));
  text += lines.of(
      call_event(CALL_EVENT_TYPE_CONNECTION_CLEARED, call_of("c1-7", {ana(gone)}), ana(gone), 16));
  text += lines.of(call_event(CALL_EVENT_TYPE_CALL_CLEARED, call_of("c1-7", {}), {}, 16));
  EXPECT_EQ(
      text,
      R"(12:00:00.250  acme  originated          201 Ana Pérez → 202               201 connected           c1-7
12:00:01.250  acme  delivered           201 Ana Pérez → 202 Ben           202 alerting            c1-7
12:00:04.250  acme  established         201 Ana Pérez → 202 Ben           202 connected           c1-7
12:00:06.250  acme  held                201 Ana Pérez → 202 Ben           201 hold                c1-7
12:00:16.250  acme  connection-cleared  201 Ana Pérez → 202 Ben           202 null                c1-7
12:00:16.250  acme  connection-cleared  201 Ana Pérez → 202 Ben           201 null                c1-7
12:00:16.250  acme  call-cleared        201 Ana Pérez → 202 Ben                                   c1-7     talked 12s
)");
}

TEST_F(Lines, HaveAFormForEachTypeOfCallEvent) {
  const auto state = v1::CONNECTION_STATE_CONNECTED;
  for (const auto& text : words<v1::CallEventType>()) {
    const auto type = value_of<v1::CallEventType>(text);
    EXPECT_EQ(lines.of(call_event(type, call_of("c1-7", {ana(state), ben(state)}), ben(state))),
              "12:00:00.250  acme  " + text + std::string(20 - text.size(), ' ') +
                  "201 Ana Pérez → 202 Ben           202 connected           c1-7" +
                  // Of all, only this one has been established, on the way here.
                  (text == "call-cleared" ? "     talked 0s\n" : "\n"));
  }
}

TEST_F(Lines, HaveAFormForEachTypeOfDeviceEvent) {
  const auto line = [&](v1::DeviceEventType type, auto&& set) {
    v1::Event event = device_event(type);
    set(*event.mutable_device_event()->mutable_device());
    const std::string text = lines.of(event);
    const std::string front = "12:00:00.250  acme  " + word(type);
    EXPECT_EQ(text.substr(0, front.size()), front);
    EXPECT_THAT(text.substr(40), testing::StartsWith("201 Ana Pérez"));
    const auto at = text.find_first_not_of(' ', 40 + std::string("201 Ana Pérez").size());
    return text.substr(at, text.size() - at - 1);
  };
  const auto nothing = [](v1::Device&) {};
  using namespace v1;
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_ADDED, nothing), "");
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_REMOVED, nothing), "");
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_BACK_IN_SERVICE, nothing), "");
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_OUT_OF_SERVICE, nothing), "");
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_ACTIVITY_CHANGED,
                 [](Device& it) { it.set_activity(ACTIVITY_BUSY_AND_RINGING); }),
            "busy-and-ringing");
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_DO_NOT_DISTURB, [](Device& it) { it.set_do_not_disturb(true); }),
            "on");
  EXPECT_EQ(
      line(DEVICE_EVENT_TYPE_DO_NOT_DISTURB, [](Device& it) { it.set_do_not_disturb(false); }),
      "off");
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_FORWARDING,
                 [](Device& it) {
                   it.add_forwardings()->set_type(FORWARDING_TYPE_NO_ANSWER);
                   it.mutable_forwardings(0)->set_destination("203");
                 }),
            "→ 203 (no-answer)");
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_FORWARDING, nothing), "off");
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_PRESENCE_STATE, [](Device& it) { it.set_presence("away"); }),
            "away");
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_AGENT_STATE,
                 [](Device& it) {
                   it.set_agent_state(AGENT_STATE_NOT_READY);
                   it.set_agent_reason("lunch");
                 }),
            "not-ready: lunch");
  EXPECT_EQ(line(DEVICE_EVENT_TYPE_INFORMATION, [](Device& it) { it.set_controllable(true); }),
            "controllable");
}

TEST_F(Lines, TellAboutTheLink) {
  v1::Event it = event();
  auto& status = *it.mutable_link_event()->mutable_status();
  status.set_state(v1::LINK_STATE_UP);
  EXPECT_EQ(lines.of(it), "12:00:00.250  acme  link up\n");
  status.set_state(v1::LINK_STATE_BACKING_OFF);
  status.set_reason(v1::LINK_REASON_CONNECT_FAILED);
  status.set_detail("refused");
  status.mutable_retry_time()->set_seconds(kNow + 5);
  EXPECT_EQ(lines.of(it),
            "12:00:00.250  acme  link backing-off    connect-failed: refused; next try "
            "12:00:05.000\n");
}

TEST_F(Lines, TellWhatWasLost) {
  v1::Event it = event();
  auto& gap = *it.mutable_stream_gap();
  gap.set_first_sequence(5);
  gap.set_last_sequence(16);
  gap.mutable_start_time()->set_seconds(kNow - 60);
  gap.mutable_end_time()->set_seconds(kNow - 50);
  gap.set_reason("outbox_full");
  const std::string text = lines.of(it);
  EXPECT_THAT(text, HasSubstr("gap                 12 events lost: outbox_full "));
  EXPECT_THAT(text, EndsWith("from 11:59:00.000 to 11:59:10.000\n"));
}

TEST_F(Lines, AdmitNotToKnowAnEvent) {
  EXPECT_THAT(lines.of(event()), HasSubstr("unknown             this pbxctl is older"));
}

TEST_F(Lines, SayWhyIfItIsNotAsUsualAndHowItIsKnown) {
  const auto state = v1::CONNECTION_STATE_FAIL;
  auto it = call_event(v1::CALL_EVENT_TYPE_FAILED, call_of("c1-7", {ana(state)}), ana(state));
  it.mutable_call_event()->set_cause(v1::CAUSE_BUSY);
  it.mutable_call_event()->mutable_vendor_cause()->set_text("User\x1b busy");
  EXPECT_THAT(lines.of(it), EndsWith("  busy: User\uFFFD busy\n"));
  it.set_origin(v1::ORIGIN_RESYNC);
  EXPECT_THAT(lines.of(it), EndsWith("  busy: User\uFFFD busy  (resync)\n"));
  it.mutable_call_event()->set_inferred(true);
  EXPECT_THAT(lines.of(it), EndsWith("  busy: User\uFFFD busy  (resync) (inferred)\n"));
  it.mutable_call_event()->mutable_other_party()->set_device_id("203");
  EXPECT_THAT(lines.of(it), HasSubstr("  busy: User\uFFFD busy, to 203  (resync)"));
}

TEST_F(Lines, SayWhenACallWasNotAnswered) {
  const auto state = v1::CONNECTION_STATE_ALERTING;
  lines.of(call_event(v1::CALL_EVENT_TYPE_DELIVERED, call_of("c1-7", {ana(state)}), ana(state)));
  auto end = call_event(v1::CALL_EVENT_TYPE_CALL_CLEARED, call_of("c1-7", {}), {}, 9);
  end.mutable_call_event()->set_cause(v1::CAUSE_CALL_NOT_ANSWERED);
  EXPECT_THAT(lines.of(end), EndsWith("  call-not-answered, not answered\n"));
  // Of a call whose beginning was not seen there is nothing to say; nor if events are filtered out.
  EXPECT_THAT(lines.of(end), EndsWith("  call-not-answered\n"));
  EventLines filtered(Style(false), false);
  filtered.of(call_event(v1::CALL_EVENT_TYPE_DELIVERED, call_of("c1-7", {ana(state)}), ana(state)));
  EXPECT_THAT(filtered.of(end), EndsWith("  call-not-answered\n"));
}

TEST_F(Lines, TellWhatThereIsFirst) {
  v1::Snapshot snapshot;
  snapshot.mutable_tenant()->set_name("tenants/acme");
  auto& link = *snapshot.mutable_tenant()->mutable_link();
  link.set_state(v1::LINK_STATE_UP);
  link.mutable_state_time()->set_seconds(kNow - 300);
  const auto talks = v1::CONNECTION_STATE_CONNECTED;
  *snapshot.add_calls() = call_of("c1-7", {ana(talks), ben(talks)});
  snapshot.add_devices();
  v1::Snapshot more = snapshot;
  more.clear_calls();
  v1::Snapshot other;
  other.mutable_tenant()->set_name("tenants/globex");
  other.set_unreachable(true);
  std::string text = lines.of(snapshot, kTime);
  text += lines.of(more, kTime);
  text += lines.of(other, kTime);
  text += lines.of(v1::SnapshotComplete(), kTime);
  EXPECT_EQ(text,
            R"(12:00:00.000  acme  link up             for 5m00s
12:00:00.000  acme  is there            201 Ana Pérez → 202 Ben           connected               c1-7     for 1m15s
12:00:00.000  globex  unreachable         its state follows as events
12:00:00.000  -- 2 devices and 1 call now; changes from here on
)");
  // Since when they talk is the last change that the state shows.
  EXPECT_THAT(lines.of(call_event(v1::CALL_EVENT_TYPE_CALL_CLEARED, call_of("c1-7", {}), {}, 20)),
              EndsWith("  talked about 30s\n"));
}

TEST_F(Lines, RememberOnlySoManyCalls) {
  const auto talks = v1::CONNECTION_STATE_CONNECTED;
  for (std::size_t i = 0; i <= EventLines::kCallsMax; ++i) {
    const auto call = call_of("c1-" + std::to_string(i), {ana(talks), ben(talks)});
    lines.of(call_event(v1::CALL_EVENT_TYPE_ESTABLISHED, call, ben(talks)));
  }
  const auto end_of = [&](std::size_t number) {
    return lines.of(call_event(v1::CALL_EVENT_TYPE_CALL_CLEARED,
                               call_of("c1-" + std::to_string(number), {}), {}, 12));
  };
  const std::string beyond = end_of(EventLines::kCallsMax);
  EXPECT_THAT(beyond, testing::Not(HasSubstr("Ana")));
  EXPECT_THAT(end_of(0), AllOf(HasSubstr("Ana"), EndsWith("talked 12s\n")));
}

TEST_F(Lines, AreColoredByWhatHappened) {
  EventLines colored(Style(true), true);
  const auto state = v1::CONNECTION_STATE_CONNECTED;
  const std::string text = colored.of(call_event(
      v1::CALL_EVENT_TYPE_ESTABLISHED, call_of("c1-7", {ana(state), ben(state)}), ben(state)));
  EXPECT_THAT(text,
              AllOf(HasSubstr("\x1b[2m12:00:00.250\x1b[0m  acme  \x1b[32mestablished\x1b[0m "),
                    EndsWith("\x1b[2mc1-7\x1b[0m\n")));
}

}  // namespace
}  // namespace pbxctl
