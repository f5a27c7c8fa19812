#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// What a PBX calls text, as what protobuf calls a string: UTF-8, or no reader could parse it.
namespace wire {

bool is_utf8(std::string_view text) noexcept;

// `out` becomes `text`, with U+FFFD for every byte that is not UTF-8. Keeps out's memory.
void assign_text(std::string& out, std::string_view text);

// The longest beginning of `text` that has at most `bytes_max` bytes and cuts no character.
std::string_view clip(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace wire
