#include "control/event_filter.h"

#include <gmock/gmock.h>

namespace control {
namespace {

using namespace pbxgw::v1;

WatchRequest watching(const std::string& parent = "tenants/acme") {
  WatchRequest request;
  request.set_parent(parent);
  return request;
}

Event call_event(CallEventType type, const std::vector<std::string>& devices) {
  Event event;
  event.mutable_call_event()->set_type(type);
  for (const auto& id : devices) {
    event.mutable_call_event()->mutable_call()->add_connections()->mutable_party()->set_device_id(
        id);
  }
  return event;
}

Event device_event(const std::string& device) {
  Event event;
  event.mutable_device_event()->mutable_device()->set_device_id(device);
  return event;
}

TEST(EventFilter, SaysWhatIsWrong) {
  const auto said = [](WatchRequest request) {
    const auto failure = EventFilter::check(request);
    return failure ? failure->detail : "nothing";
  };
  EXPECT_EQ(said(watching()), "nothing");
  EXPECT_EQ(said(watching("tenants/-")), "nothing");
  EXPECT_EQ(said(watching("")), "parent is missing: expected tenants/{tenant} or tenants/-");
  EXPECT_EQ(said(watching("acme")),
            "parent \"acme\" is not of the form tenants/{tenant} or tenants/-");
  auto request = watching();
  for (int i = 0; i < 100; ++i) request.add_device_ids(std::to_string(i));
  EXPECT_EQ(said(request), "nothing");
  request.add_device_ids("100");
  EXPECT_EQ(said(request), "device_ids has too many entries: expected at most 100");
  request = watching();
  request.add_device_ids("");
  EXPECT_EQ(said(request), "device_ids has an empty entry: give device ids, or no list");
  request = watching();
  request.add_classes(EVENT_CLASS_UNSPECIFIED);
  EXPECT_EQ(said(request), "classes \"0\" is unspecified or unknown: expected an EventClass");
  request = watching();
  request.add_call_event_types(static_cast<CallEventType>(77));
  EXPECT_EQ(said(request),
            "call_event_types \"77\" is unspecified or unknown: expected a CallEventType");
}

TEST(EventFilter, LetsEverythingThroughWithoutFilters) {
  const EventFilter filter(watching());
  EXPECT_TRUE(filter.passes(call_event(CALL_EVENT_TYPE_HELD, {"201"})));
  EXPECT_TRUE(filter.passes(device_event("201")));
  EXPECT_TRUE(filter.wants_calls() && filter.wants_devices());
  EXPECT_EQ(filter.only_device(), "");
}

TEST(EventFilter, NarrowsByDeviceClassAndType) {
  auto request = watching();
  request.add_device_ids("201");
  request.add_classes(EVENT_CLASS_CALL);
  request.add_call_event_types(CALL_EVENT_TYPE_ESTABLISHED);
  const EventFilter filter(request);
  EXPECT_TRUE(filter.passes(call_event(CALL_EVENT_TYPE_ESTABLISHED, {"202", "201"})));
  EXPECT_FALSE(filter.passes(call_event(CALL_EVENT_TYPE_ESTABLISHED, {"202"})));
  EXPECT_FALSE(filter.passes(call_event(CALL_EVENT_TYPE_HELD, {"201"})));
  EXPECT_FALSE(filter.passes(device_event("201")));
  EXPECT_FALSE(filter.wants_devices());
  EXPECT_EQ(filter.only_device(), "201");
  Event link;
  link.mutable_link_event();
  EXPECT_FALSE(filter.passes(link));
}

TEST(EventFilter, AlwaysLetsGapsThrough) {
  auto request = watching();
  request.add_device_ids("201");
  request.add_classes(EVENT_CLASS_DEVICE);
  Event gap;
  gap.mutable_stream_gap();
  EXPECT_TRUE(EventFilter(request).passes(gap));
}

TEST(EventFilter, IsEqualForEqualFilters) {
  auto one = watching();
  one.add_device_ids("1");
  one.add_device_ids("2");
  auto other = watching();
  other.add_device_ids("2");
  other.add_device_ids("1");
  other.add_device_ids("2");
  other.set_skip_snapshot(true);
  EXPECT_EQ(EventFilter(one).canonical(), EventFilter(other).canonical());
  other.add_classes(EVENT_CLASS_CALL);
  EXPECT_NE(EventFilter(one).canonical(), EventFilter(other).canonical());
  EXPECT_NE(EventFilter(watching()).canonical(), EventFilter(watching("tenants/-")).canonical());
  auto by_class = watching(), by_type = watching();
  by_class.add_classes(EVENT_CLASS_CALL);
  by_type.add_call_event_types(CALL_EVENT_TYPE_SERVICE_INITIATED);
  EXPECT_NE(EventFilter(by_class).canonical(), EventFilter(by_type).canonical());
}

}  // namespace
}  // namespace control
