#pragma once

#include <ostream>
#include <string>

#include <gmock/gmock.h>

#include "conformance/bench.h"
#include "conformance/gateway.h"
#include "conformance/office.h"
#include "conformance/scenarios.h"
#include "conformance/story.h"

namespace conformance {

inline void PrintTo(const Bench* bench, std::ostream* out) { *out << bench->name; }

// One instance for each bench.
class Conformance : public testing::TestWithParam<const Bench*> {
 protected:
  void SetUp() override { ASSERT_NE(pbx::find_vendor(bench().vendor), nullptr); }
  const pbx::Vendor& vendor() const { return *pbx::find_vendor(bench().vendor); }
  const Bench& bench() const { return *GetParam(); }
};

inline std::string bench_name(const testing::TestParamInfo<const Bench*>& each) {
  return each.param->name;
}

}  // namespace conformance

#define CONFORMANCE_OF_ALL_VENDORS(suite)                                              \
  INSTANTIATE_TEST_SUITE_P(                                                            \
      Conformance, suite,                                                              \
      testing::ValuesIn(conformance::benches().begin(), conformance::benches().end()), \
      conformance::bench_name)
