#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pbx/session.h"
#include "pbx/webitel/rest.h"
#include "pbx/webitel/rows.h"

namespace pbx::webitel {

// Asked for at once, and read of one list at most; what is beyond is left out. A PBX may give more
// in a page than it was asked for, so that the rows have a limit, too.
inline constexpr unsigned kPageSize = 500, kPagesMax = 100;
inline constexpr std::size_t kRowsMax = std::size_t{kPageSize} * kPagesMax;

// The tenant's lists over REST, each read page by page to its end: users, agents, active calls.
// Lives as long as a session.
class Lists {
 public:
  enum class What { users, agents, calls };
  struct Done {
    What what;
    TimePoint asked;  // the first page
    Coverage coverage = Coverage::whole;
    std::size_t unread = 0;
    std::vector<UserRow> users;  // of `what`, one of these
    std::vector<AgentRow> agents;
    std::vector<LegRow> legs;
  };
  struct Failed {
    What what;
    base::Error why;    // of the request, or what the reply was
    unsigned code = 0;  // of the PBX's error; 0: there was no reply, or no sense in it
  };

  explicit Lists(Rest& rest) : rest_(rest) {}

  // Nothing, while it is being read.
  void read(What what, TimePoint now, Effects& effects);
  bool reading(What what) const { return of(what).request != 0; }
  // Whether it is the reply to a page of one of these.
  bool waits_for(HttpId id) const;
  // Precondition: waits_for(id). Nothing if there are more pages.
  std::optional<std::variant<Done, Failed>> on_http(HttpId id, const base::Result<HttpReply>& reply,
                                                    Effects& effects);

 private:
  struct Reading {
    HttpId request = 0;
    unsigned page = 0;
    Done done{};
  };
  const Reading& of(What what) const { return readings_[static_cast<std::size_t>(what)]; }
  void ask(What what, Effects& effects);

  Rest& rest_;
  std::array<Reading, 3> readings_;
};

}  // namespace pbx::webitel
