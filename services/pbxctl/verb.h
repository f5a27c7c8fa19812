#pragma once

#include <functional>
#include <span>

#include <CLI/App.hpp>

#include "pbxctl/failure.h"
#include "pbxctl/session.h"

namespace pbxctl {

// What a verb does once its arguments are known.
using Action = std::function<Outcome<void>(Session&)>;

// One verb of the command line: a row in the table of verbs.cc, a file in verbs/.
struct Verb {
  const char* name;
  const char* group;    // under which heading --help lists it
  const char* summary;  // there, in a few words
  const char* help;     // a paragraph
  const char* example;  // a command line or more
  // Declares the arguments. They live as long as the action that is returned.
  Action (*declare)(CLI::App& app);
};

// In the order of --help.
std::span<const Verb> verbs();

}  // namespace pbxctl
