#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace simulator::innova360 {

// What the vendor's documentation leaves open, and deployments may do one way or another. Each can
// be chosen per tenant; the defaults are the documented examples.
struct Variants {
  enum class Container { array, keyed, object };  // object: if there is exactly one, else an array
  enum class NoCalls { empty, null, text, absent };
  enum class Numbers { strings, numbers };
  enum class Booleans { native, text, number, digit, yes };
  enum class Words { number, text, constant, spanish };  // 1, InUse, INUSE, en uso
  enum class CallState { both, number, text };           // of "state"; the text is always there
  enum class Direction { in_out, incoming, inbound, spanish, recibida, unknown };
  enum class CallIds { leg, call };
  enum class AuthOk { auth_resp, auth_ok };
  enum class Bridge { leg, call, flag };
  enum class Music { holder, heard };  // whose leg the start-moh names
  enum class Presence { empty, absent, account };

  Container data = Container::array;
  Container calls = Container::array;
  NoCalls no_calls = NoCalls::empty;
  Numbers numbers = Numbers::strings;
  Booleans booleans = Booleans::native;
  Words status = Words::number;
  CallState call_state = CallState::both;
  Words cause = Words::number;
  Direction direction = Direction::in_out;
  bool server = true;             // the field of that name, where the documentation has it
  bool extension_field = true;    // "Extension" also where it is the key
  bool callback_progress = true;  // Dialing, Ring and Up again after the own phone is Up
  CallIds call_ids = CallIds::leg;
  AuthOk auth_ok = AuthOk::auth_resp;
  Bridge bridge = Bridge::leg;
  Music music = Music::holder;
  Presence supervisor_extension = Presence::empty;  // extension and agent of its auth-resp
};

// Sets one of them. Returns what is wrong, in words, or nothing.
std::string set_variant(Variants& variants, std::string_view name, std::string_view value);
std::vector<std::string_view> variant_names();

}  // namespace simulator::innova360
