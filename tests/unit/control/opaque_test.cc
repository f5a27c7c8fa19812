#include "control/opaque.h"

#include <random>

#include <gmock/gmock.h>

#include "control/resume_marker.h"

namespace control {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

TEST(Opaque, ComesBackInItsContextOnly) {
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    std::string payload(random() % 40, '\0');
    for (char& c : payload) c = static_cast<char>(random());
    const std::string text = seal(payload, "here");
    EXPECT_THAT(text, MatchesRegex("[A-Za-z0-9_-]+"));
    EXPECT_EQ(unseal(text, "here"), payload);
    EXPECT_EQ(unseal(text, "there"), std::nullopt);
  }
}

TEST(Opaque, NoticesEveryChange) {
  const std::string text = seal("tenants/acme", "here");
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = other[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(unseal(other, "here"), std::nullopt) << at;
    EXPECT_EQ(unseal(text.substr(0, at), "here"), std::nullopt) << at;
  }
  EXPECT_EQ(unseal(text + "A", "here"), std::nullopt);
  EXPECT_EQ(unseal(text + "=", "here"), std::nullopt);
  EXPECT_EQ(unseal("not one of ours!", "here"), std::nullopt);
}

TEST(Packer, KeepsPartsApart) {
  const std::string text = Packer().add("a:1").add("").add(std::uint64_t{42}).text();
  EXPECT_THAT(unpack(text).value(), ElementsAre("a:1", "", "42"));
  EXPECT_NE(Packer().add("ab").add("c").text(), Packer().add("a").add("bc").text());
  for (const char* broken : {"x", "5:abc", ":", "99999999999:", "1"}) {
    EXPECT_EQ(unpack(broken), std::nullopt) << broken;
  }
}

TEST(ResumeMarker, ComesBackForTheSameFilterOnly) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 200; ++i) {
    Place place{random(), random() >> (random() % 64), {}};
    for (auto n = random() % 4; n > 0; --n) place.owed.push_back("t" + std::to_string(random()));
    const std::string marker = marker_of(place, "filter");
    EXPECT_THAT(marker, MatchesRegex("[A-Za-z0-9_-]+"));
    EXPECT_EQ(place_of(marker, "filter"), place);
    EXPECT_EQ(place_of(marker, "another"), std::nullopt);
  }
}

TEST(ResumeMarker, IsNoPageToken) {
  EXPECT_EQ(place_of(seal(Packer().add("1").add("2").text(), "filter"), "filter"), std::nullopt);
  EXPECT_EQ(place_of("", "filter"), std::nullopt);
}

}  // namespace
}  // namespace control
