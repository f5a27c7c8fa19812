#include "config/file_state.h"

#include <sys/stat.h>

namespace config {

std::optional<FileState> state_of(const std::filesystem::path& path) {
  struct stat it {};
  if (::stat(path.c_str(), &it) != 0) return std::nullopt;
  return FileState{it.st_dev, it.st_ino, it.st_size, it.st_mtim.tv_sec, it.st_mtim.tv_nsec};
}

}  // namespace config
