#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/secret.h"
#include "config/values.h"

namespace config {

struct Node;
struct State;  // of the Document

// How a setting is to be: each kind's own. `doc` is a sentence for the reference. A setting without
// `otherwise` is required.

struct Text {
  std::string_view doc{};
  std::optional<std::string> otherwise{};
  std::string_view pattern{};  // a regular expression (ECMAScript) the whole text has to match
  std::string_view like{};     // the pattern in words: "letters, digits and '-'"
  std::size_t length_max = 256;
};
struct Integer {
  std::string_view doc{};
  std::optional<std::int64_t> otherwise{};
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};
struct Duration {
  std::string_view doc{};
  std::optional<std::chrono::milliseconds> otherwise{};
  std::chrono::milliseconds least{0};
  std::chrono::milliseconds most = std::chrono::hours(24);
};
struct Bytes {
  std::string_view doc{};
  std::optional<std::uint64_t> otherwise{};
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::int64_t>::max();
};
struct Boolean {
  std::string_view doc{};
  std::optional<bool> otherwise{};
};
template <class Enum>
struct OneOf {
  std::string_view doc{};
  std::optional<Enum> otherwise{};
};
struct Word {
  std::string_view doc{};
  std::optional<std::string> otherwise{};  // one of the words
};
struct Address {
  std::string_view doc{};
  std::optional<HostPort> otherwise{};
  std::optional<std::uint16_t> port_otherwise{};  // for an address without a port
};
struct List {
  std::string_view doc{};
  std::optional<std::vector<std::string>> otherwise{};
  std::string_view pattern{};  // of each item, as in Text
  std::string_view like{};
  std::size_t length_max = 256;  // of each item
  std::size_t count_min = 0;
  std::size_t count_max = 1'000;
  bool sensitive = false;  // somebody may write secrets here: what was found is not shown
};
struct File {
  std::string_view doc{};
  bool required = true;  // else an absent setting is an empty path
};
struct Credential {
  std::string_view doc{};
  bool required = true;  // else an absent setting is an empty Secret
};
struct Items {
  std::string_view doc{};
  std::size_t count_min = 0;
  std::size_t count_max = 10'000;
  std::string_view unique{};  // the key whose value no two items may share
};

// A mapping of the document, present or not. Each reading function declares the setting it reads,
// returns its value, and notes what is wrong; then it returns `otherwise`, or an empty value of its
// kind. Cheap to copy; valid as long as its Document.
class Section {
 public:
  std::string text(std::string_view key, const Text& how = {}) const;
  std::int64_t integer(std::string_view key, const Integer& how = {}) const;
  std::chrono::milliseconds duration(std::string_view key, const Duration& how = {}) const;
  std::uint64_t bytes(std::string_view key, const Bytes& how = {}) const;
  bool boolean(std::string_view key, const Boolean& how = {}) const;
  HostPort host_port(std::string_view key, const Address& how = {}) const;
  // Of texts. In an environment variable they are separated by commas.
  std::vector<std::string> list(std::string_view key, const List& how = {}) const;
  // The path of a file that exists and can be read. A relative one is taken from the folder of the
  // configuration, so that it does not matter where the service is started.
  std::string file(std::string_view key, const File& how = {}) const;
  // Given as `key: text`, `key_file: path` (a newline at its end is dropped), or
  // `key_env: VARIABLE`; one of the three. If the environment gives any of them, it counts alone.
  Secret secret(std::string_view key, const Credential& how = {}) const;

  // one_of<Format>("format", {{"json", Format::json}, {"text", Format::text}}, {.doc = …})
  template <class Enum>
  Enum one_of(std::string_view key, std::initializer_list<std::pair<std::string_view, Enum>> names,
              const OneOf<std::type_identity_t<Enum>>& how = {}) const {
    std::vector<std::string_view> words;
    std::optional<std::size_t> otherwise;
    for (const auto& [name, value] : names) {
      if (how.otherwise == value) otherwise = words.size();
      words.push_back(name);
    }
    return (names.begin() + choice(key, words, how.doc, otherwise))->second;
  }

  // One of `words`, which are at least one and known only at run time: else one_of() is better.
  std::string word(std::string_view key, std::span<const std::string_view> words,
                   const Word& how = {}) const;

  // A mapping within this one. It need not be there for its settings to be read: then they have
  // their defaults, or come from the environment, or are missed.
  Section section(std::string_view key) const;
  // Calls `read` for each item of a list of mappings.
  void each(std::string_view key, const std::function<void(const Section&)>& read,
            const Items& how = {}) const;

  // Whether the file or the environment says anything at all in this section, or about `key`.
  bool present() const;
  bool has(std::string_view key) const;

  // Adds a problem that only the service can see, such as two settings that exclude each other.
  void wrong(std::string_view key, std::string message) const;

  const std::string& path() const { return path_; }
  // Read every setting now, whatever the others' values: this is for the reference.
  bool documenting() const;

 private:
  friend class Document;
  friend struct Reading;
  Section(State* state, const Node* node, std::string path, std::string generic, int line,
          bool in_list, bool broken);

  std::size_t choice(std::string_view key, const std::vector<std::string_view>& names,
                     std::string_view doc, std::optional<std::size_t> otherwise) const;

  State* state_;
  const Node* node_;     // null if it is not there
  std::string path_;     // "tenants[3].pbx"
  std::string generic_;  // "tenants[].pbx"
  int line_;      // where it begins; where something begins that should contain it, if absent
  bool in_list_;  // so no variable can name its settings
  bool broken_;   // it is something else than a mapping, which has been said
};

}  // namespace config
