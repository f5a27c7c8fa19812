#pragma once

#include <map>
#include <string>
#include <utility>

#include "simulator/engine/dialect.h"
#include "simulator/engine/tenant.h"
#include "simulator/vodia/calls.h"
#include "simulator/vodia/encoder.h"
#include "simulator/vodia/sessions.h"
#include "simulator/vodia/settings.h"

namespace simulator::vodia {

// What one tenant's PBX consists of, for its socket side (dialect.h) and its pages (rest.h). Stays
// where it is made.
struct Pbx {
  // What an extension's user has set, and the engine does not know.
  struct Preferences {
    static constexpr std::size_t kOthersMax = 100;

    std::string dnd_reason;
    engine::TimePoint dnd_end = engine::TimePoint::max();
    std::map<std::string, std::string> others;  // by key, at most kOthersMax
  };

  Pbx(Settings its_settings, engine::Tenant& its_tenant)
      : settings(std::move(its_settings)),
        tenant(its_tenant),
        sessions(settings.mark, settings.seed),
        calls(settings.seed, tenant),
        encoder(settings, tenant, calls) {}
  Pbx(const Pbx&) = delete;
  Pbx& operator=(const Pbx&) = delete;

  // The extension of that number which somebody may be; a park orbit is none.
  engine::ExtensionIndex user(std::string_view number) const {
    if (settings.type_of(number) != kExtensions) return engine::kOutside;
    return tenant.find_extension(number);
  }
  void set_do_not_disturb(engine::ExtensionIndex extension, bool on, engine::TimePoint now) {
    preferences[extension].dnd_end = engine::TimePoint::max();
    if (!on) preferences[extension].dnd_reason.clear();
    (void)tenant.set_do_not_disturb(tenant.extension(extension).number, on, now);
  }

  const Settings settings;
  engine::Tenant& tenant;
  Sessions sessions;
  Calls calls;
  Encoder encoder;
  engine::Faults faults;
  engine::Counters counters;
  std::map<engine::ExtensionIndex, Preferences> preferences;
};

}  // namespace simulator::vodia
