#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "simulator/engine/dialect.h"
#include "simulator/engine/tenant.h"
#include "simulator/innova360/dialect.h"
#include "simulator/innovaphone/settings.h"
#include "simulator/scenario/run.h"
#include "simulator/vodia/settings.h"
#include "simulator/webitel/settings.h"

namespace simulator {

enum class Vendor : std::uint8_t { innova360, vodia, innovaphone, webitel };
std::string_view name_of(Vendor vendor);

struct TenantSettings {
  std::string name;
  Vendor vendor = Vendor::innova360;
  engine::TenantOptions engine;
  innova360::Settings innova360;      // only the vendor's own
  vodia::Settings vodia;              // are looked at
  innovaphone::Settings innovaphone;  //
  webitel::Settings webitel;          //
  bool own_listener = false;
};

using RunId = std::uint64_t;

// Everything of one simulated tenant: its calls, its dialect, its traffic and its scenarios. Pure,
// so that the same inputs at the same times give the same frames: timers fire at the time they were
// set for, in order, however late advance() is called. Not thread-safe; times must not go back.
class Stage final : public scenario::Target, private engine::Listener {
 public:
  Stage(TenantSettings settings, engine::Wire& wire, engine::TimePoint start);

  engine::TimePoint deadline() const;
  // Everything that is due up to `now`. To be called before anything else is done at `now`.
  void advance(engine::TimePoint now);

  const std::string& name() const { return settings_.name; }
  const TenantSettings& settings() const { return settings_; }
  engine::Tenant& tenant() override { return tenant_; }
  const engine::Tenant& tenant() const { return tenant_; }
  engine::Dialect& dialect() { return *dialect_; }
  const engine::Dialect& dialect() const { return *dialect_; }

  std::string change_faults(const scenario::FaultChange& change, engine::TimePoint now) override;
  void clear_faults(engine::TimePoint now) override;
  // Instead of what there was. What that has begun goes on to its end.
  void start_traffic(const scenario::TrafficOptions& options, engine::TimePoint now) override;
  void stop_traffic() override { traffic_.reset(); }
  const scenario::Traffic* traffic() const { return traffic_ ? &*traffic_ : nullptr; }

  void start_run(RunId id, std::shared_ptr<const scenario::Scenario> scenario,
                 engine::TimePoint now);
  void stop_run(RunId id) { runs_.erase(id); }
  const scenario::Run* run(RunId id) const;

 private:
  void on_change(const engine::Change& change) override { dialect_->on_change(change); }

  TenantSettings settings_;
  engine::Tenant tenant_;
  std::unique_ptr<engine::Dialect> dialect_;
  std::optional<scenario::Traffic> traffic_;
  std::map<RunId, scenario::Run> runs_;
};

}  // namespace simulator
