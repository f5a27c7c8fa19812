#include "config/section.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <regex>
#include <unordered_map>

#include <sys/stat.h>
#include <unistd.h>

#include "config/reading.h"
#include "config/state.h"

namespace config {
namespace {

std::string join(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : std::string(between)) + word;
  return out;
}

bool matches(State& state, std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return true;
  auto it = state.patterns.find(pattern);
  if (it == state.patterns.end()) {
    it = state.patterns.emplace(pattern, std::regex(pattern.begin(), pattern.end())).first;
  }
  return std::regex_match(text.begin(), text.end(), it->second);
}

// Why `text` is no such text; empty if it is.
std::string text_expected(State& state, std::string_view text, std::string_view pattern,
                          std::string_view like, std::size_t length_max) {
  if (text.empty()) return like.empty() ? "text that is not empty" : std::string(like);
  if (text.size() > length_max) {
    return "at most " + std::to_string(length_max) + " characters, not " +
           std::to_string(text.size());
  }
  if (text.find('\0') != std::string_view::npos) return "text without NUL characters";
  if (matches(state, text, pattern)) return {};
  return like.empty() ? "a match of " + std::string(pattern) : std::string(like);
}

template <class T, class Format>
std::string shown(const std::optional<T>& otherwise, Format format) {
  return otherwise ? format(*otherwise) : "required";
}

std::string shown_text(const std::string& text) { return text.empty() ? "none" : text; }

std::string range_of(const std::string& least, const std::string& most, bool unlimited) {
  return unlimited ? least + " or more" : least + " to " + most;
}

template <class T>
std::optional<T> within(std::optional<T> value, T least, T most) {
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

std::string pattern_words(std::string_view pattern, std::string_view like) {
  return std::string(like.empty() ? pattern : like);
}

}  // namespace

Section::Section(State* state, const Node* node, std::string path, std::string generic, int line,
                 bool in_list, bool broken)
    : state_(state),
      node_(node),
      path_(std::move(path)),
      generic_(std::move(generic)),
      line_(line),
      in_list_(in_list),
      broken_(broken) {
  state_->known[path_].node = node_;
}

std::string Section::text(std::string_view key, const Text& how) const {
  Reading reading(*this, key);
  const auto words = pattern_words(how.pattern, how.like);
  reading.record("text", shown(how.otherwise, shown_text), words, how.doc);
  return reading.value(how.otherwise, words.empty() ? "text" : words,
                       [&](const std::string& text, std::string& expected) {
                         std::optional<std::string> parsed;
                         // Empty text is fine where it is what an absent setting means.
                         if (text.empty() && how.otherwise == "") return parsed = text;
                         auto why =
                             text_expected(*state_, text, how.pattern, how.like, how.length_max);
                         if (why.empty()) return parsed = text;
                         expected = std::move(why);
                         return parsed;
                       });
}

std::int64_t Section::integer(std::string_view key, const Integer& how) const {
  const bool unlimited = how.most == std::numeric_limits<std::int64_t>::max();
  const auto range = range_of(std::to_string(how.least), std::to_string(how.most), unlimited);
  Reading reading(*this, key);
  reading.record("whole number", shown(how.otherwise, [](auto n) { return std::to_string(n); }),
                 range, how.doc);
  return reading.value(how.otherwise, "a whole number, " + range,
                       [&](const std::string& text, std::string&) {
                         return within(integer_from(text), how.least, how.most);
                       });
}

std::chrono::milliseconds Section::duration(std::string_view key, const Duration& how) const {
  const auto format = [](std::chrono::milliseconds it) { return text_of(it); };
  const auto range = range_of(format(how.least), format(how.most), false);
  Reading reading(*this, key);
  reading.record("duration", shown(how.otherwise, format), range, how.doc);
  return reading.value(how.otherwise, "a duration such as 500ms, 10s, 5m or 2h, " + range,
                       [&](const std::string& text, std::string& expected) {
                         if (integer_from(text)) {
                           expected = "a unit: " + text + "s or " + text + "ms?";
                         }
                         return within(duration_from(text), how.least, how.most);
                       });
}

std::uint64_t Section::bytes(std::string_view key, const Bytes& how) const {
  const bool unlimited = how.most == std::numeric_limits<std::int64_t>::max();
  const auto range = range_of(text_of_bytes(how.least), text_of_bytes(how.most), unlimited);
  Reading reading(*this, key);
  reading.record("size", shown(how.otherwise, text_of_bytes), range, how.doc);
  return reading.value(how.otherwise, "a size such as 64KiB or 16MiB, " + range,
                       [&](const std::string& text, std::string& expected) {
                         if (integer_from(text)) {
                           expected = "a unit: " + text + "B or " + text + "KiB?";
                         }
                         return within(bytes_from(text), how.least, how.most);
                       });
}

bool Section::boolean(std::string_view key, const Boolean& how) const {
  Reading reading(*this, key);
  reading.record("true or false", shown(how.otherwise, [](bool b) { return b ? "true" : "false"; }),
                 "", how.doc);
  return reading.value(how.otherwise, "true or false",
                       [](const std::string& text, std::string&) { return boolean_from(text); });
}

HostPort Section::host_port(std::string_view key, const Address& how) const {
  Reading reading(*this, key);
  const std::string example = how.port_otherwise ? "host or host:port" : "host:port";
  reading.record("address", shown(how.otherwise, [](const HostPort& it) { return text_of(it); }),
                 how.port_otherwise
                     ? example + ", the port else being " + std::to_string(*how.port_otherwise)
                     : example,
                 how.doc);
  return reading.value(how.otherwise, example + ", an IPv6 address in [brackets]",
                       [&](const std::string& text, std::string& expected) {
                         if (text.find("://") != std::string::npos) expected = example + " alone";
                         return host_port_from(text, how.port_otherwise);
                       });
}

std::size_t Section::choice(std::string_view key, const std::vector<std::string_view>& names,
                            std::string_view doc, std::optional<std::size_t> otherwise) const {
  const std::vector<std::string> words(names.begin(), names.end());
  const auto allowed = "one of " + join(words, ", ");
  Reading reading(*this, key);
  reading.record("word", shown(otherwise, [&](std::size_t i) { return words[i]; }), allowed, doc);
  return reading.value(otherwise, allowed, [&](const std::string& text, std::string& expected) {
    std::optional<std::size_t> parsed;
    const auto it = std::find(words.begin(), words.end(), text);
    if (it != words.end()) return parsed = static_cast<std::size_t>(it - words.begin());
    if (const auto meant = nearest(text, words); !meant.empty()) {
      expected += "; did you mean \"" + std::string(meant) + "\"?";
    }
    return parsed;
  });
}

std::string Section::word(std::string_view key, std::span<const std::string_view> words,
                          const Word& how) const {
  const std::vector<std::string_view> names(words.begin(), words.end());
  std::optional<std::size_t> otherwise;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (how.otherwise == names[i]) otherwise = i;
  }
  return std::string(names[choice(key, names, how.doc, otherwise)]);
}

std::vector<std::string> Section::list(std::string_view key, const List& how) const {
  Reading reading(*this, key);
  const auto words = pattern_words(how.pattern, how.like);
  reading.record("list of text",
                 shown(how.otherwise, [](const auto& it) { return shown_text(join(it, ",")); }),
                 words, how.doc);
  reading.allow_variable();
  const auto otherwise = how.otherwise.value_or(std::vector<std::string>{});
  if (!reading.given()) {
    if (!how.otherwise) reading.missing(words.empty() ? "a list" : "a list of " + words);
    return otherwise;
  }

  std::vector<std::string> items;
  const auto shown_of = [&](const Node& node) {
    return how.sensitive && node.kind == Node::Kind::scalar ? "one text" : found_of(node);
  };
  const auto take = [&](const Reading& from, const std::string& text) {
    const auto why = text_expected(*state_, text, how.pattern, how.like, how.length_max);
    if (why.empty()) {
      items.push_back(text);
    } else {
      from.found_wrong(how.sensitive ? "something else" : quote(text), why);
    }
  };
  std::size_t count = 0;
  if (reading.set) {
    std::string_view rest = *reading.set;
    while (!rest.empty() && count <= how.count_max) {
      const auto comma = rest.find(',');
      take(reading, std::string(rest.substr(0, comma)));
      ++count;
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  } else if (reading.node->kind != Node::Kind::list) {
    reading.found_wrong(shown_of(*reading.node), "a list: [first, second]");
    return otherwise;
  } else {
    count = reading.node->items.size();
    for (std::size_t i = 0; i < std::min(count, how.count_max); ++i) {
      const Node& node = *reading.node->items[i];
      Reading item = reading;
      item.path += '[' + std::to_string(i) + ']';
      item.line = node.line;
      if (node.kind == Node::Kind::scalar) {
        take(item, node.text);
      } else {
        item.found_wrong(found_of(node), words.empty() ? "text" : words);
      }
    }
  }
  if (count < how.count_min || count > how.count_max) {
    reading.found_wrong(count > how.count_max ? "more items" : std::to_string(count) + " items",
                        std::to_string(how.count_min) + " to " + std::to_string(how.count_max));
  }
  return items;
}

std::string Section::file(std::string_view key, const File& how) const {
  Reading reading(*this, key);
  const std::optional<std::string> none("");
  reading.record("file", how.required ? "required" : "none", "an existing file", how.doc);
  return reading.value(
      how.required ? std::nullopt : none, "the path of a file",
      [&](const std::string& text, std::string& expected) {
        std::optional<std::string> parsed;
        if (text.empty() && !how.required) return parsed = text;
        const auto path = state_->folder / text;
        struct stat status {};
        if (text.empty() || text.find('\0') != std::string::npos) return parsed;
        if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), R_OK) != 0) {
          expected = std::string("a file that can be read: ") + std::strerror(errno);
        } else if (!S_ISREG(status.st_mode)) {
          expected = "a file, not a folder or device";
        } else {
          parsed = path.string();
        }
        return parsed;
      });
}

Section Section::section(std::string_view key) const {
  Reading reading(*this, key);
  const bool mapping = reading.node && reading.node->kind == Node::Kind::mapping;
  const bool broken = reading.node && !mapping && reading.node->kind != Node::Kind::null;
  if (broken) reading.found_wrong(found_of(*reading.node), "a mapping of settings");
  return Section(state_, mapping ? reading.node : nullptr, reading.path, reading.child(generic_),
                 reading.line, in_list_, broken || broken_);
}

void Section::each(std::string_view key, const std::function<void(const Section&)>& read,
                   const Items& how) const {
  Reading reading(*this, key);
  reading.variable.clear();  // too much for one
  reading.record(
      "list of mappings", how.count_min > 0 ? "required" : "none",
      range_of(std::to_string(how.count_min), std::to_string(how.count_max), false) + " items",
      how.doc);
  const auto generic = reading.child(generic_) + "[]";
  if (state_->documenting) {
    read(Section(state_, nullptr, generic, generic, 0, true, true));
    return;
  }
  if (!reading.node) {
    if (how.count_min > 0) reading.missing("a list of mappings");
    return;
  }
  if (reading.node->kind != Node::Kind::list) {
    reading.found_wrong(found_of(*reading.node), "a list of mappings");
    return;
  }

  const auto count = reading.node->items.size();
  if (count < how.count_min || count > how.count_max) {
    reading.found_wrong(std::to_string(count) + " items",
                        std::to_string(how.count_min) + " to " + std::to_string(how.count_max));
  }
  std::unordered_map<std::string, int> lines;  // of the values of the key that is to be unique
  for (std::size_t i = 0; i < std::min(count, how.count_max); ++i) {
    const Node& node = *reading.node->items[i];
    Reading item = reading;
    item.path += '[' + std::to_string(i) + ']';
    item.line = node.line;
    if (node.kind != Node::Kind::mapping) {
      item.found_wrong(found_of(node), "a mapping of settings");
      continue;
    }
    const Section section(state_, &node, item.path, generic, node.line, true, false);
    read(section);
    const auto* entry = how.unique.empty() ? nullptr : node.find(how.unique);
    if (!entry || entry->value->kind != Node::Kind::scalar) continue;
    const auto [first, fresh] = lines.emplace(entry->value->text, entry->line);
    if (!fresh) {
      section.wrong(how.unique, quote(entry->value->text) + " is already in line " +
                                    std::to_string(first->second));
    }
  }
}

bool Section::present() const {
  if (node_) return true;
  if (in_list_) return false;
  const auto prefix = path_.empty() ? "PBXGW_" : variable_of(path_) + '_';
  const auto it = state_->environment.lower_bound(prefix);
  return it != state_->environment.end() && it->first.starts_with(prefix);
}

bool Section::has(std::string_view key) const {
  if (node_ && node_->find(key)) return true;
  if (in_list_) return false;
  return state_->environment.contains(
      variable_of(path_.empty() ? std::string(key) : path_ + '.' + std::string(key)));
}

void Section::wrong(std::string_view key, std::string message) const {
  Reading reading(*this, key);
  if (!in_list_) {
    const auto it = state_->environment.find(reading.variable);
    if (it != state_->environment.end()) reading.set = &it->second;
  }
  reading.wrong(std::move(message));
}

bool Section::documenting() const { return state_->documenting; }

}  // namespace config
