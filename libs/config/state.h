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
};

}  // namespace config
