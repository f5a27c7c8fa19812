#include "simulator/stage.h"

#include <algorithm>
#include <utility>

#include "simulator/innovaphone/dialect.h"
#include "simulator/vodia/dialect.h"
#include "simulator/webitel/dialect.h"

namespace simulator {

using engine::TimePoint;

namespace {

engine::TenantOptions engine_of(TenantSettings& settings) {
  engine::TenantOptions options = std::exchange(settings.engine, {});
  if (settings.vendor == Vendor::vodia) {
    for (const auto& account : settings.vodia.accounts) {
      if (account.type == vodia::kOrbits) options.orbits.push_back(account.number);
    }
  }
  if (settings.vendor == Vendor::innovaphone) {
    for (std::size_t i = 0; i < settings.innovaphone.park_positions; ++i) {
      options.orbits.push_back(innovaphone::park_orbit(i));
    }
  }
  return options;
}

std::unique_ptr<engine::Dialect> make_dialect(const TenantSettings& settings,
                                              engine::Tenant& tenant, engine::Wire& wire) {
  switch (settings.vendor) {
    case Vendor::innova360:
      return std::make_unique<innova360::Dialect>(settings.innova360, tenant, wire);
    case Vendor::vodia: return std::make_unique<vodia::Dialect>(settings.vodia, tenant, wire);
    case Vendor::innovaphone:
      return std::make_unique<innovaphone::Dialect>(settings.innovaphone, tenant, wire);
    case Vendor::webitel: return std::make_unique<webitel::Dialect>(settings.webitel, tenant, wire);
  }
  return nullptr;
}

}  // namespace

std::string_view name_of(Vendor vendor) {
  switch (vendor) {
    case Vendor::innova360: return "innova360";
    case Vendor::vodia: return "vodia";
    case Vendor::innovaphone: return "innovaphone";
    case Vendor::webitel: return "webitel";
  }
  return "?";
}

Stage::Stage(TenantSettings settings, engine::Wire& wire, TimePoint start)
    : settings_(std::move(settings)), tenant_(engine_of(settings_), *this) {
  settings_.innova360.clock.start = settings_.vodia.clock.start = start;
  settings_.innovaphone.clock.start = settings_.webitel.clock.start = start;
  dialect_ = make_dialect(settings_, tenant_, wire);
}

TimePoint Stage::deadline() const {
  TimePoint due = std::min(tenant_.deadline(), dialect_->deadline());
  if (traffic_) due = std::min(due, traffic_->deadline());
  for (const auto& [id, run] : runs_) due = std::min(due, run.deadline());
  return due;
}

void Stage::advance(TimePoint now) {
  for (TimePoint due = deadline(); due <= now && due != TimePoint::max(); due = deadline()) {
    // Of several that are due at once, in this order.
    if (tenant_.deadline() == due) {
      tenant_.advance(due);
    } else if (dialect_->deadline() == due) {
      dialect_->advance(due);
    } else if (traffic_ && traffic_->deadline() == due) {
      traffic_->advance(tenant_, dialect_->counters().events, due);
    } else {
      for (auto& [id, run] : runs_) {
        if (run.deadline() == due) run.advance(*this, due);
      }
    }
  }
}

std::string Stage::change_faults(const scenario::FaultChange& change, TimePoint now) {
  if (change.needs_listener && !settings_.own_listener) {
    return "refuse_connections and no_welcome need a listener of the tenant's own; give it a port";
  }
  dialect_->set_faults(change.applied_to(dialect_->faults()), now);
  dialect_->happen(change.incident, now);
  return {};
}

void Stage::clear_faults(TimePoint now) { dialect_->set_faults({}, now); }

void Stage::start_traffic(const scenario::TrafficOptions& options, TimePoint now) {
  traffic_.emplace(options, now);
}

void Stage::start_run(RunId id, std::shared_ptr<const scenario::Scenario> scenario, TimePoint now) {
  runs_.insert_or_assign(id, scenario::Run(std::move(scenario), now));
}

const scenario::Run* Stage::run(RunId id) const {
  const auto it = runs_.find(id);
  return it == runs_.end() ? nullptr : &it->second;
}

}  // namespace simulator
