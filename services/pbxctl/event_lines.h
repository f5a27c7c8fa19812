#pragma once

#include <map>
#include <optional>
#include <string>

#include "pbxctl/table.h"
#include "pbxctl/words.h"
#include "pbxgw/v1/events_service.pb.h"

namespace pbxctl {

// What a Watch sends, as lines for people. Remembers of each living call who takes part and since
// when they talk, because the event that ends a call no longer says so. One thread.
class EventLines {
 public:
  // Calls remembered at most; of those beyond it the last line is poorer.
  static constexpr std::size_t kCallsMax = 10'000;

  // `all_call_events`: none is filtered out, so that what was not seen did not happen.
  EventLines(Style style, bool all_call_events) : style_(style), is_all_(all_call_events) {}

  // Each is a number of whole lines; `now` is when it came.
  std::string of(const pbxgw::v1::Snapshot& snapshot, Time now);
  std::string of(const pbxgw::v1::SnapshotComplete& complete, Time now);
  std::string of(const pbxgw::v1::Event& event);
  // What the program itself has to say.
  std::string notice(Time now, const std::string& text) const;

 private:
  struct Memory {
    std::string who;
    std::optional<Time> talking_since;
    bool is_exact = false;   // talking_since was seen, not found
    bool was_begun = false;  // seen from its first event on
  };
  struct Parts {
    Cell word, who, state, call, more;
  };

  std::string line(Time time, const std::string& tenant, const Parts& parts,
                   const pbxgw::v1::Event* event, bool inferred);
  std::string call_line(const pbxgw::v1::Event& event);
  std::string device_line(const pbxgw::v1::Event& event);
  std::string link_line(const pbxgw::v1::Event& event);
  std::string gap_line(const pbxgw::v1::Event& event);
  Memory* remember(const pbxgw::v1::Call& call);
  std::string how_it_ended(const pbxgw::v1::Event& event, const Memory* memory) const;

  Style style_;
  bool is_all_;
  std::size_t tenant_width_ = 4;
  std::size_t devices_ = 0, calls_ = 0;  // in the snapshot
  std::string shown_;                    // the tenant whose part of it came last
  std::map<std::string, Memory> memory_;
};

}  // namespace pbxctl
