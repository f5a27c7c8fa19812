#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "call/model.h"
#include "pbx/json.h"

// What the readers of Webitel's REST bodies share. Included by .cc files only, as json.h.
namespace pbx::webitel {

inline simdjson::ondemand::json_type type_of(simdjson::ondemand::value& it) {
  using simdjson::ondemand::json_type;
  json_type type = json_type::null;
  if (it.type().get(type)) return json_type::null;
  return type;
}

inline std::string cut(std::string_view text, std::size_t most) {
  return std::string(shortened(text, most));
}

// A text, or a number as it was written, cut; empty for anything else.
inline std::string text_in(simdjson::ondemand::value& it, std::size_t most) {
  const auto text = text_of(it);
  return text ? cut(*text, most) : std::string();
}

// Unix milliseconds, quoted or not (webitel.md 5.1). Nothing for 0 and "": not yet.
inline std::optional<call::Time> time_of(std::string_view text) {
  constexpr std::int64_t kMost = 100'000'000'000'000;  // the year 5138
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (number <= 0 || number > kMost) return std::nullopt;
  return call::Time(std::chrono::milliseconds(number));
}

// Calls visit(key, value&) for each field, if it is an object; whether it was a whole one.
template <class Visit>
bool visit_fields(simdjson::ondemand::value& field, Visit&& visit) {
  simdjson::ondemand::object object;
  if (type_of(field) != simdjson::ondemand::json_type::object || field.get_object().get(object)) {
    return false;
  }
  return for_each_field(object, visit);
}

// Calls visit(value&) for each element, until it says false, if it is an array; false if it is none
// or turns out to be malformed.
template <class Visit>
bool visit_elements(simdjson::ondemand::value& field, Visit&& visit) {
  simdjson::ondemand::array elements;
  if (type_of(field) != simdjson::ondemand::json_type::array || field.get_array().get(elements)) {
    return false;
  }
  for (auto element : elements) {
    simdjson::ondemand::value it;
    if (element.get(it) || !visit(it)) return false;
  }
  return true;
}

// Calls visit(value&) for each object of an array, or for the only one that is not in an array.
template <class Visit>
void visit_one_or_many(simdjson::ondemand::value& field, Visit&& visit) {
  if (type_of(field) == simdjson::ondemand::json_type::object) {
    visit(field);
  } else {
    visit_elements(field, [&](simdjson::ondemand::value& element) {
      visit(element);
      return true;
    });
  }
}

// Writes one.
class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value) {
    append_json(begin(key), value);
    return *this;
  }
  // `value` is JSON.
  JsonObject& raw(std::string_view key, std::string_view value) {
    begin(key) += value;
    return *this;
  }
  std::string take() { return std::move(out_) + '}'; }

 private:
  std::string& begin(std::string_view key) {
    if (out_.size() > 1) out_ += ',';
    append_json(out_, key);
    return out_ += ':';
  }

  std::string out_ = "{";
};

}  // namespace pbx::webitel
