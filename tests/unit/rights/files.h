#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "config/problem.h"

namespace rights {

// A folder of its own for each test, gone with it, and what stands in it.
struct Files {
  std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) /
      (std::string("rights-") + testing::UnitTest::GetInstance()->current_test_info()->name() +
       '-' + std::to_string(getpid()));

  Files() { std::filesystem::create_directories(path); }
  ~Files() { std::filesystem::remove_all(path); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  std::filesystem::path write(std::string_view name, std::string_view text) const {
    const auto file = path / name;
    std::ofstream(file) << text;
    return file;
  }
};

// "3: principals[0].name: …": without the folder, which is another each time.
inline std::vector<std::string> lines_of(const std::vector<config::Problem>& problems) {
  std::vector<std::string> lines;
  for (const auto& problem : problems) {
    auto shown = problem;
    shown.file = std::filesystem::path(problem.file).filename().string();
    lines.push_back(shown.text());
  }
  return lines;
}

}  // namespace rights
