#include "pbxctl/failure.h"

#include <sstream>

#include <gmock/gmock.h>

#include "pbxctl/fake_control.h"

namespace pbxctl {
namespace {

using base::Errc;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using testing::Test;

class Failures : public Test {
 protected:
  static Failure failure_of(const grpc::Status& status) {
    return to_failure(status, "pbx.test:7443", "10s");
  }
  static std::string text_of(const Failure& failure, bool json = false) {
    std::ostringstream out;
    print(failure, json, out);
    return out.str();
  }
};

// A new error of the service needs a row here: what scripts see of it is a decision.
struct Row {
  const char* reason;
  ExitCode code;
};
constexpr Row kRows[] = {
    {"INVALID_FIELD", ExitCode::usage},
    {"TENANT_NOT_FOUND", ExitCode::not_found},
    {"DEVICE_NOT_FOUND", ExitCode::not_found},
    {"CALL_NOT_FOUND", ExitCode::not_found},
    {"RECORDING_NOT_FOUND", ExitCode::not_found},
    {"RESOURCE_NOT_FOUND", ExitCode::not_found},
    {"RESOURCE_EXISTS", ExitCode::not_possible},
    {"CONNECTION_NOT_FOUND", ExitCode::not_found},
    {"FEATURE_NOT_SUPPORTED", ExitCode::not_possible},
    {"INCORRECT_CONNECTION_STATE", ExitCode::not_possible},
    {"DEVICE_CREDENTIALS_MISSING", ExitCode::not_possible},
    {"DEVICE_CREDENTIALS_REFUSED", ExitCode::not_possible},
    {"DEVICE_OUT_OF_SERVICE", ExitCode::not_possible},
    {"REQUEST_ID_REUSED", ExitCode::usage},
    {"CHALLENGE_USED", ExitCode::not_possible},
    {"CREDENTIALS_REQUIRED", ExitCode::refused},
    {"CREDENTIALS_INVALID", ExitCode::refused},
    {"CREDENTIALS_EXPIRED", ExitCode::refused},
    {"ACCESS_DENIED", ExitCode::refused},
    {"RATE_LIMITED", ExitCode::exhausted},
    {"PAGE_TOKEN_INVALID", ExitCode::usage},
    {"RESUME_MARKER_INVALID", ExitCode::usage},
    {"RESUME_MARKER_EXPIRED", ExitCode::not_possible},
    {"WATCHER_TOO_SLOW", ExitCode::exhausted},
    {"PERMISSION_DENIED", ExitCode::refused},
    {"OWNER_MOVING", ExitCode::unavailable},
    {"PBX_DISCONNECTED", ExitCode::unavailable},
    {"SHUTTING_DOWN", ExitCode::unavailable},
    {"BUS_UNAVAILABLE", ExitCode::unavailable},
    {"PERFORMANCE_LIMIT_EXCEEDED", ExitCode::exhausted},
    {"VENDOR_ERROR", ExitCode::refused},
    {"EFFECT_NOT_SEEN", ExitCode::unknown_outcome},
    {"OUTCOME_UNKNOWN", ExitCode::unknown_outcome},
    {"INTERNAL_ERROR", ExitCode::other},
    {"TIMED_OUT", ExitCode::unknown_outcome},
    {"MESSAGE_TOO_BIG", ExitCode::exhausted},
    {"OVERLOADED", ExitCode::exhausted},
};

TEST_F(Failures, HaveAStatusForEachReason) {
  ASSERT_EQ(std::size(kRows), wire::error_rows().size());
  for (const auto& row : wire::error_rows()) {
    const auto* found = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& it) {
      return std::string_view(it.reason) == row.reason;
    });
    ASSERT_NE(found, std::end(kRows)) << row.reason;
    const auto failure = failure_of(error(row.code, "It went wrong."));
    EXPECT_EQ(failure.code, found->code) << row.reason;
    EXPECT_EQ(failure.message, "It went wrong.");
    EXPECT_THAT(failure.hints.front(), StartsWith(std::string("reason: ") + row.reason + " ("));
    EXPECT_EQ(failure.hints.back(), row.advice);
    EXPECT_EQ(reason_of(error(row.code, "")), row.reason);
  }
}

TEST_F(Failures, HaveAStatusForEachCodeThatComesWithoutAReason) {
  const auto code_of = [](grpc::StatusCode code) {
    return failure_of(grpc::Status(code, "hm")).code;
  };
  EXPECT_EQ(code_of(grpc::UNAUTHENTICATED), ExitCode::refused);
  EXPECT_EQ(code_of(grpc::CANCELLED), ExitCode::unknown_outcome);
  EXPECT_EQ(code_of(grpc::UNIMPLEMENTED), ExitCode::not_possible);
  EXPECT_EQ(code_of(grpc::DATA_LOSS), ExitCode::other);
}

TEST_F(Failures, NameTheFieldsThatAreWrong) {
  const auto failure =
      failure_of(error(Errc::invalid_argument, "It has letters in it.", "destination"));
  EXPECT_EQ(text_of(failure),
            "pbxctl: It has letters in it.\n"
            "  reason: INVALID_FIELD (INVALID_ARGUMENT)\n"
            "  field destination: It has letters in it.\n"
            "  Correct the field that BadRequest names.\n");
}

TEST_F(Failures, SayWhenToTryAgain) {
  EXPECT_THAT(failure_of(error(Errc::pbx_disconnected, "The link is down.")).hints,
              Contains("retry: in 5 s"));
  EXPECT_THAT(failure_of(error(Errc::shutting_down, "Draining.")).hints,
              Contains("retry: in 100 ms"));
}

TEST_F(Failures, NameTheAddressThatCannotBeReached) {
  const auto failure = failure_of(grpc::Status(
      grpc::UNAVAILABLE,
      "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7443: Failed to "
      "connect to remote host: Connection refused"));
  EXPECT_EQ(failure.code, ExitCode::unavailable);
  EXPECT_EQ(text_of(failure),
            "pbxctl: cannot reach the control service at pbx.test:7443: Connection refused\n"
            "  Is it running there? Say where with --server HOST:PORT or PBXGW_SERVER; if it "
            "speaks TLS, add --tls.\n");
}

TEST_F(Failures, SayForHowLongNoAnswerCame) {
  const auto failure = failure_of(grpc::Status(grpc::DEADLINE_EXCEEDED, "Deadline Exceeded"));
  EXPECT_EQ(failure.code, ExitCode::unknown_outcome);
  EXPECT_EQ(failure.message, "no answer from pbx.test:7443 within 10s");
}

TEST_F(Failures, SurviveDetailsThatAreNone) {
  const auto failure =
      failure_of(grpc::Status(grpc::NOT_FOUND, "no route\x1b[31m", "<html>502</html>"));
  EXPECT_EQ(failure.code, ExitCode::not_found);
  EXPECT_EQ(failure.message, "no route\uFFFD[31m");
  EXPECT_THAT(failure.hints, ElementsAre("reason: NOT_FOUND"));
  EXPECT_EQ(failure_of(grpc::Status(grpc::INTERNAL, "")).message, "the service gave no message");
}

TEST_F(Failures, AreOneLineOfJsonForScripts) {
  const std::string text = text_of(failure_of(error(Errc::call_not_found, "It has ended.")), true);
  EXPECT_THAT(text, StartsWith(R"({"error":{"code":5,"message":"It has ended.","details":[)"));
  EXPECT_THAT(text, HasSubstr(R"("reason":"CALL_NOT_FOUND")"));
  EXPECT_THAT(text, HasSubstr(R"("exitCode":3)"));
  EXPECT_THAT(text, EndsWith("}\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);

  EXPECT_THAT(text_of({ExitCode::usage, "which tenant?", {}, {}}, true),
              StartsWith(R"({"error":{"message":"which tenant?"},)"));
}

TEST_F(Failures, SayWhatToDoAboutCredentials) {
  for (const Errc why :
       {Errc::unauthenticated, Errc::credentials_invalid, Errc::credentials_expired}) {
    const auto failure = failure_of(error(why, "They are not right."));
    EXPECT_EQ(failure.code, ExitCode::refused);
    EXPECT_THAT(failure.hints, Contains(HasSubstr("--token-file"))) << failure.message;
  }
  const auto denied = failure_of(error(Errc::access_denied, "crm lacks the group control."));
  EXPECT_EQ(denied.message, "crm lacks the group control.");
  EXPECT_THAT(denied.hints, Contains(HasSubstr("operator")));
}

}  // namespace
}  // namespace pbxctl
