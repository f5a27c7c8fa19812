#pragma once

#include <string>
#include <string_view>

#include "simulator/vodia/pbx.h"

// What clients do at an extension's phone, over the socket or by REST. Calls are named by their id
// on the wire. False if there is no such call at that extension, or it cannot be done.
namespace simulator::vodia {

enum class Dial : std::uint8_t {
  phone,     // the phone dials, as if somebody had typed the number
  callback,  // the phone rings first
};

// `to` may be a star code (*87 and an extension: pick up), or a park orbit to take a call from.
// `note` is for those who count originations.
bool dial(Pbx& pbx, engine::ExtensionIndex who, Dial how, std::string_view to, std::string note,
          engine::TimePoint now);
bool answer(Pbx& pbx, engine::ExtensionIndex who, std::string_view id, engine::TimePoint now);
bool hang_up(Pbx& pbx, engine::ExtensionIndex who, std::string_view id, engine::TimePoint now);
// Only what rings there.
bool reject(Pbx& pbx, engine::ExtensionIndex who, std::string_view id, engine::TimePoint now);
bool hold(Pbx& pbx, engine::ExtensionIndex who, std::string_view id, engine::TimePoint now);
bool resume(Pbx& pbx, engine::ExtensionIndex who, std::string_view id, engine::TimePoint now);
// The one or the other, depending on what it is.
bool toggle_hold(Pbx& pbx, engine::ExtensionIndex who, std::string_view id, engine::TimePoint now);
// A call that still rings is deflected.
bool transfer(Pbx& pbx, engine::ExtensionIndex who, std::string_view id, std::string_view to,
              engine::TimePoint now);
bool join(Pbx& pbx, engine::ExtensionIndex who, std::string_view id, std::string_view other_id,
          engine::TimePoint now);
bool record(Pbx& pbx, engine::ExtensionIndex who, std::string_view id, bool on,
            engine::TimePoint now);

// The extension's part in the call; null if it has none.
const engine::Leg* own_leg(const Pbx& pbx, engine::ExtensionIndex who, std::string_view id);
// The number of whom it talks to, or wants to; empty if there is no such call.
std::string remote_party(const Pbx& pbx, engine::ExtensionIndex who, std::string_view id);

}  // namespace simulator::vodia
