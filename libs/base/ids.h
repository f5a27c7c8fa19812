#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace base {

// A string that cannot be mixed up with another kind of string.
template <class Kind>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}
  explicit Id(std::string_view text) : text_(text) {}
  explicit Id(const char* text) : text_(text) {}

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::string text_;
};

// A customer, and the one PBX (or group of PBXs) that is theirs. Named in the configuration.
using TenantId = Id<struct TenantKind>;
// A device within a tenant: an extension's number, a trunk's name, an outside party's number.
using DeviceId = Id<struct DeviceKind>;
// A call within a tenant. Ours, not the PBX's: unique over reconnects, restarts and takeovers.
using CallId = Id<struct CallKind>;

}  // namespace base

template <class Kind>
struct std::hash<base::Id<Kind>> {
  std::size_t operator()(const base::Id<Kind>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
