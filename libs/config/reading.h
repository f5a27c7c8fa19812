#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/section.h"
#include "config/state.h"

namespace config {

// The environment variable of the setting at `path`.
std::string variable_of(std::string_view path);

// One setting while it is being read: declares it, finds where its value comes from, and words what
// is wrong with it.
struct Reading {
  const Section& in;
  std::string key;
  std::string path = child(in.path_);
  std::string variable = in.in_list_ ? std::string() : variable_of(path);
  const Node* node = nullptr;        // the file's value
  int line = in.line_;               // of the key; of the section, if the key is not there
  const std::string* set = nullptr;  // the environment's value, which counts more

  Reading(const Section& section, std::string_view name);

  State& state() const { return *in.state_; }

  std::string child(const std::string& parent) const {
    return parent.empty() ? key : parent + '.' + key;
  }

  // Lets the environment have its say. Two settings with one variable are a bug of the service,
  // which throws std::logic_error.
  void allow_variable();

  void record(std::string type, std::string otherwise, std::string allowed, std::string_view doc);

  void wrong(std::string message) const;

  void found_wrong(const std::string& found, const std::string& expected) const {
    wrong("found " + found + "; expected " + expected);
  }

  // Not worth saying if the reason is that what should contain it cannot be read.
  void missing(const std::string& expected) const {
    if (state().readable && !in.broken_) wrong("missing; expected " + expected);
  }

  bool given() const { return set || node; }

  // A setting of one value. `parse` turns its text into an optional T; before it returns none it
  // may say in `expected` what it expected in this very case.
  template <class T, class Parse>
  T value(const std::optional<T>& otherwise, std::string expected, Parse parse) {
    allow_variable();
    if (!given()) {
      if (!otherwise) missing(expected);
    } else if (!set && node->kind != Node::Kind::scalar) {
      found_wrong(found_of(*node), expected);
    } else {
      const std::string& text = set ? *set : node->text;
      if (std::optional<T> parsed = parse(text, expected)) return std::move(*parsed);
      found_wrong(quote(text), expected);
    }
    return otherwise.value_or(T{});
  }
};

}  // namespace config
