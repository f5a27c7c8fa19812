#pragma once

#include <span>
#include <string>

namespace config {

// What the documentation says about one setting: recorded while it is read.
struct Setting {
  std::string path;         // "tenants[].name": the same for every item of a list
  std::string type;         // "text", "duration", "list of text", …
  std::string otherwise;    // its value if it is not given; "required" or "none"
  std::string allowed;      // "1 to 65535", "one of json, text"; may be empty
  std::string environment;  // the variable that overrides it; empty within lists
  std::string doc;          // a sentence
};

// A Markdown table of settings, one row each, in the order given.
std::string markdown_of(std::span<const Setting> settings);

}  // namespace config
