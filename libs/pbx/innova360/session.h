#pragma once

#include <string>
#include <unordered_map>

#include "pbx/innova360/agents.h"
#include "pbx/innova360/commands.h"
#include "pbx/innova360/legs.h"
#include "pbx/session.h"

namespace pbx::innova360 {

// The dialogue with one tenant: a supervisor's connection that sees everything and can do nothing
// (kPrimary), and agents' connections that act. The supervisor's login goes
//
//   connect → welcome → auth-plain → auth-resp → init → updates
//
// each step within a limit; what comes out of order ends it, because then we do not know what we
// talk to. After init nothing that the PBX says ends the session.
class Session final : public pbx::Session {
 public:
  struct Options {
    Handshake where;
    std::string user, password;
    std::chrono::milliseconds login_limit{}, snapshot_limit{};
    Agents::Options agents;
    Commands::Options commands;
  };

  explicit Session(Options options);

  Effects on_start(TimePoint now) override;
  Effects on_link_open(LinkId link, TimePoint now) override;
  Effects on_text(LinkId link, std::string_view text, TimePoint now) override;
  Effects on_link_closed(LinkId link, const base::Error& why, const std::string& detail,
                         TimePoint now) override;
  Effects on_command(call::CommandId id, const call::Command& command, TimePoint limit,
                     TimePoint now) override;
  Effects on_tick(TimePoint now) override;
  TimePoint deadline() const override;

 private:
  enum class Phase { opening, welcoming, authenticating, initializing, ready, over };

  void give_up(const base::Error& why, std::string detail,
               std::optional<std::chrono::milliseconds> retry_after, Effects& effects);
  void take(const Frame& frame, TimePoint now, Effects& effects);
  void log_in(const Frame& frame, TimePoint now, Effects& effects);
  void take_snapshot(const Init& init, TimePoint now, Effects& effects);
  void take_update(const Frame& frame, TimePoint now, Effects& effects);
  void meet(const std::string& extension, Effects& effects);
  void observe(Legs::Views views, std::optional<call::CommandId> caused_by, Effects& effects);
  call::Device device_of(const std::string& extension, const ExtensionState& state) const;

  Options options_;
  Legs legs_;
  Agents agents_;
  Commands commands_;
  Phase phase_ = Phase::opening;
  TimePoint due_ = TimePoint::max();  // of the login's present step
  // Every extension that we told of, with its state as the PBX put it.
  std::unordered_map<std::string, std::string> told_;
};

}  // namespace pbx::innova360
