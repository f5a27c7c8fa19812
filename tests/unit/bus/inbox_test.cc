#include "bus/inbox.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "unit/bus/bus_fixture.h"

namespace bus {
namespace {

using testing::ElementsAre;

struct InboxTest : BusFixture {
  std::shared_ptr<Connection> connection = connect();
  const std::string subject = "_INBOX." + new_unique();
  std::vector<std::string> taken;
  int nobody = 0;

  Inbox::Handlers handlers() {
    Inbox::Handlers all;
    all.on_message = [this](MessageHandle message) { taken.push_back(text_of(message)); };
    all.on_no_responders = [this] { ++nobody; };
    return all;
  }
  static std::string text_of(const MessageHandle& message) {
    return {natsMsg_GetData(message.get()),
            static_cast<std::size_t>(natsMsg_GetDataLength(message.get()))};
  }
  std::unique_ptr<Inbox> open(Inbox::Handlers all) {
    auto opened = Inbox::open(connection, subject, std::move(all));
    EXPECT_TRUE(opened);
    return opened ? std::move(*opened) : nullptr;
  }
  void say(const std::string& text) {
    EXPECT_EQ(natsConnection_PublishString(connection->handle(), subject.c_str(), text.c_str()),
              NATS_OK);
  }
};

TEST_F(InboxTest, TakesWhatComesInOrder) {
  const auto inbox = open(handlers());
  for (const char* each : {"a", "b", "c"}) say(each);
  ASSERT_TRUE(run_until([&] { return taken.size() == 3; }));
  EXPECT_THAT(taken, ElementsAre("a", "b", "c"));
}

TEST_F(InboxTest, SubscribesAgainAfterAReconnect) {
  const auto inbox = open(handlers());
  connection->drop();
  ASSERT_TRUE(run_until([&] { return connection->statistics().connects == 2; }));
  say("after");
  ASSERT_TRUE(run_until([&] { return !taken.empty(); }));
  EXPECT_THAT(taken, ElementsAre("after"));
}

TEST_F(InboxTest, TellsThatNobodyServesARequest) {
  const auto inbox = open(handlers());
  say("before");
  natsConnection_PublishRequestString(connection->handle(), "nobody.serves", subject.c_str(), "");
  say("after");
  ASSERT_TRUE(run_until([&] { return taken.size() == 2 && nobody == 1; }));
}

TEST_F(InboxTest, CallsNoHandlerOnceOneHasDestroyedIt) {
  std::unique_ptr<Inbox> inbox;
  auto all = handlers();
  all.on_message = [&](MessageHandle message) {
    taken.push_back(text_of(message));
    inbox.reset();
  };
  inbox = open(std::move(all));
  const auto other = open(handlers());
  for (const char* each : {"a", "b"}) say(each);
  ASSERT_TRUE(run_until([&] { return taken.size() == 3; }));  // one of them, two of the other's
  EXPECT_FALSE(inbox);
}

TEST_F(InboxTest, RefusesASubjectThatCannotBeOne) {
  EXPECT_EQ(Inbox::open(connection, "", handlers()).error(), base::Errc::invalid_argument);
}

}  // namespace
}  // namespace bus
