#include "pbxctl/request_id.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <random>

namespace pbxctl {

std::string new_request_id() {
  std::random_device random;
  std::array<unsigned, 4> r{random(), random(), random(), random()};
  r[1] = (r[1] & 0xffff0fffu) | 0x4000u;      // version 4
  r[2] = (r[2] & 0x3fffffffu) | 0x80000000u;  // variant of RFC 4122
  char text[37];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%04x%08x", r[0], r[1] >> 16, r[1] & 0xffff,
                r[2] >> 16, r[2] & 0xffff, r[3]);
  return text;
}

bool is_request_id(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
    const bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (kForm[i] == 'x'   ? !is_digit
        : kForm[i] == 'v' ? c != '8' && c != '9' && c != 'a' && c != 'b'
                          : c != kForm[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace pbxctl
