#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "config/reference.h"
#include "config/section.h"

namespace config {

using Environment = std::map<std::string, std::string>;

// A file beside the document, as it was when a setting named it.
struct ReadFile {
  std::string content;  // of a secret; empty for other files
  std::string version;  // stands for the content: another one once that has changed
};
using Files = std::map<std::filesystem::path, ReadFile>;

// All of this process's environment variables.
Environment process_environment();

// One configuration: a YAML file, and the environment variables that override single settings of it
// (nats.url by PBXGW_NATS_URL). A service reads its settings through root(), which always hands out
// a usable value, and then asks finish() for everything that was wrong; only if that is nothing,
// the values count. Not thread-safe; the values read do not refer to it.
//
//   auto document = config::Document::load(path, config::process_environment());
//   auto settings = settings_from(document.root());
//   if (auto problems = document.finish(); !problems.empty()) …
class Document {
 public:
  static constexpr std::size_t kBytesMax = 16 << 20;
  static constexpr std::size_t kProblemsMax = 100;

  // A file that cannot be read, or is no YAML, is a problem like any other, reported by finish().
  // `before`: the files of the document before this one. Where one of them is missing or empty now,
  // because somebody is just replacing it, what it said before still counts, and kept() tells so.
  static Document load(const std::filesystem::path& file, Environment environment,
                       Files before = {});
  // As load(), of a file's text; relative paths in it are taken from `file`'s folder.
  static Document parse(const std::string& text, const std::filesystem::path& file,
                        Environment environment, Files before = {});
  // No file at all: reading through it visits each list once, and settings() then has everything
  // that can be set. Section::documenting() tells the reader not to skip what depends on a value.
  static Document for_reference();

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  Section root();

  // Declares a PBXGW_ variable that is not a setting, such as the one that names the file.
  void allow_variable(std::string_view name, std::string_view doc);

  // Everything wrong with what was read, and everything that was there but never read: by line,
  // then what the environment is to blame for. At most kProblemsMax, and then how many more.
  std::vector<Problem> finish() const;

  // The files that settings have named so far: secrets, keys, certificates. One that could not be
  // read is there without a version, so that it can be watched.
  const Files& files() const;
  // Which of them count as they were before, and why: sentences for operators.
  const std::vector<std::string>& kept() const;

  const std::vector<Setting>& settings() const;
  // The settings as a Markdown table.
  std::string reference() const;

 private:
  explicit Document(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace config
