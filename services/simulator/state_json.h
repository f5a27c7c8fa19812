#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "simulator/stage.h"

namespace simulator {

// What is true at a tenant, for those who compare it with what they were told.
boost::json::object state_json(const Stage& stage, engine::TimePoint now);

boost::json::object faults_json(const engine::Faults& faults);

}  // namespace simulator
