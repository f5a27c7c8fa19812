#pragma once

#include <span>
#include <string>

#include "pbx/vendor.h"

namespace connector {

// What each PBX can do, as Markdown, for the documentation. Services in their order; those that all
// vendors answer alike, one after the other, share a row.
std::string capability_table(std::span<const pbx::Vendor> vendors);
// The same with each vendor's own words: why not, or what to know.
std::string capability_reference(std::span<const pbx::Vendor> vendors);

}  // namespace connector
