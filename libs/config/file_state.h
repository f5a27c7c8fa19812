#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include <sys/types.h>

namespace config {

// Which file stands behind a path, links followed, and in which state: as long as two are the same
// nobody has written it or put another in its place.
struct FileState {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t seconds = 0, nanoseconds = 0;

  bool operator==(const FileState&) const = default;
};

// Nothing if there is no such file, or it may not be looked at.
std::optional<FileState> state_of(const std::filesystem::path& path);

}  // namespace config
