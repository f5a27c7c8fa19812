#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "pbx/session.h"

namespace pbx {

// The dialogue with whoever has opened a WebSocket to a tenant's path, until it has proved to be
// the tenant's PBX, or not. Pure, as a Session is; the shell bounds its time, and closes the
// connection of whom it turns away. Lives for as long as that takes, before it is settled which
// connector serves the tenant: so the good word to the PBX is left to the session (Arrival).
class Reception {
 public:
  struct Undecided {};
  struct TurnedAway {
    base::Error why;
    std::string detail;  // a sentence for operators; never a secret
  };
  struct Step {
    std::vector<std::string> texts;  // to be written, in this order
    std::variant<Undecided, Arrival, TurnedAway> verdict;
  };

  virtual ~Reception() = default;
  // Not called any more once the verdict is there.
  virtual Step on_text(std::string_view text) = 0;
};

}  // namespace pbx
