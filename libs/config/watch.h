#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/any_io_executor.hpp>

namespace config {

// Tells when a file may have changed: written in place, replaced by a rename, or behind a symbolic
// link that was turned to another target, as Kubernetes does with mounted ConfigMaps ("..data").
// It watches the file's folder, which has to stay; the file itself may come and go. So it does with
// the files that the first one names: thousands of secrets in one folder are one watch. Belongs to
// one executor that runs one handler at a time (a thread's io_context or a strand): created,
// destroyed and called back there.
class FileWatch {
 public:
  // Whether it is a change, too, that the file is gone.
  enum class Absence { silent, told };

  static constexpr std::size_t kFoldersMax = 10'000;  // and those that links in them lead to

  // Calls `changed` once the file has been quiet for `settle`, or after ten times that if it never
  // is: an editor's five writes are one change. Not while `file` is absent, unless that is to be
  // told. Throws std::system_error if the folder cannot be watched.
  FileWatch(boost::asio::any_io_executor executor, std::filesystem::path file,
            std::chrono::milliseconds settle, std::function<void()> changed,
            Absence absence = Absence::silent);
  ~FileWatch();  // `changed` is not called any more
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // Watches these as well, in place of those given before; that one of them is gone is a change
  // too. Returns those that cannot be watched, each with the reason; beyond kFoldersMax none can.
  std::map<std::filesystem::path, std::string> also(const std::set<std::filesystem::path>& files);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace config
