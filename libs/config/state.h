#pragma once

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/yaml_tree.h"

namespace config {

// What a Document and its Sections share. Only document.cc and section.cc include this.
struct State {
  std::string file;              // as it is to be shown
  std::filesystem::path folder;  // relative paths in the file start here
  Environment environment;
  Node::Pointer tree;
  bool readable = true;  // if not, what is missing is nobody's mistake
  bool documenting = false;
  Files before, files;  // by the path that is opened
  std::vector<std::string> kept;

  std::vector<Problem> problems;
  std::vector<Setting> settings;
  std::set<std::string> recorded;                // paths of `settings`
  std::map<std::string, std::string> variables;  // known ones, and the paths of their settings
  std::set<std::string> named;                   // by the file, as the sources of secrets
  std::map<std::string, std::regex, std::less<>> patterns;  // dear to make, and used for each item

  // Which keys of a mapping its reader asked for, by the mapping's path.
  struct Known {
    const Node* node = nullptr;
    std::set<std::string, std::less<>> keys;
  };
  std::map<std::string, Known> known;

  // What `path` said before, now that it cannot be used for the reason `why`; null if it said
  // nothing.
  const ReadFile* keep(const std::filesystem::path& path, const std::string& why) {
    const auto found = before.find(path);
    if (found == before.end() || found->second.version.empty()) return nullptr;
    if (files[path].version.empty()) {
      kept.push_back(path.string() + ": " + why + "; what it said before still counts");
      files[path] = found->second;
    }
    return &found->second;
  }
};

// Stands for a file's content; never empty.
std::string version_of(std::string_view content);

}  // namespace config
