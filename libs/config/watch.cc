#include "config/watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/inotify.h>
#include <sys/stat.h>

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

// Which file stands behind the path, links followed, and in which state.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t seconds = 0, nanoseconds = 0;

  bool operator==(const Identity&) const = default;
};

std::optional<Identity> identity_of(const std::filesystem::path& path) {
  struct stat it {};
  if (::stat(path.c_str(), &it) != 0) return std::nullopt;
  return Identity{it.st_dev, it.st_ino, it.st_size, it.st_mtim.tv_sec, it.st_mtim.tv_nsec};
}

}  // namespace

struct FileWatch::Impl : std::enable_shared_from_this<FileWatch::Impl> {
  asio::posix::stream_descriptor inotify;
  asio::steady_timer timer;
  std::filesystem::path file;
  std::chrono::milliseconds settle;
  std::function<void()> changed;
  std::optional<Identity> seen;
  std::string target_name;   // of the file behind the link, if its own folder is watched too
  Clock::time_point latest;  // when to call back at last; set while `pending`
  bool pending = false;
  bool stopped = false;
  alignas(inotify_event) std::array<char, 16 << 10> buffer{};

  Impl(const asio::any_io_executor& executor, std::filesystem::path path,
       std::chrono::milliseconds quiet, std::function<void()> callback)
      : inotify(executor, inotify_or_throw()),
        timer(executor),
        file(std::move(path)),
        settle(quiet),
        changed(std::move(callback)) {
    const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    if (inotify_add_watch(inotify.native_handle(), folder.c_str(), kEvents) < 0) {
      throw std::system_error(errno, std::generic_category(), "cannot watch " + folder.string());
    }
    seen = identity_of(file);
    follow_link();
  }

  // A link may lead out of the folder, to a file that is then written in place. Where it leads can
  // change with each event. Folders that are gone drop out of inotify by themselves; the link's own
  // folder is enough if this one cannot be watched.
  void follow_link() {
    std::error_code error;
    const auto target = std::filesystem::canonical(file, error);
    if (error) return;
    target_name = target.filename().string();
    inotify_add_watch(inotify.native_handle(), target.parent_path().c_str(), kEvents | IN_MASK_ADD);
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
    bool touched = false;
    while (events.size() >= sizeof(inotify_event)) {
      inotify_event event;
      std::memcpy(&event, events.data(), sizeof event);
      const char* name = event.len > 0 ? events.data() + sizeof event : "";
      if (event.mask & IN_Q_OVERFLOW) touched = true;
      if (event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) {
        touched = touched || file.filename() == name || name == target_name;
      }
      events.remove_prefix(sizeof event + event.len);
    }
    // A turned link shows in none of the names: its own is "..data", or anything.
    const auto now = identity_of(file);
    if (now != seen) touched = true;
    seen = now;
    follow_link();
    if (touched) schedule();
  }

  void schedule() {
    if (!pending) latest = Clock::now() + settle * kPatience;
    pending = true;
    timer.expires_at(std::min(Clock::now() + settle, latest));
    timer.async_wait([self = shared_from_this()](const auto& error) {
      if (error || self->stopped) return;
      self->pending = false;
      // While it is absent there is nothing to read; it will come back, or not.
      if (self->seen) self->changed();
    });
  }
};

FileWatch::FileWatch(asio::any_io_executor executor, std::filesystem::path file,
                     std::chrono::milliseconds settle, std::function<void()> changed)
    : impl_(std::make_shared<Impl>(executor, std::move(file), settle, std::move(changed))) {
  impl_->read();
}

FileWatch::~FileWatch() {
  impl_->stopped = true;
  impl_->timer.cancel();
  boost::system::error_code ignored;
  impl_->inotify.close(ignored);
}

}  // namespace config
