#pragma once

#include <string>
#include <string_view>

namespace simulator::engine {

// "agent-{extension}": an extension's number between two fixed texts.
struct ExtensionPattern {
  std::string before, after;

  std::string of(std::string_view extension) const;
  // The extension, or empty if `text` does not fit.
  std::string_view extension_in(std::string_view text) const;
};

}  // namespace simulator::engine
