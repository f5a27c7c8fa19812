#include "config/watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/inotify.h>

#include "config/file_state.h"

namespace config {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr auto kEvents =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;
constexpr int kPatience = 10;  // times `settle`

int inotify_or_throw() {
  const int descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "inotify");
  return descriptor;
}

}  // namespace

struct FileWatch::Impl : std::enable_shared_from_this<FileWatch::Impl> {
  static constexpr int kNone = -1;

  struct File {
    std::optional<FileState> seen{};
    int folder = kNone, target = kNone;  // descriptors of watches
    std::string target_name{};           // behind the link, in the folder of `target`
  };
  using Files = std::map<std::filesystem::path, File>;
  // Of one watch: the files it is for, by their names there.
  using Folder = std::multimap<std::string, Files::value_type*, std::less<>>;

  asio::posix::stream_descriptor inotify;
  asio::steady_timer timer;
  const std::filesystem::path main;
  std::chrono::milliseconds settle;
  std::function<void()> changed;
  const Absence absence;
  Files files;
  std::map<int, Folder> folders;  // by the watch's descriptor
  std::set<int> touched;          // folders in which something happened
  std::set<std::filesystem::path> written, doubtful;
  Clock::time_point latest;  // when to look at last; set while `pending`
  bool pending = false;
  bool stopped = false;
  alignas(inotify_event) std::array<char, 16 << 10> buffer{};

  Impl(const asio::any_io_executor& executor, std::filesystem::path path,
       std::chrono::milliseconds quiet, std::function<void()> callback, Absence when_absent)
      : inotify(executor, inotify_or_throw()),
        timer(executor),
        main(std::move(path)),
        settle(quiet),
        changed(std::move(callback)),
        absence(when_absent) {
    if (!add(main)) {
      throw std::system_error(errno, std::generic_category(),
                              "cannot watch " + folder_of(main).string());
    }
  }

  static std::filesystem::path folder_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  }

  // False, and errno, if its folder cannot be watched.
  bool add(const std::filesystem::path& path) {
    const auto [entry, is_new] = files.try_emplace(path);
    auto& [key, file] = *entry;
    file.folder = watch(folder_of(path), file.folder, path.filename().string(), *entry);
    const bool watched = file.folder != kNone;
    const int error = errno;
    follow_link(*entry);
    if (is_new) file.seen = state_of(path);
    errno = error;
    return watched;
  }

  // A link may lead out of the folder, to a file that is then written in place. The link's own
  // folder is enough if this one cannot be watched.
  void follow_link(Files::value_type& entry) {
    auto& [path, file] = entry;
    std::error_code error;
    const auto target = std::filesystem::canonical(path, error);
    if (error) return;
    auto name = target.filename().string();
    if (name != file.target_name) {
      forget(file.target, file.target_name, entry);
      file.target = kNone;
    }
    file.target_name = std::move(name);
    file.target = watch(target.parent_path(), file.target, file.target_name, entry);
  }

  // Watches a folder for `entry`, which was watched by `before`; the watch's descriptor.
  int watch(const std::filesystem::path& folder, int before, const std::string& name,
            Files::value_type& entry) {
    int now = inotify_add_watch(inotify.native_handle(), folder.c_str(), kEvents);
    if (now != kNone && !folders.contains(now) && folders.size() >= 2 * kFoldersMax) {
      inotify_rm_watch(inotify.native_handle(), std::exchange(now, kNone));
      errno = ENOSPC;
    }
    if (now == before) return now;
    const int error = errno;
    forget(before, name, entry);
    if (now != kNone) folders[now].emplace(name, &entry);
    errno = error;
    return now;
  }

  void forget(int descriptor, std::string_view name, const Files::value_type& entry) {
    const auto found = folders.find(descriptor);
    if (found == folders.end()) return;
    Folder& folder = found->second;
    const auto [first, last] = folder.equal_range(name);
    for (auto it = first; it != last; ++it) {
      if (it->second != &entry) continue;
      folder.erase(it);
      break;
    }
    if (!folder.empty()) return;
    folders.erase(found);
    inotify_rm_watch(inotify.native_handle(), descriptor);
  }

  void remove(Files::iterator it) {
    auto& [path, file] = *it;
    forget(file.folder, path.filename().string(), *it);
    forget(file.target, file.target_name, *it);
    files.erase(it);
  }

  std::map<std::filesystem::path, std::string> replace(
      const std::set<std::filesystem::path>& wanted) {
    for (auto it = files.begin(); it != files.end();) {
      const auto next = std::next(it);
      if (it->first != main && !wanted.contains(it->first)) remove(it);
      it = next;
    }
    std::map<std::filesystem::path, std::string> unwatched;
    for (const auto& path : wanted) {
      if (!add(path)) unwatched.try_emplace(path, std::strerror(errno));
    }
    return unwatched;
  }

  void read() {
    inotify.async_read_some(asio::buffer(buffer),
                            [self = shared_from_this()](const auto& error, std::size_t size) {
                              if (error || self->stopped) return;
                              self->on_events({self->buffer.data(), size});
                              self->read();
                            });
  }

  void on_events(std::string_view events) {
    while (events.size() >= sizeof(inotify_event)) {
      inotify_event event;
      std::memcpy(&event, events.data(), sizeof event);
      const char* name = event.len > 0 ? events.data() + sizeof event : "";
      note(event, name);
      events.remove_prefix(sizeof event + event.len);
    }
    if (!touched.empty() || !written.empty() || !doubtful.empty()) schedule();
  }

  void note(const inotify_event& event, std::string_view name) {
    if (event.mask & IN_Q_OVERFLOW) {
      for (const auto& [path, file] : files) written.insert(path);
      return;
    }
    const auto found = folders.find(event.wd);
    if (found == folders.end()) return;
    // A turned link shows in none of the names: its own is "..data", or anything.
    touched.insert(event.wd);
    if (event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) {
      // Perhaps as long as before, and within the same tick of the file system's clock.
      const auto [first, last] = found->second.equal_range(name);
      for (auto it = first; it != last; ++it) written.insert(it->second->first);
    }
    if (event.mask & IN_IGNORED) {
      for (const auto& [its_name, entry] : found->second) {
        auto& file = entry->second;
        (file.folder == event.wd ? file.folder : file.target) = kNone;
        doubtful.insert(entry->first);
      }
      folders.erase(found);
    }
  }

  void schedule() {
    if (!pending) latest = Clock::now() + settle * kPatience;
    pending = true;
    timer.expires_at(std::min(Clock::now() + settle, latest));
    timer.async_wait([self = shared_from_this()](const auto& error) {
      if (error || self->stopped) return;
      self->pending = false;
      if (self->look()) self->changed();
    });
  }

  // Whether something is to be told of what happened since the last time.
  bool look() {
    const auto certain = std::exchange(written, {});
    auto suspects = std::exchange(doubtful, {});
    suspects.insert(certain.begin(), certain.end());
    for (const int descriptor : std::exchange(touched, {})) {
      const auto found = folders.find(descriptor);
      if (found == folders.end()) continue;
      for (const auto& [name, entry] : found->second) suspects.insert(entry->first);
    }
    bool is_change = false;
    for (const auto& path : suspects) {
      const auto found = files.find(path);
      if (found == files.end()) continue;
      auto& file = found->second;
      if (state_of(path) != file.seen || file.folder == kNone || file.target == kNone) {
        add(path);
      }
      const auto now = state_of(path);
      const bool differs = now != file.seen || certain.contains(path);
      file.seen = now;
      // While it is absent there is nothing to read; it will come back, or not.
      const bool counts = now || path != main || absence == Absence::told;
      is_change = is_change || (differs && counts);
    }
    return is_change;
  }
};

FileWatch::FileWatch(asio::any_io_executor executor, std::filesystem::path file,
                     std::chrono::milliseconds settle, std::function<void()> changed,
                     Absence absence)
    : impl_(
          std::make_shared<Impl>(executor, std::move(file), settle, std::move(changed), absence)) {
  impl_->read();
}

FileWatch::~FileWatch() {
  impl_->stopped = true;
  impl_->timer.cancel();
  boost::system::error_code ignored;
  impl_->inotify.close(ignored);
}

std::map<std::filesystem::path, std::string> FileWatch::also(
    const std::set<std::filesystem::path>& files) {
  return impl_->replace(files);
}

}  // namespace config
