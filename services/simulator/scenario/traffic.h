#pragma once

#include <optional>
#include <queue>
#include <vector>

#include "config/section.h"
#include "simulator/engine/random.h"
#include "simulator/engine/tenant.h"
#include "simulator/scenario/operation.h"

namespace simulator::scenario {

// What an office does all day, in per cent of its calls.
struct TrafficOptions {
  double calls_per_second = 0;   // one of the two is given
  double events_per_second = 0;  // of frames to one supervisor; reached after a while
  std::uint64_t seed = 1;
  std::optional<engine::Millis> lasts;
  unsigned incoming = 30, outgoing = 25;               // the rest is internal
  unsigned missed = 12, busy = 6, rejected = 4;        // the rest is answered
  unsigned held = 15, transferred = 8, recorded = 10;  // of those answered
  engine::Millis ring_least{2'000}, ring_most{12'000};
  engine::Millis talk_least{5'000}, talk_most{90'000};
};

TrafficOptions read_traffic(const config::Section& section);

// Random calls at one tenant, the same ones for the same seed. Pure, and driven as the tenant is.
// Calls only between extensions that are idle; while there are none, calls are left out.
class Traffic {
 public:
  Traffic(const TrafficOptions& options, engine::TimePoint start);

  engine::TimePoint deadline() const;  // max() once it is over
  // `events`: as the dialect has counted them.
  void advance(engine::Tenant& tenant, std::uint64_t events, engine::TimePoint now);

  bool over() const { return deadline() == engine::TimePoint::max(); }
  std::uint64_t started() const { return started_; }
  std::uint64_t left_out() const { return left_out_; }
  const TrafficOptions& options() const { return options_; }

 private:
  struct Deed {
    enum class Kind : std::uint8_t { hold, retrieve, transfer, record, abandon };
    engine::TimePoint at;
    std::uint64_t order;
    Kind kind;
    engine::LegId leg;
    engine::Millis rest;  // of the talk, after a transfer
    bool operator>(const Deed& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void place_call(engine::Tenant& tenant, engine::TimePoint now);
  void plan_talk(engine::LegId leg, engine::TimePoint answered, engine::Millis talk);
  void perform(const Deed& deed, engine::Tenant& tenant);
  void schedule(Deed::Kind kind, engine::TimePoint at, engine::LegId leg, engine::Millis rest = {});
  engine::ExtensionIndex idle_extension(const engine::Tenant& tenant,
                                        engine::ExtensionIndex not_this);
  bool chance(unsigned percent) { return random_.below(100) < percent; }
  engine::Millis between(engine::Millis least, engine::Millis most);
  std::chrono::nanoseconds next_gap();

  TrafficOptions options_;
  engine::Random random_;
  engine::TimePoint next_call_, until_;
  std::priority_queue<Deed, std::vector<Deed>, std::greater<>> deeds_;
  std::uint64_t last_deed_ = 0, started_ = 0, left_out_ = 0;
  std::optional<std::uint64_t> events_before_;
  double events_per_call_;
};

}  // namespace simulator::scenario
