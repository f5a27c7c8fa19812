#include "telemetry/log_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "base/overloaded.h"
#include "telemetry/json.h"

namespace telemetry::log {
namespace {

void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto since = floor<microseconds>(time.time_since_epoch());
  const auto whole = floor<seconds>(since);
  const std::time_t clock = whole.count();
  std::tm utc{};
  gmtime_r(&clock, &utc);
  std::array<char, 80> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                 utc.tm_min, utc.tm_sec, static_cast<int>((since - whole).count()));
  out.append(text.data(), static_cast<std::size_t>(size));
}

template <class T>
void append_number(std::string& out, T number) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

void append_quoted(std::string& out, std::string_view text) {
  if (text.size() <= kTextBytesMax) return append_json_string(out, text);
  auto size = kTextBytesMax;
  while (size > kTextBytesMax - 4 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
    --size;  // do not cut a character in two
  }
  append_json_string(out, text.substr(0, size));
  out.pop_back();
  out += "… (";
  append_number(out, text.size() - size);
  out += " more bytes)\"";
}

std::string text_of(const base::Error& error) {
  if (!error) return "none";
  const bool ours = error.category() == base::category();
  return (ours ? base::name_of(error) : std::string(error.category().name())) + ": " +
         error.message();
}

void append_value(std::string& out, const Field::Value& value) {
  std::visit(base::overloaded{
                 [&](std::string_view text) { append_quoted(out, text); },
                 [&](bool truth) { out += truth ? "true" : "false"; },
                 [&](double number) {
                   // JSON has no word for what is no number.
                   if (std::isfinite(number)) {
                     append_number(out, number);
                   } else {
                     out += "null";
                   }
                 },
                 [&](const base::Error& error) { append_quoted(out, text_of(error)); },
                 [&](auto number) { append_number(out, number); },
             },
             value);
}

// Text that needs no quotes to be told from what stands around it.
bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '=';
  });
}

}  // namespace

void append_json(std::string& out, const Record& record) {
  out += R"({"time":")";
  append_time(out, record.time);
  out += R"(","level":")";
  out += name_of(record.level);
  out += R"(","component":)";
  append_quoted(out, record.component);
  out += R"(,"message":)";
  append_quoted(out, record.message);
  for (const auto& field : record.fields) {
    out += ',';
    append_quoted(out, field.name());
    constexpr std::array<std::string_view, 4> kTaken{"time", "level", "component", "message"};
    if (std::find(kTaken.begin(), kTaken.end(), field.name()) != kTaken.end()) {
      out.back() = '_';
      out += '"';
    }
    out += ':';
    append_value(out, field.value());
  }
  out += '}';
}

void append_text(std::string& out, const Record& record) {
  append_time(out, record.time);
  constexpr std::array<std::string_view, 4> kLevels{" DEBUG   ", " INFO    ", " WARNING ",
                                                    " ERROR   "};
  out += kLevels[static_cast<std::size_t>(record.level)];
  if (!record.component.empty()) {
    out += record.component;
    out += ": ";
  }
  // As in JSON, so that nothing in it moves the cursor or begins a line of its own.
  const auto start = out.size();
  append_quoted(out, record.message);
  out.erase(start, 1);
  out.pop_back();
  for (const auto& field : record.fields) {
    out += ' ';
    out += field.name();
    out += '=';
    const auto* text = std::get_if<std::string_view>(&field.value());
    if (text && text->size() <= kTextBytesMax && is_word(*text)) {
      out += *text;
    } else {
      append_value(out, field.value());
    }
  }
}

}  // namespace telemetry::log
