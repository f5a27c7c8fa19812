#include <random>

#include "unit/control/control_fixture.h"

namespace control {
namespace {

using namespace pbxgw::v1;
using testing::ElementsAre;
using testing::IsEmpty;

struct ListingTest : ControlFixture {
  std::map<std::string, std::vector<std::string>> truth;  // names of calls by tenant

  ListingTest() { make_owners(); }

  void add(const std::string& tenant, int calls, int page_max = 1'000) {
    owners->add(tenant);
    owners->with(tenant, [&](ScriptedOwners::Tenant& it) {
      it.page_max = page_max;
      for (int i = 0; i < calls; ++i) {
        const auto id = "c1-" + std::to_string(i);
        it.calls[id] = a_call(tenant, id, {i % 2 ? "201" : "202"});
      }
      truth[tenant].clear();
      for (const auto& [id, call] : it.calls) truth[tenant].push_back(call.name());
    });
  }
  std::vector<std::string> all() const {
    std::vector<std::string> names;
    for (const auto& [tenant, calls] : truth) names.insert(names.end(), calls.begin(), calls.end());
    return names;
  }

  grpc::Status list(const ListCallsRequest& request, ListCallsResponse& response) {
    return call<Calls>(&Calls::Stub::ListCalls, request, response);
  }
  // All pages.
  std::vector<std::string> list_all(ListCallsRequest request) {
    std::vector<std::string> names;
    for (;;) {
      ListCallsResponse response;
      const auto status = list(request, response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      const int most = request.page_size() == 0 ? 100 : request.page_size();
      EXPECT_LE(response.calls_size(), most);
      for (const auto& call : response.calls()) names.push_back(call.name());
      request.set_page_token(response.next_page_token());
      if (!status.ok() || response.next_page_token().empty()) return names;
    }
  }
};

TEST_F(ListingTest, GivesEverythingExactlyOnceWhateverThePageSize) {
  add("acme", 37);
  add("beta", 0);
  add("gamma", 3);
  add("delta", 60, 7);  // an owner that gives less than asked for
  add("omega", 1);
  start();
  std::mt19937 random(5);
  for (int i = 0; i < 12; ++i) {
    for (const auto& [id, calls] : truth) see(id);  // as its owner does, or it counts as gone
    ListCallsRequest request;
    request.set_page_size(static_cast<int>(random() % 45));
    SCOPED_TRACE(request.page_size());
    request.set_parent("tenants/-");
    EXPECT_EQ(list_all(request), all());
    request.set_parent("tenants/delta");
    EXPECT_EQ(list_all(request), truth["delta"]);
  }
}

TEST_F(ListingTest, NamesTheTenantsThatCouldNotBeAsked) {
  add("acme", 2);
  add("beta", 2);
  add("gamma", 2);
  start();
  for (const auto& [id, calls] : truth) see(id);
  owners->disown("beta");
  see("beta", "");
  ListCallsRequest request;
  request.set_parent("tenants/-");
  ListCallsResponse response;
  ASSERT_TRUE(list(request, response).ok());
  EXPECT_THAT(response.unreachable(), ElementsAre("tenants/beta"));
  EXPECT_EQ(response.calls_size(), 4);
  EXPECT_EQ(response.next_page_token(), "");

  request.set_parent("tenants/beta");
  EXPECT_EQ(reason_of(list(request, response)), "OWNER_MOVING");
}

TEST_F(ListingTest, DoesNotWaitLongForOneTenantOfMany) {
  add("acme", 2);
  add("beta", 2);
  owners->with("acme", [](ScriptedOwners::Tenant& it) { it.silent = true; });
  start();
  see("acme");
  see("beta");
  ListCallsRequest request;
  request.set_parent("tenants/-");
  ListCallsResponse response;
  ASSERT_TRUE(list(request, response).ok());
  EXPECT_THAT(response.unreachable(), ElementsAre("tenants/acme"));
  EXPECT_EQ(response.calls_size(), 2);
}

TEST_F(ListingTest, TakesATokenOnlyWithTheSameArguments) {
  add("acme", 5);
  start();
  see("acme");
  ListCallsRequest request;
  request.set_parent("tenants/acme");
  request.set_page_size(2);
  ListCallsResponse response;
  ASSERT_TRUE(list(request, response).ok());
  const std::string token = response.next_page_token();
  request.set_page_token(token);

  auto other = request;
  other.set_device_id("201");
  EXPECT_EQ(reason_of(list(other, response)), "PAGE_TOKEN_INVALID");
  other = request;
  other.set_parent("tenants/-");
  EXPECT_EQ(reason_of(list(other, response)), "PAGE_TOKEN_INVALID");
  other = request;
  other.set_page_token("made up");
  const auto status = list(other, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(info_of(status).metadata().at("field"), "page_token");
  ListDevicesRequest devices;
  devices.set_parent("tenants/acme");
  devices.set_page_token(token);
  ListDevicesResponse none;
  EXPECT_EQ(reason_of(call<Devices>(&Devices::Stub::ListDevices, devices, none)),
            "PAGE_TOKEN_INVALID");
  // Another size is no other list.
  other = request;
  other.set_page_size(1'000);
  ASSERT_TRUE(list(other, response).ok());
  EXPECT_EQ(response.calls_size(), 3);
}

TEST_F(ListingTest, SaysWhatIsWrongWithARequest) {
  add("acme", 1);
  start();
  see("acme");
  ListCallsRequest request;
  ListCallsResponse response;
  EXPECT_EQ(list(request, response).error_message(),
            "parent is missing: expected tenants/{tenant} or tenants/-");
  request.set_parent("acme");
  EXPECT_EQ(list(request, response).error_message(),
            "parent \"acme\" is not of the form tenants/{tenant} or tenants/-");
  request.set_parent("tenants/acme");
  request.set_page_size(-1);
  EXPECT_EQ(list(request, response).error_message(),
            "page_size \"-1\" is negative: expected 0 to 1000");
  request.set_parent("tenants/nobody");
  request.set_page_size(0);
  EXPECT_EQ(reason_of(list(request, response)), "TENANT_NOT_FOUND");
}

TEST_F(ListingTest, NarrowsCallsByDevice) {
  add("acme", 5);
  start();
  see("acme");
  ListCallsRequest request;
  request.set_parent("tenants/acme");
  request.set_device_id("201");
  EXPECT_THAT(list_all(request), ElementsAre("tenants/acme/calls/c1-1", "tenants/acme/calls/c1-3"));
  request.set_device_id("999");
  EXPECT_THAT(list_all(request), IsEmpty());
}

TEST_F(ListingTest, FindsOneCallAndOneDevice) {
  add("acme", 3);
  owners->with("acme", [](ScriptedOwners::Tenant& it) {
    it.devices["line #1"] = a_device("acme", "line #1");
  });
  start();
  see("acme");
  GetCallRequest call_request;
  call_request.set_name("tenants/acme/calls/c1-2");
  GetCallResponse found;
  ASSERT_TRUE(call<Calls>(&Calls::Stub::GetCall, call_request, found).ok());
  EXPECT_EQ(found.call().name(), call_request.name());
  call_request.set_name("tenants/acme/calls/c1-7");
  EXPECT_EQ(reason_of(call<Calls>(&Calls::Stub::GetCall, call_request, found)), "CALL_NOT_FOUND");

  GetDeviceRequest device_request;
  device_request.set_name("tenants/acme/devices/line_20_231");
  GetDeviceResponse device;
  ASSERT_TRUE(call<Devices>(&Devices::Stub::GetDevice, device_request, device).ok());
  EXPECT_EQ(device.device().device_id(), "line #1");
  device_request.set_name("tenants/acme/devices/202");
  EXPECT_EQ(reason_of(call<Devices>(&Devices::Stub::GetDevice, device_request, device)),
            "DEVICE_NOT_FOUND");
}

TEST_F(ListingTest, PagesTenants) {
  for (const char* id : {"c", "a", "b"}) add(id, 0);
  start();
  for (const char* id : {"c", "a", "b"}) see(id);
  ListTenantsRequest request;
  request.set_page_size(2);
  ListTenantsResponse response;
  ASSERT_TRUE(call<Tenants>(&Tenants::Stub::ListTenants, request, response).ok());
  ASSERT_EQ(response.tenants_size(), 2);
  EXPECT_EQ(response.tenants(0).name(), "tenants/a");
  request.set_page_token(response.next_page_token());
  ASSERT_TRUE(call<Tenants>(&Tenants::Stub::ListTenants, request, response).ok());
  ASSERT_EQ(response.tenants_size(), 1);
  EXPECT_EQ(response.tenants(0).name(), "tenants/c");
  EXPECT_EQ(response.next_page_token(), "");
  request.set_page_token("x");
  EXPECT_EQ(reason_of(call<Tenants>(&Tenants::Stub::ListTenants, request, response)),
            "PAGE_TOKEN_INVALID");
}

}  // namespace
}  // namespace control
