#pragma once

#include <chrono>

#include "call/history.h"
#include "pbx/session.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/rest.h"

namespace pbx::webitel {

// Searches GET /calls/history, and says where a recording is: worders completes this. Lives as long
// as a session. Informs exactly once of each inquiry, unless it is destroyed before.
class History {
 public:
  History(std::chrono::milliseconds limit, Rest& rest, const Directory& directory);

  void ask(call::InquiryId id, const call::Inquiry& inquiry, TimePoint limit, TimePoint now,
           Effects& effects);
  // False if it is not a reply to this.
  bool on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint now, Effects& effects);
  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;
};

}  // namespace pbx::webitel
