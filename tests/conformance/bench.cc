#include "conformance/bench.h"

#include <array>

namespace conformance {

extern const Bench kInnova360, kInnovaphone, kInnovaphoneInbound, kVodia70, kVodia67, kVodia2016,
    kWebitel, kWebitelUsers;

std::span<const Bench* const> benches() {
  static constexpr std::array kBenches{
      &kInnova360, &kInnovaphone, &kInnovaphoneInbound, &kVodia70, &kVodia67,
      &kVodia2016, &kWebitel,     &kWebitelUsers,
  };
  return kBenches;
}

const Otherwise* otherwise(const Bench& bench, std::string_view scenario) {
  for (const Otherwise& it : bench.otherwise) {
    if (it.scenario == scenario) return &it;
  }
  return nullptr;
}

const NotOffered* not_offered(const Bench& bench, std::string_view scenario) {
  for (const NotOffered& it : bench.not_offered) {
    if (it.scenario == scenario) return &it;
  }
  return nullptr;
}

bool is_unsteady(const Bench& bench, std::string_view scenario) {
  const NotOffered* row = not_offered(bench, scenario);
  return row && row->unsteady;
}

}  // namespace conformance
