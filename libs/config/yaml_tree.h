#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace config {

// A YAML document as we read it: with lines, and without types, which the settings bring along.
struct Node {
  struct Entry;
  using Pointer = std::shared_ptr<const Node>;  // aliases share what their anchor names
  enum class Kind { null, scalar, list, mapping };

  Kind kind = Kind::null;
  int line = 0;
  std::string text;            // of a scalar
  std::vector<Pointer> items;  // of a list
  std::vector<Entry> entries;  // of a mapping, each key once

  const Entry* find(std::string_view key) const;  // null if there is none
};

struct Node::Entry {
  std::string key;
  int line = 0;
  Pointer value;
};

// What may be said about a node that should have been something else: `"abc"`, "a list", "nothing".
std::string found_of(const Node& node);

// Null if the text is no YAML at all, or exceeds a limit; `problems` then has the one reason. Else
// the tree, and in `problems` what is wrong about it whatever the settings are: keys given twice.
// Does not throw, whatever the text.
Node::Pointer yaml_tree_from(const std::string& text, const std::string& file,
                             std::vector<Problem>& problems);

}  // namespace config
