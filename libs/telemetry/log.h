#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/ids.h"
#include "base/result.h"

// What the process tells its operators: one JSON object per line on standard output.
//
//   telemetry::log::info("link up", {{"tenant", tenant}, {"attempts", 3}});
//
// Any thread may log. Lines are written before the call returns, so none is missing after a crash;
// what a PBX can cause at will belongs behind a RateLimit (rate_limit.h).
namespace telemetry::log {

enum class Level { debug, info, warning, error };
enum class Format {
  json,  // for machines
  text,  // for a terminal
};

template <class T>
concept Text = std::convertible_to<const T&, std::string_view>;
template <class T>
concept Number = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

// A name and a value beside the message. It refers to text, so it lives no longer than the call. No
// constructor takes a config::Secret, nor anything else that does not turn into text by itself.
class Field {
 public:
  using Value =
      std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool, base::Error>;

  template <Text T>
  Field(std::string_view name, const T& text) : name_(name), value_(std::string_view(text)) {}
  template <class Kind>
  Field(std::string_view name, const base::Id<Kind>& id)
      : name_(name), value_(std::string_view(id.str())) {}
  template <Number T>
  Field(std::string_view name, T number) : name_(name) {
    if constexpr (std::is_signed_v<T>) {
      value_ = static_cast<std::int64_t>(number);
    } else {
      value_ = static_cast<std::uint64_t>(number);
    }
  }
  template <std::floating_point T>
  Field(std::string_view name, T number) : name_(name), value_(static_cast<double>(number)) {}
  template <std::same_as<bool> T>
  Field(std::string_view name, T truth) : name_(name), value_(truth) {}
  // Its name and its message.
  Field(std::string_view name, const base::Error& error) : name_(name), value_(error) {}
  Field(std::string_view name, base::Errc error) : name_(name), value_(make_error_code(error)) {}
  // In seconds.
  template <class Rep, class Period>
  Field(std::string_view name, std::chrono::duration<Rep, Period> duration)
      : name_(name), value_(std::chrono::duration<double>(duration).count()) {}

  std::string_view name() const { return name_; }
  const Value& value() const { return value_; }

 private:
  std::string_view name_;
  Value value_;
};
using Fields = std::initializer_list<Field>;

struct Options {
  std::string component;  // of lines that name none: the service
  Level level = Level::info;
  Format format = Format::json;
  std::ostream* out = nullptr;  // null: standard output. A test may give its own, which has to last
};

// Before the first thread is started; until then there are the defaults.
void setup(const Options& options);

// At any time, from any thread.
void set_level(Level level);
bool enabled(Level level);

std::string_view name_of(Level level);  // "debug", "info", "warning", "error"
std::optional<Level> level_from(std::string_view name);

void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

// The same for a part of the service that has a name. Cheap; `component` has to outlive it, and
// usually is a literal.
class Logger {
 public:
  explicit constexpr Logger(std::string_view component) : component_(component) {}

  void debug(std::string_view message, Fields fields = {}) const;
  void info(std::string_view message, Fields fields = {}) const;
  void warning(std::string_view message, Fields fields = {}) const;
  void error(std::string_view message, Fields fields = {}) const;

 private:
  std::string_view component_;
};

}  // namespace telemetry::log
