#pragma once

#include <boost/json.hpp>

#include "simulator/webitel/pbx.h"

// How legs are shown: the same things, in other types on the socket than by HTTP.
namespace simulator::webitel {

// Of {items} of subscribe_call: times are numbers, everything is there.
json::object call_item(const Pbx& pbx, const Channel& channel, engine::TimePoint now);
// Of GET /calls/active: times are strings.
json::object active_call(const Pbx& pbx, const Channel& channel, engine::TimePoint now);
// Without members that are nothing, if that is how the server is.
json::value tidied(const Pbx& pbx, json::value value);

}  // namespace simulator::webitel
