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
  explicit Secret(std::string text, std::string file = {})
      : text_(std::move(text)), file_(std::move(file)) {}

  bool empty() const { return text_.empty(); }
  const std::string& reveal() const { return text_; }
  // Where it was read from, for whoever wants to read it again; empty if not from a file.
  const std::string& file() const { return file_; }

  // Takes as long for a first character that differs as for the last one. The lengths may show.
  bool equals(std::string_view other) const;
  friend bool operator==(const Secret& a, const Secret& b) { return a.equals(b.text_); }

 private:
  std::string text_, file_;
};

}  // namespace config
