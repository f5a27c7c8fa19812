#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/engine/tenant.h"

namespace simulator::vodia {

// What this PBX knows of a call beyond who is in it.
struct CallRecord {
  std::uint64_t number = 0;  // of the record of the call
  std::string id;            // on the wire
  std::string from, to;      // numbers, as of the last look
  engine::TimePoint start, end;
  std::optional<engine::TimePoint> connect;   // of those who talk now
  std::optional<engine::TimePoint> answered;  // for the first time
  std::set<engine::ExtensionIndex> present;   // in it now
  std::vector<std::string> extensions;        // that ever were
  bool outside = false;                       // somebody of outside was in it
  bool recorded = false;
  bool recording = false;                                   // now
  std::optional<engine::TimePoint> record_from, record_to;  // the first and the last of it
  std::string comment, category;
};

// Who calls whom, as the two ends of a call that is shown as one line.
struct Parties {
  std::string from, to;
};
Parties parties_of(const engine::Call& call, const engine::Tenant& tenant);

// All calls of a tenant, and the last that have ended. Hears of every change at once, and looks at
// what came of it only when it is asked to, so that half-done transfers are never seen.
class Calls {
 public:
  static constexpr std::size_t kEndedMax = 1'000;

  Calls(std::uint64_t seed, const engine::Tenant& tenant) : seed_(seed), tenant_(tenant) {}

  void on_change(const engine::Change& change);
  // Brings the records up to date, as of `at`. The extensions that are or were in a call that has
  // changed; nothing if no call has.
  std::optional<std::set<engine::ExtensionIndex>> settle(engine::TimePoint at);
  // All calls vanish without a word; records of them are not kept.
  void forget();

  std::string id_of(engine::CallId call) const;
  const CallRecord* find(engine::CallId call) const;
  CallRecord* find(engine::CallId call);
  // Oldest first.
  const std::deque<CallRecord>& ended() const { return ended_; }

 private:
  void look_at(engine::CallId id, engine::TimePoint at, std::set<engine::ExtensionIndex>& touched);

  std::uint64_t seed_;
  const engine::Tenant& tenant_;
  std::map<engine::CallId, CallRecord> records_;
  std::set<engine::CallId> changed_;
  std::deque<CallRecord> ended_;
  std::uint64_t last_number_ = 0;
};

}  // namespace simulator::vodia
