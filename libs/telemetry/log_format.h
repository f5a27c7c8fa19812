#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/log.h"

namespace telemetry::log {

struct Record {
  std::chrono::system_clock::time_point time;
  Level level = Level::info;
  std::string_view component, message;
  std::span<const Field> fields;
};

// Longer texts are cut, with a note of how much is missing: a PBX may send megabytes.
constexpr std::size_t kTextBytesMax = 4'096;

// One line each, without its end. Pure.

// {"time":"2024-05-01T12:00:00.123456Z","level":"info","component":"…","message":"…", fields…}. A
// field named like one of those four gets a "_" after its name.
void append_json(std::string& out, const Record& record);
// 2024-05-01T12:00:00.123456Z INFO    component: message name=value name="other value"
void append_text(std::string& out, const Record& record);

}  // namespace telemetry::log
