#include "wire/names.h"

#include <gmock/gmock.h>

#include "call/model.h"
#include "wire/chance.h"
#include "wire/token.h"

namespace wire {
namespace {

using base::CallId;
using base::DeviceId;
using base::Errc;
using base::TenantId;
using testing::Test;

class Names : public Test {
 protected:
  const TenantId acme_{"acme"};
};

TEST_F(Names, ReadAsInTheProtos) {
  EXPECT_EQ(tenant_name(acme_), "tenants/acme");
  EXPECT_EQ(capabilities_name(acme_), "tenants/acme/capabilities");
  EXPECT_EQ(call_name(acme_, CallId("c12-7")), "tenants/acme/calls/c12-7");
  EXPECT_EQ(device_name(acme_, DeviceId("*97")), "tenants/acme/devices/_2a97");
  EXPECT_EQ(connection_name(acme_, CallId("c12-7"), 2), "tenants/acme/connections/c12-7-2");
}

TEST_F(Names, OfConnectionsEndInTheirIds) {
  for (const char* call : {"c1-1", "", "a b", "x-"}) {
    EXPECT_EQ(connection_name(acme_, CallId(call), 31),
              "tenants/acme/connections/" + to_token(call::connection_id(CallId(call), 31)));
  }
}

TEST_F(Names, ComeBackForAnyIds) {
  Chance chance(3);
  for (int i = 0; i < 5'000; ++i) {
    const TenantId tenant(chance.bytes(8));
    const auto id = chance.bytes(8);
    const unsigned number = chance.below(1'000'000) + 1;
    ASSERT_EQ(parse_tenant(tenant_name(tenant)).value(), tenant);
    ASSERT_EQ(parse_capabilities(capabilities_name(tenant)).value(), tenant);
    const auto call = parse_call(call_name(tenant, CallId(id))).value();
    ASSERT_EQ(call.tenant, tenant);
    ASSERT_EQ(call.call.str(), id);
    const auto device = parse_device(device_name(tenant, DeviceId(id))).value();
    ASSERT_EQ(device.tenant, tenant);
    ASSERT_EQ(device.device.str(), id);
    const auto user = chance.bytes(8);
    const auto token = parse_user_token(user_token_name(tenant, user, id)).value();
    ASSERT_EQ(token.tenant, tenant);
    ASSERT_EQ(token.user, user);
    ASSERT_EQ(token.id, id);
    ASSERT_EQ(parse_phone(phone_name(tenant, id)).value().id, id);
    ASSERT_EQ(parse_user(user_name(tenant, id)).value().id, id);
    ASSERT_EQ(parse_agent(agent_name(tenant, id)).value().id, id);
    const auto connection = parse_connection(connection_name(tenant, CallId(id), number)).value();
    ASSERT_EQ(connection.tenant, tenant);
    ASSERT_EQ(connection.call.str(), id);
    ASSERT_EQ(connection.number, number);
  }
}

TEST_F(Names, OfAnotherFormAreRefused) {
  for (const char* name : {"", "acme", "tenants", "tenants/", "tenants/a.b", "tenants/acme/",
                           "/tenants/acme", "tenants/acme/calls", "Tenants/acme"}) {
    EXPECT_EQ(parse_tenant(name).error(), Errc::invalid_argument) << name;
  }
  for (const char* name : {"", "tenants/acme", "tenants/acme/calls/", "tenants/acme/calls/c1-1/",
                           "tenants//calls/c1-1", "tenants/acme/devices/c1-1",
                           "tenants/acme/calls/c1-1/x", "tenants/acme/calls/c 1"}) {
    EXPECT_EQ(parse_call(name).error(), Errc::invalid_argument) << name;
  }
  EXPECT_EQ(parse_device("tenants/acme/calls/c1-1").error(), Errc::invalid_argument);
  EXPECT_EQ(parse_capabilities("tenants/acme").error(), Errc::invalid_argument);
  for (const char* id : {"c1", "c1-", "c1-x", "c1-1-0", "c1-1-01", "c1-1-+1", "c1-1-99999999999",
                         "c1-1--1x", "_2d1x"}) {
    EXPECT_EQ(parse_connection(std::string("tenants/acme/connections/") + id).error(),
              Errc::invalid_argument)
        << id;
  }
}

}  // namespace
}  // namespace wire
