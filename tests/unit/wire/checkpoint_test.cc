#include "wire/checkpoint.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "pbxgw/v1/command.pb.h"
#include "wire/chance.h"

namespace wire {
namespace {

using base::Errc;
using base::TenantId;
using testing::SizeIs;
using testing::Test;

class Checkpoints : public Test {
 protected:
  void expect_same(const Checkpoint& a, const Checkpoint& b) {
    EXPECT_EQ(a.stream_sequence, b.stream_sequence);
    EXPECT_EQ(a.book.epoch, b.book.epoch);
    EXPECT_EQ(a.book.sequence, b.book.sequence);
    EXPECT_EQ(a.book.calls_made, b.book.calls_made);
    EXPECT_TRUE(a.book.calls == b.book.calls);
    EXPECT_TRUE(a.book.devices == b.book.devices);
  }

  const TenantId acme_{"acme"};
  Chance chance_{11};
};

TEST_F(Checkpoints, OfNothingHaveOnePart) {
  const auto parts = encode(acme_, {});
  ASSERT_THAT(parts, SizeIs(1));
  EXPECT_EQ(parts_of(parts[0]).value(), 1u);
  expect_same(decode(parts).value(), {});
}

TEST_F(Checkpoints, ComeBackWithTheirLegs) {
  for (int i = 0; i < 50; ++i) {
    const Checkpoint checkpoint{chance_.book(chance_.below(20), chance_.below(20)), 4711};
    const auto parts = encode(acme_, checkpoint);
    ASSERT_THAT(parts, SizeIs(1));
    expect_same(decode(parts).value(), checkpoint);
  }
}

TEST_F(Checkpoints, ComeBackFromPartsOfAnySize) {
  const Checkpoint checkpoint{chance_.book(40, 60), 4711};
  for (std::size_t part_bytes_max : {0, 1, 100, 500, 1'000, 5'000}) {
    auto parts = encode(acme_, checkpoint, part_bytes_max);
    EXPECT_GT(parts.size(), 1u);
    EXPECT_EQ(parts_of(parts[0]).value(), parts.size());
    expect_same(decode(parts).value(), checkpoint);
  }
}

TEST_F(Checkpoints, HavePartsBelowTheLimit) {
  const Checkpoint checkpoint{chance_.book(200, 400), 4711};
  constexpr std::size_t kLimit = 8'000;  // above the largest call
  const auto parts = encode(acme_, checkpoint, kLimit);
  EXPECT_GT(parts.size(), 5u);
  for (const auto& part : parts) EXPECT_LE(part.size(), kLimit);
}

TEST_F(Checkpoints, OfHugeCallsHaveThemAlone) {
  Checkpoint checkpoint{chance_.book(3, 0), 1};
  for (auto& [id, call] : checkpoint.book.calls) call.data["note"] = std::string(10'000, 'x');
  const auto parts = encode(acme_, checkpoint, 4'096);
  EXPECT_THAT(parts, SizeIs(3));
  expect_same(decode(parts).value(), checkpoint);
}

TEST_F(Checkpoints, AreRefusedWithoutAllParts) {
  const Checkpoint checkpoint{chance_.book(20, 20), 4711};
  const auto parts = encode(acme_, checkpoint, 1'000);
  ASSERT_GT(parts.size(), 3u);
  EXPECT_EQ(decode({}).error(), Errc::bad_frame);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto without = parts;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(decode(without).error(), Errc::bad_frame);
    auto twice = parts;
    twice[i] = parts[(i + 1) % parts.size()];
    EXPECT_EQ(decode(twice).error(), Errc::bad_frame);
    auto cut = parts;
    cut[i].pop_back();
    EXPECT_EQ(decode(cut).error(), Errc::bad_frame);
  }
}

TEST_F(Checkpoints, AreRefusedWithPartsOfAnother) {
  Checkpoint checkpoint{chance_.book(20, 20), 4711};
  const auto parts = encode(acme_, checkpoint, 1'000);
  const auto expect_refused_with = [&](const Checkpoint& other) {
    auto mixed = parts;
    const auto others = encode(acme_, other, 1'000);
    ASSERT_EQ(others.size(), parts.size());
    mixed.back() = others.back();
    EXPECT_EQ(decode(mixed).error(), Errc::bad_frame);
  };
  auto later = checkpoint;
  ++later.book.sequence;
  expect_refused_with(later);
  auto taken_over = checkpoint;
  ++taken_over.book.epoch;
  expect_refused_with(taken_over);
  // Something that no event tells changed: only the hash knows.
  auto silent = checkpoint;
  silent.book.devices.begin()->second.controllable ^= true;
  expect_refused_with(silent);
}

TEST_F(Checkpoints, AreRefusedWhenTheyAreNone) {
  for (const char* bytes : {"", "{}", "\xff\xff\xff"}) {
    EXPECT_EQ(parts_of(bytes).error(), Errc::bad_frame);
    EXPECT_EQ(decode({bytes}).error(), Errc::bad_frame);
  }
  v1::Checkpoint part;
  part.set_parts(kCheckpointPartsMax);
  EXPECT_EQ(parts_of(part.SerializeAsString()).value(), kCheckpointPartsMax);
  part.set_parts(kCheckpointPartsMax + 1);
  EXPECT_EQ(parts_of(part.SerializeAsString()).error(), Errc::bad_frame);
  part.set_parts(1);
  part.add_calls()->set_name("no name");
  EXPECT_EQ(decode({part.SerializeAsString()}).error(), Errc::bad_frame);
}

}  // namespace
}  // namespace wire
