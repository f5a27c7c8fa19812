#include "wire/audit.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>

namespace wire {
namespace {

using testing::HasSubstr;

pbxgw::v1::AuditRecord a_record() {
  pbxgw::v1::AuditRecord record;
  record.mutable_time()->set_seconds(1'800'000'000);
  record.set_principal("crm");
  record.set_rpc("pbxgw.v1.CallControl/MakeCall");
  record.set_tenant("tenants/acme");
  record.set_resource("tenants/acme/devices/201");
  record.set_code("OK");
  record.set_admitted(true);
  record.set_instance("control-0.1");
  return record;
}

TEST(Audit, IsAWholeCloudEvent) {
  const std::string bytes = encode_audit(a_record(), "f00d.7");
  pbxgw::v1::JsonAuditEvent event;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(bytes, &event).ok()) << bytes;
  EXPECT_EQ(event.specversion(), "1.0");
  EXPECT_EQ(event.id(), "f00d.7");
  EXPECT_EQ(event.source(), "/pbx/control/control-0_2e1");
  EXPECT_EQ(event.type(), "dev.pbxgw.audit.v1.done");
  EXPECT_EQ(event.subject(), "tenants/acme/devices/201");
  EXPECT_EQ(event.time().seconds(), 1'800'000'000);
  EXPECT_EQ(event.data().SerializeAsString(), a_record().SerializeAsString());
}

TEST(Audit, SaysWhatIsNotKnown) {
  auto record = a_record();
  record.clear_principal();
  record.clear_resource();
  record.set_tenant("tenants/-");
  record.set_admitted(false);
  const std::string bytes = encode_audit(record, "1");
  EXPECT_THAT(bytes, HasSubstr("\"principal\":\"\""));
  EXPECT_THAT(bytes, HasSubstr("\"admitted\":false"));
  EXPECT_THAT(bytes, HasSubstr("\"subject\":\"tenants/-\""));
}

TEST(Audit, TellsHowItEnded) {
  auto record = a_record();
  EXPECT_STREQ(outcome_of(record), "done");
  record.set_begun(true);
  EXPECT_STREQ(outcome_of(record), "begun");
  record.set_begun(false);
  record.set_code("NOT_FOUND");
  EXPECT_STREQ(outcome_of(record), "failed");
  record.set_admitted(false);
  EXPECT_STREQ(outcome_of(record), "refused");
}

}  // namespace
}  // namespace wire
