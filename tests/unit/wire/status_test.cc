#include "wire/status.h"

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "google/rpc/error_details.pb.h"
#include "wire/text.h"

namespace wire {
namespace {

using base::Errc;
using testing::HasSubstr;
using testing::Pair;
using testing::Test;
using testing::UnorderedElementsAre;

class Statuses : public Test {
 protected:
  // The detail of this type; one with nothing in it if there is none.
  template <class Detail>
  static std::optional<Detail> detail_of(const google::rpc::Status& status) {
    for (const auto& any : status.details()) {
      Detail out;
      if (any.UnpackTo(&out)) return out;
    }
    return std::nullopt;
  }
};

// google.rpc.Code.
enum : int { kOk = 0, kNotFound = 5, kFailedPrecondition = 9, kInternal = 13, kUnavailable = 14 };

TEST_F(Statuses, HaveARowForEachErrorThatCallersSee) {
  for (int i = 1; i <= static_cast<int>(Errc::internal); ++i) {
    const auto code = static_cast<Errc>(i);
    EXPECT_EQ(row_of(code).code, code) << base::name_of(code);
  }
}

TEST_F(Statuses, HaveOneReasonEach) {
  std::set<std::string> reasons;
  std::set<Errc> codes;
  for (const auto& row : error_rows()) {
    EXPECT_TRUE(reasons.insert(row.reason).second) << row.reason;
    EXPECT_TRUE(codes.insert(row.code).second) << row.reason;
    EXPECT_TRUE(std::regex_match(row.reason, std::regex("[A-Z][A-Z0-9_]{1,61}[A-Z0-9]")));
    EXPECT_NE(row.grpc_code, kOk);
    EXPECT_NE(*row.advice, '\0');
    // AIP-194: a client may always repeat what was UNAVAILABLE, and must be told when.
    if (row.grpc_code == kUnavailable) {
      EXPECT_TRUE(row.retry_after) << row.reason;
    }
  }
}

TEST_F(Statuses, OfUnknownErrorsAreInternal) {
  EXPECT_EQ(row_of(Errc::config_mismatch).code, Errc::internal);
  EXPECT_EQ(row_of(Errc::login_rejected).code, Errc::internal);
  EXPECT_EQ(row_of(base::Error(5, boost::system::system_category())).code, Errc::internal);
  // The number of a row, but in another category.
  const base::Error other(static_cast<int>(Errc::call_not_found), boost::system::system_category());
  EXPECT_EQ(row_of(other).code, Errc::internal);
  EXPECT_EQ(to_status({.why = other}).code(), kInternal);
}

TEST_F(Statuses, SayWhyInErrorInfo) {
  for (const auto& row : error_rows()) {
    const auto status = to_status({.why = row.code});
    EXPECT_EQ(status.code(), row.grpc_code);
    EXPECT_EQ(status.message(), base::Error(row.code).message());
    const auto info = detail_of<google::rpc::ErrorInfo>(status);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->reason(), row.reason);
    EXPECT_EQ(info->domain(), "pbxgw.dev");
    EXPECT_EQ(detail_of<google::rpc::RetryInfo>(status).has_value(), row.retry_after.has_value());
    EXPECT_EQ(detail_of<google::rpc::PreconditionFailure>(status).has_value(),
              row.grpc_code == kFailedPrecondition);
    EXPECT_FALSE(detail_of<google::rpc::BadRequest>(status));
    EXPECT_FALSE(detail_of<google::rpc::ResourceInfo>(status));
  }
}

TEST_F(Statuses, NameTheField) {
  const auto status = to_status({.why = Errc::invalid_argument,
                                 .detail = "destination is empty",
                                 .field = "destination",
                                 .metadata = {}});
  const auto request = detail_of<google::rpc::BadRequest>(status);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->field_violations(0).field(), "destination");
  EXPECT_EQ(request->field_violations(0).description(), "destination is empty");
  EXPECT_EQ(status.message(), "destination is empty");
}

TEST_F(Statuses, NameTheResource) {
  const std::pair<const char*, const char*> golden[] = {
      {"tenants/acme", "pbxgw.dev/Tenant"},
      {"tenants/acme/calls/c1-1", "pbxgw.dev/Call"},
      {"tenants/acme/devices/201", "pbxgw.dev/Device"},
      {"tenants/acme/connections/c1-1-1", "pbxgw.dev/Connection"}};
  for (const auto& [name, type] : golden) {
    const auto status = to_status(
        {.why = Errc::call_not_found, .detail = "", .field = "", .metadata = {{"resource", name}}});
    EXPECT_EQ(status.code(), kNotFound);
    const auto resource = detail_of<google::rpc::ResourceInfo>(status);
    ASSERT_TRUE(resource);
    EXPECT_EQ(resource->resource_name(), name);
    EXPECT_EQ(resource->resource_type(), type);
  }
}

TEST_F(Statuses, SayWhatWasViolated) {
  const auto status = to_status({.why = Errc::incorrect_state,
                                 .detail = "it is alerting, and must be connected",
                                 .metadata = {{"resource", "tenants/acme/connections/c1-1-1"}}});
  const auto failure = detail_of<google::rpc::PreconditionFailure>(status);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->violations(0).type(), "INCORRECT_CONNECTION_STATE");
  EXPECT_EQ(failure->violations(0).subject(), "tenants/acme/connections/c1-1-1");
  EXPECT_EQ(failure->violations(0).description(), "it is alerting, and must be connected");
}

TEST_F(Statuses, SayWhenToRetry) {
  const auto seconds = detail_of<google::rpc::RetryInfo>(to_status({.why = Errc::owner_moving}));
  ASSERT_TRUE(seconds);
  EXPECT_EQ(seconds->retry_delay().seconds(), 1);
  const auto millis = detail_of<google::rpc::RetryInfo>(to_status({.why = Errc::shutting_down}));
  ASSERT_TRUE(millis);
  EXPECT_EQ(millis->retry_delay().seconds(), 0);
  EXPECT_EQ(millis->retry_delay().nanos(), 100'000'000);
}

TEST_F(Statuses, KeepOnlyMetadataThatMayBe) {
  const auto status = to_status({.why = Errc::internal,

                                 .metadata = {{"stateFound", "hold"},
                                              {"x-y_Z9", "1"},
                                              {"", "empty"},
                                              {"a", "too short"},
                                              {"Upper", "case"},
                                              {"with space", "x"},
                                              {std::string(65, 'a'), "too long"}}});
  EXPECT_THAT(detail_of<google::rpc::ErrorInfo>(status)->metadata(),
              UnorderedElementsAre(Pair("stateFound", "hold"), Pair("x-y_Z9", "1")));
}

TEST_F(Statuses, StaySmallWhateverTheyAreGiven) {
  std::string hostile;
  for (int i = 0; i < 3'000; ++i) hostile += "é\xff";
  Failure failure{.why = {}, .detail = hostile, .field = hostile, .metadata = {}};
  failure.metadata["resource"] = hostile;
  for (char c = 'a'; c < 'z'; ++c) failure.metadata[std::string(64, c)] = hostile;
  for (const auto& row : error_rows()) {
    failure.why = row.code;
    const auto status = to_status(failure);
    std::size_t size = 0;
    for (const auto& detail : status.details()) size += detail.ByteSizeLong();
    EXPECT_LT(size, kDetailsMax) << row.reason;
    EXPECT_LE(status.message().size(), 512u);
    EXPECT_TRUE(is_utf8(status.message()));
    google::rpc::Status parsed;
    ASSERT_TRUE(parsed.ParseFromString(status.SerializeAsString()));
    EXPECT_TRUE(detail_of<google::rpc::ErrorInfo>(parsed));
  }
}

TEST_F(Statuses, AreInTheMarkdownFile) {
  if (std::getenv("PBXGW_WRITE_DOCS")) std::ofstream(ERRORS_DOC) << errors_markdown();
  std::ifstream file(ERRORS_DOC);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), errors_markdown()) << "write it anew, as its first lines tell";
  for (const auto& row : error_rows()) EXPECT_THAT(text.str(), HasSubstr(row.reason));
}

}  // namespace
}  // namespace wire
