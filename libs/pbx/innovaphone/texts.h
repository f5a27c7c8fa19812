#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

// What we say to a PBX.
namespace pbx::innovaphone {

inline constexpr std::string_view kRcc = "RCC";
inline constexpr std::string_view kPbxApi = "PbxApi";
inline constexpr std::string_view kTableUsers = "PbxTableUsers";

// A field of a message: a text, a number or true (what is false is left out).
struct Field {
  Field(std::string_view key, std::string_view text) : name(key), value(text) {}
  Field(std::string_view key, const char* text) : name(key), value(text) {}
  Field(std::string_view key, int number) : name(key), value(std::to_string(number)), raw(true) {}
  Field(std::string_view key, bool flag) : name(key), value(flag ? "true" : ""), raw(true) {}
  // JSON as it is.
  static Field json(std::string_view key, std::string_view text) {
    Field field(key, text);
    field.raw = true;
    return field;
  }

  std::string_view name;
  std::string value;
  bool raw = false;
};

// {"mt":…,"api":…,"src":…, …}; `api` and `src` only if they are not empty.
std::string message(std::string_view mt, std::string_view api, std::string_view src,
                    std::span<const Field> fields = {});
inline std::string message(std::string_view mt, std::string_view api, std::string_view src,
                           std::initializer_list<Field> fields) {
  return message(mt, api, src, std::span<const Field>(fields.begin(), fields.size()));
}

}  // namespace pbx::innovaphone
