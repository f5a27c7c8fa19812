#pragma once

#include <chrono>

#include "call/administration.h"
#include "pbx/session.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/rest.h"

namespace pbx::webitel {

// Devices, users, tokens and agents over REST (webitel.md 5.2): worders completes this. Lives as
// long as a session. Fulfils each order exactly once, unless it is destroyed before.
class Provisioning {
 public:
  Provisioning(std::chrono::milliseconds limit, Rest& rest, const Directory& directory);

  void ask(call::OrderId id, const call::Order& order, TimePoint limit, TimePoint now,
           Effects& effects);
  // False if it is not a reply to this.
  bool on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint now, Effects& effects);
  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;
};

}  // namespace pbx::webitel
