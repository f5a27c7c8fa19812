#include "pbx/json.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pbx {
namespace {

using base::Errc;

// A snapshot may be megabytes, and a session hears only one: what it needed is given back.
constexpr std::size_t kKeptSize = 256 * 1024;
// Of what codecs look into; what they skip may be nested deeper.
constexpr std::size_t kDepthMax = 64;

// The length of the UTF-8 character at `at`; 0 if there is none.
std::size_t character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](std::size_t i, unsigned least = 0x80, unsigned most = 0xBF) {
    return byte(i) >= least && byte(i) <= most;
  };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(at + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool second = follows(at + 1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && follows(at + 2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool second = follows(at + 1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return second && follows(at + 2) && follows(at + 3) ? 4 : 0;
  }
  return 0;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// The letter under a Latin-1 accent, by its code point less 0xC0; '\0' for what is no letter.
char unaccented(unsigned offset) {
  using namespace std::string_view_literals;
  constexpr auto kLetters = "aaaaaaaceeeeiiiidnooooo\0ouuuuypsaaaaaaaceeeeiiiidnooooo\0ouuuuypy"sv;
  return offset < kLetters.size() ? kLetters[offset] : '\0';
}

}  // namespace

JsonParser& JsonParser::of_this_thread() {
  thread_local JsonParser parser;
  return parser;
}

simdjson::error_code JsonParser::iterate() {
  if (size_ == 0) return simdjson::EMPTY;  // simdjson would look into a parser without memory
  if (parser_.capacity() < size_) {
    if (const auto failure = parser_.allocate(size_, kDepthMax)) return failure;
  }
  return parser_.iterate(buffer_.data(), size_, buffer_.size()).get(document_);
}

base::Result<simdjson::ondemand::object> JsonParser::parse(std::string_view text) {
  if (buffer_.size() > kKeptSize && text.size() <= kKeptSize / 2) {
    parser_ = simdjson::ondemand::parser();
    buffer_ = std::string();
  }
  size_ = text.size();
  if (buffer_.size() < size_ + simdjson::SIMDJSON_PADDING) {
    buffer_.resize(size_ + simdjson::SIMDJSON_PADDING);
  }
  text.copy(buffer_.data(), size_);

  simdjson::error_code failure = iterate();
  if (failure == simdjson::UTF8_ERROR) {
    for (std::size_t at = 0; at < size_;) {
      const std::size_t length = character_at({buffer_.data(), size_}, at);
      if (length == 0) buffer_[at] = '?';
      at += length == 0 ? 1 : length;
    }
    failure = iterate();
  }
  simdjson::ondemand::object object;
  if (failure || document_.get_object().get(object)) return Errc::bad_frame;
  return object;
}

bool JsonParser::finished() {
  const char* next = nullptr;
  return document_.current_location().get(next) == simdjson::OUT_OF_BOUNDS;
}

std::optional<std::string_view> text_of(simdjson::ondemand::value& value) {
  simdjson::ondemand::json_type type;
  if (value.type().get(type)) return std::nullopt;
  switch (type) {
    case simdjson::ondemand::json_type::string: {
      std::string_view text;
      if (value.get_string().get(text)) return std::nullopt;
      return text;
    }
    case simdjson::ondemand::json_type::number:
    case simdjson::ondemand::json_type::boolean: return trimmed(value.raw_json_token());
    case simdjson::ondemand::json_type::null: return "";
    default: return std::nullopt;
  }
}

std::optional<bool> flag_of(std::string_view text) {
  constexpr std::string_view kTrue[] = {"true", "1", "yes", "on", "si", "y", "t", "s", "verdadero"};
  constexpr std::string_view kFalse[] = {"false", "0", "no", "off", "n", "f", "falso"};
  const std::string word = folded(text);
  for (auto it : kTrue) {
    if (word == it) return true;
  }
  for (auto it : kFalse) {
    if (word == it) return false;
  }
  return std::nullopt;
}

std::optional<int> number_of(std::string_view text) {
  text = trimmed(text);
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{}) return std::nullopt;
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.starts_with('.'))
    rest.remove_prefix(std::min(rest.find_first_not_of('0', 1), rest.size()));
  if (!rest.empty()) return std::nullopt;
  return number;
}

std::string folded(std::string_view text) {
  std::string word;
  word.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char c = lower(text[i]);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+') {
      word += c;
    } else if (byte == 0xC3 && i + 1 < text.size()) {
      const char letter = unaccented(static_cast<unsigned char>(text[++i]) - 0x80u);
      if (letter != '\0') word += letter;
    }
  }
  return word;
}

bool is_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != word[i]) return false;
  }
  return true;
}

std::string_view shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

void append_json(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_at(text, at);
    const char c = text[at];
    if (length == 0) {
      out += '?';
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n' || c == '\r') {
      out += c == '\n' ? "\\n" : "\\r";  // as browsers write it; an SDP has many
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out.append(text, at, length);
    }
    at += length == 0 ? 1 : length;
  }
  out += '"';
}

}  // namespace pbx
