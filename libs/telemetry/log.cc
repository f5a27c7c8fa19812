#include "telemetry/log.h"

#include <array>
#include <atomic>
#include <memory>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "telemetry/log_format.h"

namespace telemetry::log {
namespace {

constexpr std::array<std::pair<std::string_view, Level>, 4> kNames{{
    {"debug", Level::debug},
    {"info", Level::info},
    {"warning", Level::warning},
    {"error", Level::error},
}};

std::shared_ptr<spdlog::logger> sink_to(std::ostream* out) {
  spdlog::sink_ptr sink;
  if (out) {
    sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(*out, /*force_flush=*/true);
  } else {
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();  // flushes each line
  }
  auto logger = std::make_shared<spdlog::logger>("pbxgw", std::move(sink));
  logger->set_pattern("%v");  // our lines are complete
  logger->set_level(spdlog::level::trace);
  return logger;
}

// One per process.
struct State {
  std::atomic<Level> level{Level::info};
  std::string component;
  Format format = Format::json;
  std::shared_ptr<spdlog::logger> out = sink_to(nullptr);
};

State& state() {
  static State instance;
  return instance;
}

void write(Level level, std::string_view component, std::string_view message, Fields fields) {
  auto& to = state();
  if (level < to.level.load(std::memory_order_relaxed)) return;
  thread_local std::string line;  // keeps its memory from one line to the next
  line.clear();
  const Record record{
      std::chrono::system_clock::now(), level, component, message, {fields.begin(), fields.size()}};
  to.format == Format::json ? append_json(line, record) : append_text(line, record);
  to.out->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void setup(const Options& options) {
  auto& it = state();
  it.level = options.level;
  it.component = options.component;
  it.format = options.format;
  it.out = sink_to(options.out);
}

void set_level(Level level) { state().level = level; }
bool enabled(Level level) { return level >= state().level.load(std::memory_order_relaxed); }

std::string_view name_of(Level level) { return kNames[static_cast<std::size_t>(level)].first; }

std::optional<Level> level_from(std::string_view name) {
  for (const auto& [word, level] : kNames) {
    if (word == name) return level;
  }
  return std::nullopt;
}

void debug(std::string_view message, Fields fields) {
  write(Level::debug, state().component, message, fields);
}
void info(std::string_view message, Fields fields) {
  write(Level::info, state().component, message, fields);
}
void warning(std::string_view message, Fields fields) {
  write(Level::warning, state().component, message, fields);
}
void error(std::string_view message, Fields fields) {
  write(Level::error, state().component, message, fields);
}

void Logger::debug(std::string_view message, Fields fields) const {
  write(Level::debug, component_, message, fields);
}
void Logger::info(std::string_view message, Fields fields) const {
  write(Level::info, component_, message, fields);
}
void Logger::warning(std::string_view message, Fields fields) const {
  write(Level::warning, component_, message, fields);
}
void Logger::error(std::string_view message, Fields fields) const {
  write(Level::error, component_, message, fields);
}

}  // namespace telemetry::log
