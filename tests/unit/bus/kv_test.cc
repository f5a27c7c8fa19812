#include "bus/kv.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "unit/bus/bus_fixture.h"

namespace bus {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::Pair;
using namespace std::chrono_literals;

struct KvTest : BusFixture {
  std::shared_ptr<Connection> connection = connect();
  std::shared_ptr<Requests> requests = std::make_shared<Requests>(connection);
  KvBucket bucket{requests, "state"};
  std::string why;

  static BucketConfig config() {
    BucketConfig config;
    config.name = "state";
    return config;
  }
  void SetUp() override {
    const auto wanted = config();
    ASSERT_TRUE(await(bucket.ensure(wanted, why))) << why;
  }
};

TEST_F(KvTest, ComparesTheBucketThatIsThere) {
  auto wanted = config();
  EXPECT_TRUE(await(bucket.ensure(wanted, why))) << why;
  wanted.ttl = 10s;
  wanted.history = 5;
  EXPECT_EQ(await(bucket.ensure(wanted, why)).error(), Errc::config_mismatch);
  EXPECT_EQ(why,
            "stream KV_state: max_age: wanted 10s, found 0s; max_messages_per_subject: wanted 5, "
            "found 1; duplicate_window: wanted 10s, found 120s");
}

TEST_F(KvTest, CreatesAKeyOnce) {
  const auto first = await(bucket.create("acme.201", "a"));
  ASSERT_TRUE(first);
  EXPECT_EQ(await(bucket.create("acme.201", "b")).error(), Errc::key_exists);
  const auto entry = await(bucket.get("acme.201"));
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->value, "a");
  EXPECT_EQ(entry->revision, *first);
  EXPECT_EQ(await(bucket.get("acme.202")).error(), Errc::key_not_found);
}

TEST_F(KvTest, UpdatesOnlyTheRevisionItKnows) {
  const auto first = await(bucket.create("key", "a"));
  const auto second = await(bucket.update("key", "b", *first));
  ASSERT_TRUE(second);
  EXPECT_GT(*second, *first);
  EXPECT_EQ(await(bucket.update("key", "c", *first)).error(), Errc::revision_differs);
  EXPECT_EQ(await(bucket.get("key"))->value, "b");
  const auto third = await(bucket.put("key", "d"));
  EXPECT_EQ(await(bucket.get("key"))->revision, *third);
}

TEST_F(KvTest, ErasesOnlyTheRevisionItKnowsAndCreatesAgain) {
  const auto first = await(bucket.create("key", "a"));
  EXPECT_EQ(await(bucket.erase("key", *first + 1)).error(), Errc::revision_differs);
  EXPECT_TRUE(await(bucket.erase("key", *first)));
  EXPECT_EQ(await(bucket.get("key")).error(), Errc::key_not_found);
  const auto again = await(bucket.create("key", "b"));
  ASSERT_TRUE(again);
  EXPECT_GT(*again, *first);
  EXPECT_EQ(await(bucket.get("key"))->value, "b");
}

TEST_F(KvTest, LetsOneOfManyWin) {
  const auto race = [&](auto write) {
    int wins = 0, done = 0;
    for (int i = 0; i < 50; ++i) {
      boost::asio::co_spawn(io, write(std::to_string(i)), [&](std::exception_ptr, auto result) {
        ++done;
        if (result) ++wins;
      });
    }
    EXPECT_TRUE(run_until([&] { return done == 50; }));
    return wins;
  };
  EXPECT_EQ(race([&](std::string value) { return bucket.create("key", std::move(value)); }), 1);
  const auto revision = await(bucket.get("key"))->revision;
  EXPECT_EQ(
      race([&](std::string value) { return bucket.update("key", std::move(value), revision); }), 1);
  const auto last = await(bucket.get("key"))->revision;
  EXPECT_TRUE(await(bucket.erase("key", last)));
  EXPECT_EQ(race([&](std::string value) { return bucket.create("key", std::move(value)); }), 1);
}

TEST_F(KvTest, RefusesKeysThatCannotBeSubjects) {
  for (const char* key : {"", ".", ".a", "a.", "a..b", "a b", "a*", ">", "ä", "a\r\nb", "a$"}) {
    EXPECT_FALSE(is_key(key)) << key;
    EXPECT_EQ(await(bucket.put(key, "x")).error(), Errc::invalid_argument);
    EXPECT_EQ(await(bucket.get(key)).error(), Errc::invalid_argument);
  }
  EXPECT_TRUE(is_key("acme.device/201=x_y-Z"));
}

TEST_F(KvTest, ListsItsKeys) {
  EXPECT_THAT(await(bucket.keys()).value(), ElementsAre());
  (void)await(bucket.put("b", "1"));
  const auto revision = await(bucket.put("a.x", "1"));
  (void)await(bucket.put("a.y", "1"));
  EXPECT_THAT(await(bucket.keys()).value(), ElementsAre("a.x", "a.y", "b"));
  EXPECT_TRUE(await(bucket.erase("a.x", *revision)));
  EXPECT_THAT(await(bucket.keys()).value(), ElementsAre("a.y", "b"));
}

struct WatchTest : KvTest {
  std::vector<std::pair<std::string, std::string>> seen;
  int initial_done = 0;
  std::size_t seen_at_done = 0;

  std::unique_ptr<KvWatch> watch(const std::string& filter) {
    KvBucket::WatchHandlers handlers;
    handlers.on_entry = [this](const KvEntry& it) {
      seen.emplace_back(it.key, it.erased ? "-" : it.value);
    };
    handlers.on_initial_done = [this] {
      ++initial_done;
      seen_at_done = seen.size();
    };
    auto opening = bucket.watch(filter, io.get_executor(), std::move(handlers), why);
    auto opened = await(std::move(opening));
    EXPECT_TRUE(opened) << why;
    return opened ? std::move(*opened) : nullptr;
  }
};

TEST_F(WatchTest, ShowsWhatIsThereAndThenEveryChange) {
  (void)await(bucket.put("a.x", "old"));
  (void)await(bucket.put("a.x", "1"));
  (void)await(bucket.put("b.x", "1"));
  const auto watching = watch("a.*");
  ASSERT_TRUE(run_until([&] { return initial_done == 1; }));
  EXPECT_THAT(seen, ElementsAre(Pair("a.x", "1")));
  const auto revision = await(bucket.put("a.y", "2"));
  ASSERT_TRUE(run_until([&] { return seen.size() == 2; }));  // or the server may skip it
  (void)await(bucket.put("b.y", "2"));
  (void)await(bucket.erase("a.y", *revision));
  ASSERT_TRUE(run_until([&] { return seen.size() == 3; }));
  EXPECT_THAT(seen, ElementsAre(Pair("a.x", "1"), Pair("a.y", "2"), Pair("a.y", "-")));
  EXPECT_EQ(initial_done, 1);
  EXPECT_EQ(seen_at_done, 1u);
}

TEST_F(WatchTest, IsDoneAtOnceWithAnEmptyBucket) {
  const auto watching = watch(">");
  EXPECT_TRUE(run_until([&] { return initial_done == 1; }));
  EXPECT_TRUE(seen.empty());
}

TEST_F(WatchTest, ShowsChangesOverAServerRestart) {
  (void)await(bucket.put("a", "1"));
  const auto watching = watch(">");
  ASSERT_TRUE(run_until([&] { return initial_done == 1; }));
  server.restart();
  // The write may be refused while the server comes up.
  ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
  ASSERT_TRUE(run_until([&] { return connection->connected(); }));
  while (!await(bucket.put("b", "2"))) continue;
  ASSERT_TRUE(run_until([&] { return seen.size() >= 2; }));
  EXPECT_EQ(seen.front(), (std::pair<std::string, std::string>("a", "1")));
  EXPECT_EQ(seen.back(), (std::pair<std::string, std::string>("b", "2")));
  EXPECT_EQ(initial_done, 1);
}

TEST_F(KvTest, FailsWithoutConnection) {
  server.stop();
  ASSERT_TRUE(run_until([&] { return !connection->connected(); }));
  EXPECT_EQ(await(bucket.create("key", "a")).error(), Errc::bus_unavailable);
  EXPECT_EQ(await(bucket.get("key")).error(), Errc::bus_unavailable);
  const auto wanted = config();
  EXPECT_EQ(await(bucket.ensure(wanted, why)).error(), Errc::bus_unavailable);
}

TEST_F(KvTest, FailsWithoutBucket) {
  KvBucket other(requests, "other");
  EXPECT_EQ(await(other.put("key", "a")).error(), Errc::bus_unavailable);
}

}  // namespace
}  // namespace bus
