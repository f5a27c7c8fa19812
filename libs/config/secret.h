#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace config {

// A password, key or token. It does not print, convert to text or compare in a way whose time tells
// how much was right; whoever sends it to its destination says reveal() there, where a reviewer
// sees it.
class Secret {
 public:
  Secret() = default;  // none
  explicit Secret(std::string text) : text_(std::move(text)) {}

  bool empty() const { return text_.empty(); }
  const std::string& reveal() const { return text_; }

  // Takes as long for a first character that differs as for the last one. The lengths may show.
  bool equals(std::string_view other) const;
  friend bool operator==(const Secret& a, const Secret& b) { return a.equals(b.text_); }

 private:
  std::string text_;
};

}  // namespace config
