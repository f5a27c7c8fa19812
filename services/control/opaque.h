#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Texts that callers keep and hand back unread: page tokens and resume markers. URL-safe, and good
// only together with the `context` they were made in, which is not part of them: a list's other
// arguments, or a watch's filters. The checksum guards against mistakes, not against forgery:
// whoever makes up a token can read nothing with it that he could not ask for.
namespace control {

std::string seal(std::string_view payload, std::string_view context);
// nullopt if `text` was not made by seal() in the same context.
std::optional<std::string> unseal(std::string_view text, std::string_view context);

// Several texts as one, each with its length before it, so that no two lists look the same.
class Packer {
 public:
  Packer& add(std::string_view text);
  Packer& add(std::uint64_t number);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};
// What was added, numbers as their decimal digits; nullopt if it was not packed.
std::optional<std::vector<std::string>> unpack(std::string_view text);

}  // namespace control
