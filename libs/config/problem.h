#pragma once

#include <span>
#include <string>
#include <string_view>

namespace config {

// One mistake in a configuration, in words for whoever wrote it.
struct Problem {
  std::string file;      // empty if an environment variable is to blame
  int line = 0;          // in `file`, from 1; 0 if the whole file is meant
  std::string variable;  // the environment variable's name
  std::string path;      // "tenants[2].pbx.url"; empty for the document itself
  std::string message;   // what was found (never a secret), and what was expected

  // "gateway.yaml:12: nats.url: found …; expected …"
  std::string text() const;
};

// `text` in quotes as it may be shown to an operator: cut to some 60 characters, control characters
// escaped, and the user and password of a URL masked.
std::string quote(std::string_view text);

// The one of `known` that `word` was probably meant to be; empty if none is near.
std::string_view nearest(std::string_view word, std::span<const std::string> known);

}  // namespace config
