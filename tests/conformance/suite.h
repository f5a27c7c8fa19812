#pragma once

#include <ostream>
#include <string>

#include <gmock/gmock.h>

#include "conformance/bench.h"
#include "conformance/gateway.h"
#include "conformance/office.h"
#include "conformance/scenarios.h"
#include "conformance/story.h"

namespace pbx {
inline void PrintTo(const Vendor& vendor, std::ostream* out) { *out << vendor.name; }
}  // namespace pbx

namespace conformance {

// One instance for each row of the registry.
class Conformance : public testing::TestWithParam<pbx::Vendor> {
 protected:
  void SetUp() override {
    ASSERT_NE(find_bench(GetParam().name), nullptr)
        << "a vendor needs a bench: tests/conformance/bench.h";
  }
  const pbx::Vendor& vendor() const { return GetParam(); }
  const Bench& bench() const { return *find_bench(GetParam().name); }
};

inline std::string vendor_name(const testing::TestParamInfo<pbx::Vendor>& each) {
  return each.param.name;
}

}  // namespace conformance

#define CONFORMANCE_OF_ALL_VENDORS(suite)                                                   \
  INSTANTIATE_TEST_SUITE_P(Conformance, suite,                                              \
                           testing::ValuesIn(pbx::vendors().begin(), pbx::vendors().end()), \
                           conformance::vendor_name)
