#pragma once

#include <string>
#include <string_view>

#include "simulator/engine/clock.h"
#include "simulator/engine/faults.h"
#include "simulator/engine/tenant.h"
#include "simulator/innova360/variants.h"

namespace simulator::innova360 {

// Where a tenant's ids take their seconds from: they are "<unix seconds>.<number>", as Asterisk's.
using engine::Clock;

// The first words on a connection, before anybody knows whose it is.
std::string welcome_frame(std::string_view server);
std::string forbidden_frame(std::string_view server);

// The PBX's words, in one tenant's variant. Holds no state but refers to the tenant.
class Encoder {
 public:
  Encoder(const Variants& variants, std::string server, Clock clock, const engine::Tenant& tenant);

  std::string welcome() const;
  std::string forbidden() const;
  std::string logged_in(std::string_view user, std::string_view extension, std::string_view token,
                        bool supervisor) const;
  // Of one extension, or of all. At least `entries_min` of them: invented idle ones fill up.
  std::string init(engine::ExtensionIndex only, std::size_t entries_min) const;

  std::string extension_status(const engine::Extension& extension) const;
  std::string new_call(const engine::Leg& leg) const;
  std::string call_state(const engine::Leg& leg) const;
  std::string hangup(const engine::Leg& leg, engine::Cause cause) const;
  // `action` is start-moh, stop-moh, start-record or end-record.
  std::string call_event(std::string_view action, const engine::Leg& leg) const;
  std::string action_error(std::string_view action) const;
  std::string noise(engine::Noise kind, std::size_t oversized_bytes) const;

  std::string id_of(const engine::Leg& leg) const;
  // False for a change of state that this variant does not show.
  bool shows_state(const engine::Leg& leg) const;
  const Variants& variants() const { return variants_; }

 private:
  class Object;
  Object update(std::string_view action, std::string_view extension, bool with_server) const;
  void add_extension(std::string& out, const engine::Extension& extension) const;
  void add_call(std::string& out, const engine::Leg& leg) const;

  Variants variants_;
  std::string server_;
  Clock clock_;
  const engine::Tenant& tenant_;
};

}  // namespace simulator::innova360
