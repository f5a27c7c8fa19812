#include "pbx/webitel/history.h"

#include "pbx/webitel/parts.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::int64_t kNoon = 1'795'250'000'000;  // milliseconds

call::Time at(std::int64_t milliseconds) {
  return call::Time(std::chrono::milliseconds(milliseconds));
}

// One leg of the PBX's history.
std::string row(const std::string& id, std::int64_t created, const std::string& more = {}) {
  return R"({"id":")" + id + R"(","created_at":")" + std::to_string(created) + '"' +
         (more.empty() ? "" : ',' + more) + '}';
}

std::string list(std::initializer_list<std::string> rows, bool next = false) {
  std::string text = R"({"items":[)";
  for (const std::string& it : rows) {
    if (text.back() != '[') text += ',';
    text += it;
  }
  return text + "]" + (next ? R"(,"next":true)" : "") + "}";
}

struct WebitelHistory : Parts {
  call::InquiryId ask(const call::Inquiry& inquiry, std::chrono::milliseconds limit = 20s) {
    const call::InquiryId id = ++last;
    Effects effects;
    history.ask(id, inquiry, now + limit, now, effects);
    keep(effects);
    return id;
  }
  call::InquiryId search(call::SearchCalls wanted = {}) {
    wanted.now = at(kNoon + 60'000);
    return ask(wanted);
  }
  void reply(const base::Result<HttpReply>& it) {
    Effects effects;
    EXPECT_TRUE(history.on_http(take_request().id, it, now, effects));
    keep(effects);
  }
  void answer(unsigned status, std::string body = {}) {
    reply(HttpReply{status, {}, std::move(body)});
  }
  void answer(Errc failure) { reply(base::Error(failure)); }
  std::string verdict(call::InquiryId id) { return words_of(informed[id]); }
  // Of the search that was answered.
  const call::PastCalls& page(call::InquiryId id) {
    static const call::PastCalls kNone;
    const auto& all = informed[id];
    const auto* it = all.size() == 1 ? std::get_if<call::PastCalls>(&all.front()) : nullptr;
    if (!it) ADD_FAILURE() << "no page: " << verdict(id);
    return it ? *it : kNone;
  }
  static std::vector<std::string> ids(const call::PastCalls& page) {
    std::vector<std::string> all;
    for (const call::PastCall& it : page.calls) all.push_back(it.id);
    return all;
  }
  void pass(std::chrono::milliseconds span) {
    now += span;
    Effects effects;
    if (history.deadline() <= now) history.on_tick(now, effects);
    keep(effects);
  }

  History history{30s, rest, directory};
  call::InquiryId last = 0;
};

TEST_F(WebitelHistory, TellsEachCallOnceWithAllWhoTookPart) {
  const auto id = search();
  ASSERT_EQ(requests.size(), 1u);
  const std::string asked = line_of(requests.front());
  EXPECT_THAT(asked, StartsWith("GET /calls/history?page=1&size=116&sort=-created_at&"
                                "created_at.from="));
  EXPECT_THAT(asked, HasSubstr("&created_at.to=1795336460000&skip_parent=true&fields=id&"));
  EXPECT_THAT(asked, HasSubstr("&fields=has_children"));
  EXPECT_THAT(asked, Not(HasSubstr("user_id")));
  answer(200,
         list({row("b", kNoon + 5'000,
                   R"("user":null,"direction":"inbound","destination":"910000000",)"
                   R"("from":{"type":"gateway","number":"34911555","name":"Sam"},"to":null,)"
                   R"("answered_at":"1795250006000","bridged_at":"1795250009000",)"
                   R"("hangup_at":"1795250020000","has_children":true,"cause":"NORMAL_CLEARING",)"
                   R"("sip_code":200,"queue":{"id":"4","name":"Sales"},"files":[],)"
                   R"("variables":{"order":"7"},"tags":["a","b"],"talk_sec":11)"),
               row("a", kNoon,
                   R"("user":{"id":"10","name":"Ann"},"extension":"101",)"
                   R"("direction":"outbound","destination":"34911777",)"
                   R"("from":{"type":"user","number":"101","name":"","id":"10"},)"
                   R"("to":{"type":"dest","number":"34911777","name":"Pat"},)"
                   R"("answered_at":0,"bridged_at":"0","hangup_at":1795250003000,)"
                   R"("cause":"NO_ANSWER","sip_code":487,"files":[{"id":"88"},{"id":"x/y"}])")}));
  // Who else: one more list, of all legs of that time.
  ASSERT_EQ(requests.size(), 1u);
  const std::string family = line_of(requests.front());
  EXPECT_THAT(family, HasSubstr("&size=1000&"));
  EXPECT_THAT(family, HasSubstr("created_at.from=1795249999999&created_at.to=1795250020001&"));
  EXPECT_THAT(family, Not(HasSubstr("skip_parent")));
  answer(
      200,
      list({row("d", kNoon + 7'000, R"("parent_id":"c","user":{"id":"12"},"files":[{"id":"91"}])"),
            row("c", kNoon + 6'000,
                R"("parent_id":"b","user":{"id":"11"},)"
                R"("files":[{"id":"90"}],"answered_at":"1795250008000")"),
            row("b", kNoon + 5'000), row("z", kNoon + 4'000, R"("parent_id":"elsewhere")"),
            row("a", kNoon)}));
  const call::PastCalls& found = page(id);
  EXPECT_EQ(found.next, "");
  ASSERT_EQ(found.calls.size(), 2u);
  const call::PastCall& in = found.calls[0];
  EXPECT_EQ(in.id, "b");
  EXPECT_EQ(in.direction, call::Direction::inbound);
  EXPECT_EQ(in.calling, (call::Party{call::DeviceId("34911555"), call::DeviceKind::outside,
                                     "34911555", "Sam"}));
  EXPECT_EQ(in.called.number, "910000000");
  EXPECT_EQ(in.start, at(kNoon + 5'000));
  EXPECT_EQ(in.answer, at(kNoon + 9'000));
  EXPECT_EQ(in.end, at(kNoon + 20'000));
  EXPECT_THAT(in.devices, ElementsAre(call::DeviceId("102"), call::DeviceId("103")));
  EXPECT_THAT(in.recordings, ElementsAre("90", "91"));
  EXPECT_EQ(in.data.at("queue"), "Sales");
  EXPECT_EQ(in.data.at("cause"), "NORMAL_CLEARING");
  EXPECT_EQ(in.data.at("variables.order"), "7");
  EXPECT_EQ(in.data.at("tags"), "a,b");
  const call::PastCall& out = found.calls[1];
  EXPECT_EQ(out.direction, call::Direction::outbound);
  EXPECT_EQ(out.calling.device, call::DeviceId("101"));
  EXPECT_EQ(out.calling.name, "Ann");
  EXPECT_EQ(out.called.name, "Pat");
  EXPECT_FALSE(out.answer);
  EXPECT_THAT(out.devices, ElementsAre(call::DeviceId("101")));
  EXPECT_THAT(out.recordings, ElementsAre("88"));  // nothing but a number is one
}

TEST_F(WebitelHistory, TellsWhenItWasAnswered) {
  const auto id = search();
  const std::string out = R"("user":{"id":"10"},"direction":"outbound","has_children":true,)";
  answer(200, list({row("ivr", kNoon + 4, out + R"("answered_at":"1795250001000","sip_code":200)"),
                    row("own phone only", kNoon + 3, out + R"("answered_at":"1795250001000")"),
                    row("busy", kNoon + 2, out + R"("answered_at":"1795250001000","sip_code":486)"),
                    row("internal", kNoon + 1,
                        out + R"("from":{"type":"user","id":"10","number":"101"},)"
                              R"("to":{"type":"user","id":"11","number":"102"},)"
                              R"("bridged_at":"1795250002000")")}));
  answer(200, list({row("x", kNoon + 5, R"("parent_id":"own phone only")")}));
  const call::PastCalls& found = page(id);
  ASSERT_EQ(found.calls.size(), 4u);
  EXPECT_EQ(found.calls[0].answer, at(kNoon + 1'000));
  EXPECT_FALSE(found.calls[1].answer);
  EXPECT_FALSE(found.calls[2].answer);
  EXPECT_EQ(found.calls[3].answer, at(kNoon + 2'000));
  EXPECT_EQ(found.calls[3].direction, call::Direction::internal);
}

TEST_F(WebitelHistory, SearchesTheLegsOfADevicesUser) {
  call::SearchCalls wanted;
  wanted.device = call::DeviceId("102");
  wanted.from = at(kNoon);
  wanted.until = at(kNoon + 10'000);
  wanted.limit = 5;
  const auto id = search(wanted);
  const std::string asked = line_of(requests.front());
  EXPECT_THAT(asked, HasSubstr("size=21&sort=-created_at&created_at.from=1795249999999&"
                               "created_at.to=1795250010000&user_id=11&fields="));
  EXPECT_THAT(asked, Not(HasSubstr("skip_parent")));
  answer(200, list({row("late", kNoon + 10'000),
                    row("b", kNoon + 1'000,
                        R"("parent_id":"a","user":{"id":"11"},"direction":"inbound",)"
                        R"("from":{"number":"*****67"},"to":{"number":"*****02"})"),
                    row("early", kNoon - 1)}));
  EXPECT_THAT(line_of(requests.front()), HasSubstr("created_at.from=1795249401000&"));
  answer(200, list({row("a", kNoon + 500, R"("user":{"id":"12"})"), row("b", kNoon + 1'000)}));
  const call::PastCalls& found = page(id);
  // The leg is b; its call is named after the one that caused it, as in every other search.
  ASSERT_THAT(ids(found), ElementsAre("a"));
  EXPECT_EQ(found.calls[0].calling.number, "*****67");
  EXPECT_EQ(found.calls[0].called.device, call::DeviceId("102"));
  EXPECT_EQ(found.calls[0].direction, call::Direction::inbound);
  EXPECT_THAT(found.calls[0].devices, ElementsAre(call::DeviceId("102"), call::DeviceId("103")));

  wanted.device = call::DeviceId("999");
  EXPECT_THAT(verdict(search(wanted)), StartsWith("device_not_found"));
}

TEST_F(WebitelHistory, GoesOnWhereItsPageEnded) {
  call::SearchCalls wanted;
  wanted.limit = 2;
  const auto first = search(wanted);
  answer(200, list({row("e", kNoon + 5), row("d", kNoon + 4), row("c", kNoon + 3)}));
  EXPECT_THAT(ids(page(first)), ElementsAre("e", "d"));
  EXPECT_EQ(page(first).next, "1795250000004.d");
  // A newer one has come since: it moves nothing.
  wanted.after = page(first).next;
  const auto second = search(wanted);
  EXPECT_THAT(line_of(requests.front()), HasSubstr("page=1&size=18&"));
  EXPECT_THAT(line_of(requests.front()), HasSubstr("created_at.to=1795250000005&"));
  answer(200, list({row("d", kNoon + 4), row("c", kNoon + 3),
                    row("child", kNoon + 2, R"("parent_id":"c")"), row("b", kNoon + 1)}));
  EXPECT_THAT(ids(page(second)), ElementsAre("c", "b"));
  EXPECT_EQ(page(second).next, "");
  for (const char* wrong : {"x", "5", "5.", "-5.a", "0.a", "99999999999999999999.a"}) {
    wanted.after = wrong;
    EXPECT_EQ(verdict(search(wanted)), "page_token_invalid") << wrong;
  }
}

TEST_F(WebitelHistory, ReadsAsManyPagesAsItTakes) {
  call::SearchCalls wanted;
  wanted.limit = 3;
  const auto id = search(wanted);
  // What shares its last millisecond may be on the next page, and belong first.
  answer(200,
         list({row("e", kNoon + 5), row("x", kNoon + 4, R"("parent_id":"e")"), row("b", kNoon + 3)},
              true));
  EXPECT_THAT(line_of(requests.front()), HasSubstr("created_at.to=1795250000005&"));
  answer(200, list({row("x", kNoon + 4, R"("parent_id":"e")"), row("b", kNoon + 3),
                    row("c", kNoon + 3), row("a", kNoon + 2)}));
  EXPECT_THAT(ids(page(id)), ElementsAre("e", "c", "b"));
  EXPECT_EQ(page(id).next, "1795250000003.b");
}

TEST_F(WebitelHistory, StopsAtItsLimitOfRequests) {
  const auto stuck = search();
  for (unsigned i = 0; i < History::kRequestsMax; ++i) {
    EXPECT_THAT(line_of(requests.at(0)), HasSubstr("page=" + std::to_string(i == 0 ? 1 : i) + "&"));
    answer(200, list({row("child", kNoon, R"("parent_id":"p")")}, true));
  }
  EXPECT_THAT(requests, IsEmpty());
  EXPECT_EQ(page(stuck).next, "1795250000000.child");  // others may follow
  EXPECT_THAT(page(stuck).calls, IsEmpty());
}

TEST_F(WebitelHistory, TellsCallsWithoutTheOthersIfTheirListFails) {
  for (const char* body : {"nonsense", R"({"items":[)", R"({"items":7})"}) {
    const auto id = search();
    answer(200, list({row("a", kNoon, R"("has_children":true)")}));
    answer(200, body);
    EXPECT_THAT(ids(page(id)), ElementsAre("a"));
  }
  const auto refused = search();
  answer(200, list({row("a", kNoon, R"("has_children":true)")}));
  answer(500);
  EXPECT_THAT(ids(page(refused)), ElementsAre("a"));
  const auto lost = search();
  answer(200, list({row("a", kNoon, R"("has_children":true)")}));
  answer(Errc::link_lost);
  EXPECT_THAT(ids(page(lost)), ElementsAre("a"));
  EXPECT_EQ(told.size(), 5u);
  const auto endless = search();
  answer(200, list({row("a", kNoon, R"("has_children":true)")}));
  for (unsigned i = 0; i < History::kFamilyPagesMax; ++i) {
    answer(200, list({row("a", kNoon)}, true));
  }
  EXPECT_THAT(ids(page(endless)), ElementsAre("a"));
}

TEST_F(WebitelHistory, TellsWhyASearchFailed) {
  const auto verdict_of = [&](unsigned status, std::string body) {
    const auto id = search();
    answer(status, std::move(body));
    return verdict(id);
  };
  EXPECT_THAT(verdict_of(400, R"({"id":"grpc.call.search_history","code":400})"),
              StartsWith("internal"));
  EXPECT_EQ(verdict_of(403, R"({"detail":"permission=calls access=read"})"),
            "permission_denied: the service user lacks the permission calls read");
  EXPECT_THAT(verdict_of(401, ""), StartsWith("credentials_refused"));
  EXPECT_THAT(verdict_of(404, ""), StartsWith("feature_not_supported"));
  EXPECT_THAT(verdict_of(500, R"({"code":412,"id":"api.context.permissions.license"})"),
              StartsWith("permission_denied"));
  EXPECT_THAT(verdict_of(502, ""), StartsWith("pbx_refused"));
  for (const char* body : {"", "[]", "{\"items\":{}}", "{\"items\":[", "nonsense"}) {
    EXPECT_EQ(verdict_of(200, body), "pbx_refused: the PBX's list of calls cannot be read") << body;
  }
  const auto lost = search();
  answer(Errc::link_lost);
  EXPECT_THAT(verdict(lost), StartsWith("pbx_disconnected"));
  const auto late = search();
  answer(Errc::timed_out);
  EXPECT_THAT(verdict(late), StartsWith("timed_out"));
  const auto silent = search();
  pass(20s);
  EXPECT_THAT(verdict(silent), StartsWith("timed_out"));
  answer(200, list({}));  // nobody waits any more
  EXPECT_THAT(verdict(ask(call::SearchCalls(), 0ms)), StartsWith("timed_out"));
}

TEST_F(WebitelHistory, BearsWhatItCannotRead) {
  const auto nothing = search();
  answer(200, "{}");
  EXPECT_THAT(page(nothing).calls, IsEmpty());
  const auto some = search();
  answer(
      200,
      list({"{}", R"({"id":"x"})", "7", R"({"created_at":"5"})",
            row("a", kNoon, R"("from":7,"to":[],"user":"10","files":{"id":1},"hold":[{"a":1}])")}));
  EXPECT_THAT(ids(page(some)), ElementsAre("a"));
  EXPECT_THAT(told.back(), HasSubstr("4 legs"));
  call::SearchCalls never;
  never.from = at(kNoon);
  never.until = at(kNoon);
  EXPECT_THAT(page(search(never)).calls, IsEmpty());
  EXPECT_THAT(requests, IsEmpty());
}

TEST_F(WebitelHistory, IsLimitedInSearches) {
  for (std::size_t i = 0; i < History::kInquiriesMax; ++i) search();
  EXPECT_THAT(verdict(search()), StartsWith("too_many_requests"));
  pass(20s);
  EXPECT_THAT(verdict(1), StartsWith("timed_out"));
  EXPECT_EQ(history.deadline(), TimePoint::max());
  Effects effects;
  EXPECT_FALSE(history.on_http(999, HttpReply{200, {}, {}}, now, effects));
}

TEST_F(WebitelHistory, SaysWhereARecordingIs) {
  const auto id = ask(call::FindRecording{"90"});
  const auto* source = std::get_if<RecordingSource>(&informed[id].front());
  ASSERT_TRUE(source);
  EXPECT_EQ(source->where.target, "/api/storage/recordings/90/download");
  EXPECT_EQ(source->where.host, "pbx.test");
  EXPECT_EQ(source->limit, 30s);
  const std::vector<std::pair<std::string, std::string>> headers{{"Accept", "*/*"},
                                                                 {"X-Webitel-Access", kToken}};
  EXPECT_EQ(source->where.headers, headers);
  for (const char* wrong : {"", "..", "90/../91", "90?access_token=1", "a", "9 0"}) {
    EXPECT_THAT(verdict(ask(call::FindRecording{wrong})), StartsWith("recording_not_found"));
  }
  EXPECT_THAT(requests, IsEmpty());
}

// Or the caller would turn the same page for ever.
TEST_F(WebitelHistory, SaysWhenThePbxDoesNotGoOn) {
  call::SearchCalls wanted;
  wanted.after = std::to_string(kNoon) + ".m";
  const auto id = search(wanted);
  for (unsigned i = 0; i < History::kRequestsMax; ++i) {
    ASSERT_FALSE(requests.empty()) << i;
    answer(200, list({row("z", kNoon + 5'000)}, true));  // long before the page
  }
  EXPECT_THAT(verdict(id), HasSubstr("does not go on"));
}

}  // namespace
}  // namespace pbx::webitel
