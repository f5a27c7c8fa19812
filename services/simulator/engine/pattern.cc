#include "simulator/engine/pattern.h"

namespace simulator::engine {

std::string ExtensionPattern::of(std::string_view extension) const {
  return before + std::string(extension) + after;
}

std::string_view ExtensionPattern::extension_in(std::string_view text) const {
  if (text.size() <= before.size() + after.size()) return {};
  if (!text.starts_with(before) || !text.ends_with(after)) return {};
  return text.substr(before.size(), text.size() - before.size() - after.size());
}

}  // namespace simulator::engine
