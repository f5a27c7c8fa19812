#include "pbx/vodia/history.h"

#include <set>

#include "pbx/vodia/records.h"
#include "pbx/vodia/tenant.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using call::Direction;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// 2026-11-22 12:00 UTC; the day of that number, and its neighbours.
constexpr std::int64_t kNoon = 1'795'348'800;
constexpr int kToday = 20'779;

call::Time at(std::int64_t seconds) { return call::Time(std::chrono::seconds(seconds)); }

// A record of a call, `begun` seconds after noon; answered after 5 s, and 60 s long.
std::string record(int id, std::int64_t begun, std::string_view from = "501",
                   std::string_view to = "502", bool answered = true) {
  const auto time = [](std::int64_t seconds) { return std::to_string(seconds) + ".500"; };
  const std::int64_t start = kNoon + begun;
  return R"({"id":)" + std::to_string(id) + R"(,"call_id":"c)" + std::to_string(id) +
         R"(@pbx","from":"\"Ann\" <sip:)" + std::string(from) + R"(@t.example>","to":"<sip:)" +
         std::string(to) + R"(@t.example>","start":")" + time(start) + R"(","connect":")" +
         (answered ? time(start + 5) : "") + R"(","end":")" + time(start + 60) +
         R"(","rating":"","pcap":false,"extensions":[501],"trunks":[3,4]})";
}
std::string recording(int id, std::int64_t begun, std::string_view from = "501",
                      std::string_view to = "502", std::string_view more = "") {
  return R"({"id":)" + std::to_string(id) + R"(,"from":"<sip:)" + std::string(from) +
         R"(@t.example>","to":"<sip:)" + std::string(to) + R"(@t.example>","time":")" +
         std::to_string(kNoon + begun) + ".600\"" + std::string(more) + "}";
}
std::string list_of(const std::vector<std::string>& items) {
  std::string list = "[";
  for (const std::string& it : items) list += (list.size() > 1 ? "," : "") + it;
  return list + "]";
}

struct VodiaHistory : Vodia {
  call::SearchCalls wanted = [] {
    call::SearchCalls search;
    search.from = at(kNoon - 3'600);
    search.until = at(kNoon + 3'600);
    search.now = at(kNoon + 7'200);
    return search;
  }();

  ~VodiaHistory() override {
    for (const auto& [id, answers] : pbx().informed) EXPECT_EQ(answers.size(), 1u) << id;
  }

  const Inform::Answer* answer_to(call::InquiryId id) {
    const auto it = pbx().informed.find(id);
    return it == pbx().informed.end() ? nullptr : &it->second.front();
  }
  call::PastCalls page(call::InquiryId id) {
    const auto* answer = answer_to(id);
    const auto* page = answer ? std::get_if<call::PastCalls>(answer) : nullptr;
    EXPECT_NE(page, nullptr) << verdict(id);
    return page ? *page : call::PastCalls();
  }
  std::string verdict(call::InquiryId id) {
    const auto* answer = answer_to(id);
    if (!answer) return "open";
    if (const auto* refusal = std::get_if<call::Refusal>(answer)) {
      expect_no_secret(refusal->detail);
      return base::name_of(refusal->why);
    }
    return "ok";
  }
  std::string target() { return pbx().requests.at(0).where.target; }
  std::vector<std::string> ids(const call::PastCalls& page) {
    std::vector<std::string> all;
    for (const call::PastCall& call : page.calls) all.push_back(call.id);
    return all;
  }

  // A server that has these records and recordings, whatever its ways. Answers until nothing is
  // asked any more.
  struct Server {
    std::map<int, std::int64_t> records;  // by id: seconds after noon
    int first_page = 1;                   // counts from here; what is before is this one
    std::size_t page_most = 10'000;
    int zone = 0;  // seconds of its calendar before UTC
    bool oldest_first = false;
  };
  unsigned serve(const Server& server_side) {
    unsigned requests = 0;
    while (!pbx().requests.empty() && ++requests < 1'000) {
      const std::string asked = target();
      if (asked.find("/recs") != std::string::npos) {
        answer(200, "[]");
        continue;
      }
      const auto number = [&](std::string_view name) {
        const auto found = asked.find(std::string(name) + "=");
        EXPECT_NE(found, std::string::npos) << asked;
        return std::stoll(asked.substr(found + name.size() + 1));
      };
      std::vector<std::pair<std::int64_t, int>> fitting;
      for (const auto& [id, begun] : server_side.records) {
        const auto local = at(kNoon + begun + server_side.zone);
        const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(local)};
        const std::int64_t date = static_cast<int>(day.year()) * 10'000 +
                                  static_cast<int>(static_cast<unsigned>(day.month())) * 100 +
                                  static_cast<int>(static_cast<unsigned>(day.day()));
        if (date >= number("start") && date <= number("end")) fitting.emplace_back(begun, id);
      }
      std::sort(fitting.begin(), fitting.end());
      if (!server_side.oldest_first) std::reverse(fitting.begin(), fitting.end());
      const auto size =
          std::min<std::size_t>(static_cast<std::size_t>(number("size")), server_side.page_most);
      const auto page = std::max<std::int64_t>(number("page") - server_side.first_page, 0);
      std::vector<std::string> items;
      for (auto i = static_cast<std::size_t>(page) * size;
           i < fitting.size() && items.size() < size; ++i) {
        items.push_back(record(fitting[i].second, fitting[i].first));
      }
      answer(200, list_of(items));
    }
    return requests;
  }
  std::vector<std::string> all_pages(const Server& server_side) {
    std::vector<std::string> all;
    wanted.after.clear();
    for (int pages = 0; pages < 200; ++pages) {
      const auto id = pbx().inquire(wanted);
      serve(server_side);
      const call::PastCalls found = page(id);
      EXPECT_LE(found.calls.size(), wanted.limit);
      for (const std::string& it : ids(found)) all.push_back(it);
      wanted.after = found.next;
      if (found.next.empty()) return all;
    }
    ADD_FAILURE() << "no end";
    return all;
  }
};

TEST_F(VodiaHistory, TellsACallWithItsPartiesTimesAndRecording) {
  log_in_modern();
  const auto id = pbx().inquire(wanted);
  EXPECT_EQ(target(), "/rest/domain/t.example/cdrs?size=500&page=0&start=20261122&end=20261123");
  EXPECT_EQ(header(pbx().requests[0].where, "Authorization"), "Basic YWRtaW46cjAwdA==");
  answer(200, list_of({record(7, 0)}));
  EXPECT_EQ(target(), "/rest/domain/t.example/cdrs?size=500&page=0&start=20261121&end=20261121");
  answer(200, "[]");
  answer(200, "[]");  // its page 1
  EXPECT_EQ(target(), "/rest/domain/t.example/recs?size=500&page=0");
  answer(200, list_of({recording(3, 6), recording(4, 5'000), recording(5, 6, "501", "503")}));
  ASSERT_EQ(verdict(id), "ok");
  const call::PastCalls found = page(id);
  EXPECT_EQ(found.next, "");
  ASSERT_THAT(found.calls, SizeIs(1));
  const call::PastCall& call = found.calls[0];
  EXPECT_EQ(call.id, "7");
  EXPECT_EQ(call.calling,
            (call::Party{call::DeviceId("501"), call::DeviceKind::extension, "501", "Ann"}));
  EXPECT_EQ(call.called,
            (call::Party{call::DeviceId("502"), call::DeviceKind::extension, "502", "Bob"}));
  EXPECT_EQ(call.direction, Direction::internal);
  EXPECT_EQ(call.start, at(kNoon) + 500ms);
  EXPECT_EQ(call.answer, at(kNoon + 5) + 500ms);
  EXPECT_EQ(call.end, at(kNoon + 60) + 500ms);
  EXPECT_THAT(call.devices, ElementsAre(call::DeviceId("501")));
  EXPECT_THAT(call.recordings, ElementsAre("3"));
  EXPECT_EQ(call.data.at("call_id"), "c7@pbx");
  EXPECT_EQ(call.data.at("trunks"), "3,4");
}

TEST_F(VodiaHistory, KnowsWhereACallWentAndWhetherItWasAnswered) {
  log_in_modern();
  const auto id = pbx().inquire(wanted);
  answer(200, list_of({record(1, 10, "501", "+34911000"), record(2, 20, "+34911000", "502", false),
                       R"({"id":9,"from":"x"})", R"("odd")"}));
  while (!pbx().requests.empty()) answer(200, "[]");
  const call::PastCalls found = page(id);
  ASSERT_THAT(ids(found), ElementsAre("2", "1"));  // the newest first
  EXPECT_EQ(found.calls[0].direction, Direction::inbound);
  EXPECT_EQ(found.calls[0].calling.kind, call::DeviceKind::outside);
  EXPECT_EQ(found.calls[0].answer, std::nullopt);
  EXPECT_EQ(found.calls[1].direction, Direction::outbound);
  ASSERT_THAT(pbx().notes, SizeIs(1));
  EXPECT_EQ(pbx().notes[0].detail, "2 records of a list of calls");
}

// Whatever is not documented: where pages begin to count, how long they may be, which order they
// have, and which time zone the calendar is of.
TEST_F(VodiaHistory, FindsEachCallOnceWhateverTheServersWays) {
  log_in_modern();
  Server ways;
  for (int i = 0; i < 400; ++i) ways.records[i + 1] = -i * 7'000;
  wanted.from = at(kNoon - 30 * 86'400);
  std::vector<std::string> expected;
  for (int i = 0; i < 400 && i * 7'000 <= 30 * 86'400; ++i)
    expected.push_back(std::to_string(i + 1));
  wanted.limit = 37;
  for (const int first_page : {0, 1}) {
    for (const std::size_t most : {std::size_t(50), std::size_t(120), std::size_t(10'000)}) {
      for (const int zone : {0, 14 * 3'600, -12 * 3'600}) {
        for (const bool oldest_first : {false, true}) {
          ways.first_page = first_page;
          ways.page_most = most;
          ways.zone = zone;
          ways.oldest_first = oldest_first;
          SCOPED_TRACE(testing::Message()
                       << first_page << ' ' << most << ' ' << zone << ' ' << oldest_first);
          ASSERT_EQ(all_pages(ways), expected);
        }
      }
    }
  }
}

TEST_F(VodiaHistory, GoesBackFarWithFewRequestsWhereThereIsLittle) {
  log_in_modern();
  Server ways;
  ways.records[1] = -900 * 86'400;
  wanted.from.reset();
  const auto id = pbx().inquire(wanted);
  EXPECT_LT(serve(ways), 40u);
  EXPECT_THAT(ids(page(id)), ElementsAre("1"));
}

TEST_F(VodiaHistory, LooksForADevice) {
  log_in_modern();
  wanted.device = call::DeviceId("503");
  const auto id = pbx().inquire(wanted);
  answer(200, list_of({record(1, 0), record(2, 10, "503", "502"), record(3, 20, "502", "503")}));
  while (!pbx().requests.empty()) answer(200, "[]");
  EXPECT_THAT(ids(page(id)), ElementsAre("3", "2"));
}

TEST_F(VodiaHistory, AsksLegacyServersWhatTheirRecordingsAreAndWhereTheFileIs) {
  log_in_legacy();
  const auto id = pbx().inquire(wanted);
  answer(200, list_of({record(7, 0)}));
  answer(200, "[]");
  answer(200, "[]");
  EXPECT_THAT(target(), HasSubstr("/recs?"));
  answer(200, R"([4,"12"])");
  EXPECT_EQ(target(), "/rest/domain/t.example/recs/4,12");
  answer(200, list_of({recording(4, 7, "501", "502", R"(,"agent":"","file":"a b.wav")"),
                       recording(12, 9'000)}));
  EXPECT_THAT(page(id).calls.at(0).recordings, ElementsAre("4"));

  const auto found = pbx().inquire(call::FindRecording{"4"});
  EXPECT_EQ(target(), "/rest/domain/t.example/recs/4");
  answer(200, list_of({recording(4, 7, "501", "502", R"(,"file":"a b.wav")")}));
  const auto* source = std::get_if<RecordingSource>(answer_to(found));
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->where.target, "/audio.wav?type=recording&id=a%20b.wav");

  for (const std::string& body : {std::string("[]"), list_of({recording(5, 1)})}) {
    const auto none = pbx().inquire(call::FindRecording{"4"});
    answer(200, body);
    EXPECT_EQ(verdict(none), "recording_not_found") << body;
  }
  const auto none = pbx().inquire(call::FindRecording{"4"});
  answer(404, "");
  EXPECT_EQ(verdict(none), "recording_not_found");
}

TEST_F(VodiaHistory, SaysAtOnceWhereAModernServerHasARecording) {
  log_in_modern();
  const auto id = pbx().inquire(call::FindRecording{"3/7"});
  EXPECT_THAT(pbx().requests, IsEmpty());
  const auto* source = std::get_if<RecordingSource>(answer_to(id));
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->where.target, "/rest/domain/t.example/recs?id=3%2F7");
  EXPECT_EQ(source->where.host, "pbx.test");
  EXPECT_EQ(header(source->where, "Authorization"), "Basic YWRtaW46cjAwdA==");
  EXPECT_EQ(header(source->where, "Accept"), "*/*");
}

TEST_F(VodiaHistory, SaysWhyAtEachStep) {
  log_in_modern();
  const struct {
    unsigned status;
    std::string_view body, verdict;
  } kReplies[] = {
      {200, "false", "pbx_refused"},  {200, "", "pbx_refused"},
      {200, "{}", "pbx_refused"},     {200, R"([{"id":1,)", "pbx_refused"},
      {200, "<html>", "pbx_refused"}, {401, "", "credentials_refused"},
      {403, "", "permission_denied"}, {404, "", "feature_not_supported"},
      {429, "", "too_many_requests"}, {500, "", "pbx_refused"},
      {302, "", "pbx_refused"},
  };
  for (const auto& reply : kReplies) {
    for (int step = 0; step < 3; ++step) {
      const auto id = pbx().inquire(wanted);
      for (int i = 0; i < step; ++i) answer(200, i == 0 ? list_of({record(7, 0)}) : "[]");
      answer(reply.status, reply.body);
      EXPECT_EQ(verdict(id), reply.verdict) << reply.status << reply.body << " at " << step;
      EXPECT_THAT(pbx().requests, IsEmpty());
    }
    // The calls are worth telling without their recordings.
    const auto id = pbx().inquire(wanted);
    answer(200, list_of({record(7, 0)}));
    answer(200, "[]");
    answer(200, "[]");
    answer(reply.status, reply.body);
    EXPECT_THAT(ids(page(id)), ElementsAre("7"));
  }
  const std::pair<Errc, const char*> kFailures[] = {
      {Errc::connect_failed, "pbx_disconnected"},
      {Errc::link_lost, "pbx_disconnected"},
      {Errc::timed_out, "timed_out"},
      {Errc::message_too_big, "message_too_big"},
      {Errc::bad_frame, "pbx_refused"},
      {Errc::too_many_requests, "too_many_requests"},
  };
  for (const auto& [failure, verdict_of] : kFailures) {
    const auto id = pbx().inquire(wanted);
    answer(failure);
    EXPECT_EQ(verdict(id), verdict_of);
  }
  EXPECT_THAT(pbx().given_up, IsEmpty());
}

TEST_F(VodiaHistory, LogsInAgainWhenTheCookieIsRefused) {
  settings.set("admin_user", std::string());
  server = kServer70;
  pbx().begin();
  answer(200, kToken, {{"set-cookie", "session=c00kie"}});
  pbx().open(kPrimary);
  calls({});
  answer(200, kDirectory);
  ASSERT_TRUE(pbx().ready);
  const auto id = pbx().inquire(wanted);
  EXPECT_EQ(header(pbx().requests.at(0).where, "Cookie"), "session=c00kie");
  answer(401, "");
  EXPECT_EQ(verdict(id), "credentials_refused");
  EXPECT_EQ(pbx().requests.at(0).where.target, "/rest/system/session");
}

TEST_F(VodiaHistory, AnswersBeforeItIsReadyAndWhenTheTimeIsOver) {
  server = kServer70;
  pbx().begin();
  EXPECT_EQ(verdict(pbx().inquire(wanted)), "pbx_disconnected");
  grant_token();
  pbx().open(kPrimary);
  calls({});
  answer_directory();
  const auto id = pbx().inquire(wanted, 3s);
  EXPECT_EQ(verdict(pbx().inquire(wanted, 0s)), "timed_out");
  pbx().pass(2s);
  EXPECT_EQ(verdict(id), "open");
  pbx().pass(2s);
  EXPECT_EQ(verdict(id), "timed_out");
  answer(200, list_of({record(7, 0)}));  // too late, and no second answer
}

TEST_F(VodiaHistory, TakesSoManySearchesAtATime) {
  log_in_modern();
  std::vector<call::InquiryId> all;
  for (std::size_t i = 0; i < History::kInquiriesMax; ++i) all.push_back(pbx().inquire(wanted));
  EXPECT_EQ(verdict(pbx().inquire(wanted)), "too_many_requests");
  while (!pbx().requests.empty()) answer(200, "[]");
  for (const auto id : all) EXPECT_EQ(verdict(id), "ok");
  EXPECT_EQ(verdict(pbx().inquire(wanted)), "open");
}

TEST_F(VodiaHistory, EndsWithAWordWhereADayHasMoreThanCanBeSearched) {
  log_in_modern();
  Server ways;
  ways.page_most = 60;
  for (int i = 0; i < 6'000; ++i) ways.records[i + 1] = -i % 3'000;
  call::InquiryId id = 0;
  for (int pages = 0; pages < 5; ++pages) {  // the days after it are searched first
    id = pbx().inquire(wanted);
    EXPECT_LE(serve(ways), History::kRequestsMax + History::kListsMax);
    if (verdict(id) != "ok") break;
    ASSERT_NE(page(id).next, "");
    wanted.after = page(id).next;
  }
  EXPECT_EQ(verdict(id), "message_too_big");
}

TEST_F(VodiaHistory, RefusesAPlaceThatIsNotItsOwn) {
  log_in_modern();
  for (const std::string place : {"x", "-1", "20779.", "20779.20778.1.1", "20779.20780.x.1",
                                  "20779.20780.1", "1.999999.1.1", "99999999"}) {
    wanted.after = place;
    EXPECT_EQ(verdict(pbx().inquire(wanted)), "page_token_invalid") << place;
  }
  wanted.after = std::to_string(kToday - 1'000);  // before anything that is wanted
  EXPECT_THAT(page(pbx().inquire(wanted)).calls, IsEmpty());
}

TEST_F(VodiaHistory, EndsListsOfRecordingsSomewhere) {
  log_in_modern();
  const auto id = pbx().inquire(wanted);
  answer(200, list_of({record(7, 0)}));
  answer(200, "[]");
  answer(200, "[]");
  unsigned lists = 0;
  for (int next = 1; !pbx().requests.empty(); ++lists) {
    std::vector<std::string> items;
    for (int i = 0; i < 100; ++i, ++next) items.push_back(recording(next, 100'000 + next));
    answer(200, list_of(items));
  }
  EXPECT_EQ(lists, History::kListsMax);
  EXPECT_THAT(page(id).calls, SizeIs(1));
}

}  // namespace
}  // namespace pbx::vodia
