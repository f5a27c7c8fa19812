#include "config/watch.h"

#include <fstream>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include "sample.h"
#include "support/patience.h"

namespace config {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A folder with a file in it, a watch on the file, and what the watch said.
struct FileWatchTest : testing::Test {
  Folder folder;
  fs::path file = folder.path / "gw.yaml";
  boost::asio::io_context io;
  int calls = 0;
  std::string content;  // as it was at the last call

  static void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

  std::unique_ptr<FileWatch> watch(std::chrono::milliseconds settle = 1ms,
                                   FileWatch::Absence absence = FileWatch::Absence::silent) {
    const auto changed = [this] {
      ++calls;
      std::ifstream in(file);
      if (!std::getline(in, content)) content = "nothing";
    };
    return std::make_unique<FileWatch>(io.get_executor(), file, settle, changed, absence);
  }

  // Until the file was read with this content; the limit only ends a test that fails.
  void run_until(const std::string& expected) {
    const auto limit = std::chrono::steady_clock::now() + support::kPatience;
    while (content != expected && std::chrono::steady_clock::now() < limit) io.run_one_until(limit);
    EXPECT_EQ(content, expected);
  }
};

TEST_F(FileWatchTest, SeesTheFileWritten) {
  write(file, "one");
  auto it = watch();
  write(file, "two");
  run_until("two");
  write(file, "six");  // as long as before, and within the same tick of the file system's clock
  run_until("six");
}

TEST_F(FileWatchTest, SeesTheFileReplaced) {
  write(file, "one");
  auto it = watch();
  write(folder.path / "new", "two");
  fs::rename(folder.path / "new", file);
  run_until("two");
}

TEST_F(FileWatchTest, SeesTheFileComeBack) {
  write(file, "one");
  auto it = watch();
  fs::remove(file);
  write(file, "two");
  run_until("two");
}

TEST_F(FileWatchTest, TellsThatTheFileIsGoneIfThatIsWanted) {
  write(file, "one");
  auto silent = watch();
  auto it = watch(1ms, FileWatch::Absence::told);
  fs::remove(file);
  run_until("nothing");
  EXPECT_EQ(calls, 1);
  write(file, "two");
  run_until("two");
}

TEST_F(FileWatchTest, SeesAFileThatWasNotThere) {
  auto it = watch();
  write(file, "one");
  run_until("one");
}

// As the kubelet updates a mounted ConfigMap.
TEST_F(FileWatchTest, SeesALinkTurned) {
  const auto publish = [&](const std::string& version, const std::string& text) {
    fs::create_directory(folder.path / ("..v" + version));
    write(folder.path / ("..v" + version) / "gw.yaml", text);
    fs::create_directory_symlink("..v" + version, folder.path / "..data_tmp");
    fs::rename(folder.path / "..data_tmp", folder.path / "..data");
  };
  publish("1", "one");
  fs::create_symlink("..data/gw.yaml", file);
  auto it = watch();
  publish("2", "two");
  fs::remove_all(folder.path / "..v1");
  run_until("two");
  publish("3", "three");
  fs::remove_all(folder.path / "..v2");
  run_until("three");
}

TEST_F(FileWatchTest, SeesTheFileBehindALinkWritten) {
  fs::create_directory(folder.path / "elsewhere");
  write(folder.path / "elsewhere" / "real.yaml", "one");
  fs::create_symlink("elsewhere/real.yaml", file);
  auto it = watch();
  write(folder.path / "elsewhere" / "real.yaml", "two");
  run_until("two");
}

TEST_F(FileWatchTest, TellsManyWritesOnce) {
  write(file, "one");
  auto it = watch(50ms);
  for (int i = 0; i < 20; ++i) write(file, "again");
  write(file, "last");
  run_until("last");
  io.poll();
  EXPECT_EQ(calls, 1);
}

TEST_F(FileWatchTest, IsSilentAboutItsNeighbours) {
  write(file, "one");
  auto it = watch();
  write(folder.path / "other.yaml", "x");
  write(file, "two");
  run_until("two");
  EXPECT_EQ(calls, 1);
}

TEST_F(FileWatchTest, SeesTheFilesThatItNames) {
  write(file, "main");
  write(folder.path / "secret", "one");
  fs::create_directory(folder.path / "far");
  write(folder.path / "far" / "key", "one");
  auto it = watch();
  EXPECT_THAT(it->also({folder.path / "secret", folder.path / "far" / "key"}), testing::IsEmpty());
  const auto told = [&](const auto& work) {
    const int before = calls;
    work();
    const auto limit = std::chrono::steady_clock::now() + support::kPatience;
    while (calls == before && std::chrono::steady_clock::now() < limit) io.run_one_until(limit);
    EXPECT_EQ(calls, before + 1);
  };
  told([&] { write(folder.path / "secret", "two"); });
  told([&] { write(folder.path / "far" / "key", "two"); });
  // That one is gone is worth knowing, unlike the main file's absence.
  told([&] { fs::remove(folder.path / "far" / "key"); });
  told([&] { write(folder.path / "far" / "key", "back"); });

  EXPECT_THAT(it->also({folder.path / "secret"}), testing::IsEmpty());
  write(folder.path / "far" / "key", "nobody's any more");
  told([&] { write(folder.path / "secret", "six"); });
}

TEST_F(FileWatchTest, WatchesEachFolderOnce) {
  write(file, "main");
  std::set<fs::path> many{folder.path / "nowhere" / "x"};
  for (int i = 0; i < 500; ++i) {
    many.insert(folder.path / ("secret" + std::to_string(i)));
    write(folder.path / ("secret" + std::to_string(i)), "one");
  }
  auto it = watch();
  EXPECT_THAT(it->also(many), testing::ElementsAre(testing::Pair(folder.path / "nowhere" / "x",
                                                                 "No such file or directory")));
  int watches = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) watches += line.starts_with("inotify wd:");
  }
  EXPECT_EQ(watches, 1);
  for (int i = 0; i < 500; ++i) write(folder.path / ("secret" + std::to_string(i)), "two");
  write(file, "told once");
  run_until("told once");
  it->also({});
  write(folder.path / "secret7", "six");
  write(file, "still watched");
  run_until("still watched");
}

TEST_F(FileWatchTest, IsSilentOnceDestroyed) {
  write(file, "one");
  auto it = watch();
  write(file, "two");
  io.run_one();  // the event was read, the timer runs
  it.reset();
  io.run();  // nothing keeps it from ending
  EXPECT_EQ(calls, 0);
}

TEST_F(FileWatchTest, RefusesAFolderThatIsNotThere) {
  file = folder.path / "none" / "gw.yaml";
  EXPECT_THROW(watch(), std::system_error);
}

}  // namespace
}  // namespace config
