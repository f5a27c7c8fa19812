#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/backoff.h"
#include "pbxctl/event_lines.h"
#include "pbxctl/session.h"
#include "pbxctl/stopper.h"
#include "pbxgw/v1/events_service.pb.h"

namespace pbxctl {

struct WatchOptions {
  pbxgw::v1::WatchRequest request;
  std::uint64_t count = 0;   // ends after so many events; 0: never
  std::uint64_t expect = 0;  // fewer events are a failure
  base::Backoff backoff{std::chrono::milliseconds(500), std::chrono::milliseconds(5'000)};
};

// Follows one Watch through losses of the connection: resumes from the last marker, starts anew
// when that is too old, and says both. Gives up only where trying again cannot help, or if the
// service could not be reached in the first place.
class Watcher {
 public:
  Watcher(Session& session, WatchOptions options, EventLines lines, Stopper& stopper);
  Outcome<void> run();

 private:
  Outcome<grpc::Status> stream();
  void take(const pbxgw::v1::WatchResponse& response);
  bool is_repeated(const pbxgw::v1::Event& event);
  bool is_done() const { return options_.count > 0 && events_ >= options_.count; }
  // Whether to try again; if so, it has been said, and the time for it has come.
  bool recovers_from(const grpc::Status& status);
  void say(const std::string& text);

  struct Position {
    std::uint64_t epoch = 0, sequence = 0;
  };

  Session& session_;
  WatchOptions options_;
  EventLines lines_;
  Stopper& stopper_;
  std::uint64_t events_ = 0;
  unsigned attempts_ = 0;                      // since something was last heard
  bool was_heard_ = false;                     // ever
  bool is_back_ = false;                       // trying again, and not yet heard
  std::map<std::string, Position> positions_;  // by tenant
};

}  // namespace pbxctl
