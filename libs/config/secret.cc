#include "config/secret.h"

namespace config {

bool Secret::equals(std::string_view other) const {
  if (text_.size() != other.size()) return false;
  // volatile: the compiler may not leave the loop at the first difference.
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < other.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (text_[i] ^ other[i]));
  }
  return difference == 0;
}

}  // namespace config
