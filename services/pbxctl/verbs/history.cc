#include <algorithm>
#include <memory>
#include <optional>

#include <google/protobuf/util/time_util.h>

#include "config/values.h"
#include "pbxctl/json.h"
#include "pbxctl/target.h"
#include "pbxctl/verbs/declarations.h"
#include "pbxgw/v1/call_history_service.grpc.pb.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;
using google::protobuf::Timestamp;
using google::protobuf::util::TimeUtil;

constexpr int kPageMost = 1'000;

struct Arguments {
  std::string since, until, device;
  int count = 100;
};

// "2h" (ago), "2026-11-22" (its beginning, in UTC), "2026-11-22T12:00:00Z".
std::optional<Timestamp> moment_of(const std::string& text, Time now) {
  Timestamp time;
  if (const auto ago = config::duration_from(text)) {
    const auto when = std::chrono::floor<std::chrono::milliseconds>(now - *ago);
    return TimeUtil::MillisecondsToTimestamp(when.time_since_epoch().count());
  }
  if (TimeUtil::FromString(text, &time)) return time;
  if (TimeUtil::FromString(text + "T00:00:00Z", &time)) return time;
  return std::nullopt;
}

void add_moment(CLI::App& app, const std::string& name, std::string& into,
                const std::string& meaning) {
  const auto check = [](const std::string& text) -> std::string {
    if (moment_of(text, Time())) return {};
    return "found \"" + text +
           "\"; expected a time ago such as 2h, a date such as 2026-11-22, or "
           "2026-11-22T12:00:00Z";
  };
  app.add_option(name, into, meaning)->type_name("TIME")->check(CLI::Validator(check, ""));
}

// "3m05s"; "-" for a call that nobody answered.
std::string talked(const PastCall& call) {
  if (!call.has_answer_time()) return "-";
  if (!call.has_end_time()) return "?";
  return length_text(time_of(call.end_time()) - time_of(call.answer_time()));
}

std::string names_of(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::string out;
  for (const auto& name : names) out.append(out.empty() ? "" : " ").append(id_of(name));
  return out.empty() ? "-" : out;
}

Outcome<void> show(Session& session, const Arguments& it) {
  auto tenant = the_tenant(session);
  if (!tenant) return tenant.error();
  SearchCallsRequest request;
  request.set_parent(*tenant);
  request.set_device_id(it.device);
  if (!it.since.empty()) *request.mutable_start_time() = *moment_of(it.since, session.now());
  if (!it.until.empty()) *request.mutable_end_time() = *moment_of(it.until, session.now());
  Table table({"CALL", "BEGAN", "DIRECTION", "WHO", "TALKED", "RECORDINGS"});
  int told = 0;
  do {
    request.set_page_size(std::min(it.count - told, kPageMost));
    auto page = session.ask(&CallHistory::Stub::SearchCalls, request);
    if (!page) return page.error();
    for (const PastCall& call : page->calls()) {
      ++told;
      if (session.json()) {
        session.out() << json_line(call) << '\n';
        continue;
      }
      table.add({{id_of(call.name()), Color::bold},
                 {TimeUtil::ToString(TimeUtil::SecondsToTimestamp(call.start_time().seconds()))},
                 {word(call.direction())},
                 {who(call.calling()) + " → " + who(call.called())},
                 {talked(call), call.has_answer_time() ? Color::none : Color::yellow},
                 {names_of(call.recordings())}});
    }
    request.set_page_token(page->next_page_token());
  } while (told < it.count && !request.page_token().empty());
  table.print(session.style(), session.out());
  if (told == 0 && !session.json()) session.out() << "no calls\n";
  if (!request.page_token().empty()) {
    session.err() << "pbxctl: there may be more; --count tells how many to show\n";
  }
  return {};
}

}  // namespace

Action declare_history(CLI::App& app) {
  auto it = std::make_shared<Arguments>();
  add_moment(app, "--since", it->since, "Only calls that began then or later");
  add_moment(app, "--until", it->until, "Only calls that began before");
  app.add_option("--device", it->device, "Only calls of this device")->type_name("NUMBER");
  app.add_option("--count", it->count, "At most so many; default 100")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  return [it](Session& session) { return show(session, *it); };
}

}  // namespace pbxctl
