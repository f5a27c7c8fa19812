#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace connector {

// Secrets that there is no room to keep: of each only a trace, by which its beginning is known
// again and nothing else can be told. However many there are, they take the same room, and none is
// ever missed; but the more there are, the more often other text is taken for one: with 1,000 one
// place in 300,000, with 10,000 one in 400, with 100,000 every other, and in the end all.
class SecretTraces {
 public:
  static constexpr std::size_t kShortest = 4;  // bytes of a secret

  void add(std::string_view secret);
  // Whether one of the secrets, or as much of it as a text that was cut off has room for, may begin
  // where `text` does.
  bool may_begin(std::string_view text) const;

 private:
  std::vector<bool> bits_;  // none until there is a secret
};

}  // namespace connector
