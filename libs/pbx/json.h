#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "base/result.h"

// The few tolerant readers that all codecs share. PBXs write the same fact as 5, "5" or true,
// depending on vendor and generation, so a codec asks for the text or the flag and never for the
// JSON type. Included by codecs' .cc files only: simdjson.h is slow to compile.
namespace pbx {

// A parser with its buffers, which are reused. What a document's fields point to lives until the
// next parse().
class JsonParser {
 public:
  // This thread's, for codecs that need a document's fields only until they return: a parser for
  // each session would be the larger part of what an idle one costs.
  static JsonParser& of_this_thread();

  // bad_frame if `text` is not one JSON object. Reading is lazy: what for_each_field() below skips
  // is only looked at for its brackets. A byte that is not UTF-8 is read as '?': a display name in
  // Latin-1 is no reason to lose a call.
  base::Result<simdjson::ondemand::object> parse(std::string_view text);
  // After the last field: whether nothing follows the object.
  bool finished();

 private:
  simdjson::error_code iterate();

  simdjson::ondemand::parser parser_;
  std::string buffer_;  // the text, with the room behind it that simdjson wants
  std::size_t size_ = 0;
  simdjson::ondemand::document document_;
};

// The text of a string, number (as it was written: 1760000000.10 keeps its zero), boolean or null
// (empty). nullopt for an array or object, and for a string with a broken escape. Call it once per
// value.
std::optional<std::string_view> text_of(simdjson::ondemand::value& value);

// true/false, 1/0, yes/no, on/off, sí, in any case, quoted or not; nullopt for anything else.
std::optional<bool> flag_of(std::string_view text);

// An integer, also written as 6.0 or with spaces around it.
std::optional<int> number_of(std::string_view text);

// For looking words up: lower case, without accents, blanks, and punctuation except '+'.
// "InUse&Hold" is "inusehold", "En espera" is "enespera", "CAÍDA" is "caida".
std::string folded(std::string_view text);

// Whether `text` is `word` in any case. Precondition: `word` is lower-case ASCII.
bool is_word(std::string_view text, std::string_view word);

// The first `most` bytes, less if that would cut a character in two.
std::string_view shortened(std::string_view text, std::size_t most);

// Calls visit(key, value&) for each field, in order; a key that comes twice is visited twice, so
// that the last one wins. False if the object turned out to be malformed.
template <class Visit>
bool for_each_field(simdjson::ondemand::object& object, Visit&& visit) {
  for (auto field : object) {
    std::string_view key;
    simdjson::ondemand::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return false;
    visit(key, value);
  }
  return true;
}

// Appends `text` as a JSON string, quotes included. Whatever is in it, the result is valid JSON and
// valid UTF-8: a WebSocket text message has to be.
void append_json(std::string& out, std::string_view text);

}  // namespace pbx
