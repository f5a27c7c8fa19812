#pragma once

#include <chrono>
#include <string>

namespace base {

// "2026-11-22T15:04:05Z", for people who read a log or an error. Of a year with four digits.
std::string timestamp(std::chrono::system_clock::time_point time);

}  // namespace base
