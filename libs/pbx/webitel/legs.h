#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "call/model.h"

namespace pbx::webitel {

// Which legs there are, and which of them are one call: wcore completes this. Lives as long as a
// session.
class Legs {
 public:
  // A call that is no longer as it was, whole; a leg that has just ended is in it once more, with
  // the reason.
  struct Seen {
    call::CallView view;
  };

  // What is known of a leg, for commands. Valid until the next call of a non-const function.
  struct Known {
    std::string_view id, app_id;  // both go into commands (webitel.md 3.5)
    std::string_view user;        // whose leg it is; empty: nobody's (a trunk's)
    std::string_view extension;   // his
    std::string_view key;         // CallView::key of its call
    std::string_view bridged;     // the leg it is joined to; empty: none
    call::Role role;
    call::ConnectionState state;
    bool originate;  // made by request: webitel.md 3.4
  };
  // By the leg's id, which is the PBX's. Nothing: it has ended, or never was.
  std::optional<Known> find(std::string_view leg) const;
  // The legs of this user, the oldest first.
  std::vector<std::string> of_user(std::string_view user) const;
};

}  // namespace pbx::webitel
