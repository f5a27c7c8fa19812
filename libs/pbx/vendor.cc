#include "pbx/vendor.h"

#include <array>

#include "pbx/innova360/vendor.h"
#include "pbx/innovaphone/vendor.h"
#include "pbx/vodia/vendor.h"
#include "pbx/webitel/vendor.h"

namespace pbx {

std::span<const Vendor> vendors() {
  static const std::array kVendors{
      innova360::vendor(),
      innovaphone::vendor(),
      vodia::vendor(),
      webitel::vendor(),
  };
  return kVendors;
}

const Vendor* find_vendor(std::string_view name) {
  for (const Vendor& vendor : vendors()) {
    if (vendor.name == name) return &vendor;
  }
  return nullptr;
}

}  // namespace pbx
