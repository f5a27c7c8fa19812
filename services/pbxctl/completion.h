#pragma once

#include <string>

#include <CLI/App.hpp>

namespace pbxctl {

// A script for the shell ("bash", "zsh" or "fish") that completes verbs, options, and those of
// their values that can be listed: read from `root`, so that it knows what the parser knows.
std::string completion(const CLI::App& root, const std::string& shell);

}  // namespace pbxctl
