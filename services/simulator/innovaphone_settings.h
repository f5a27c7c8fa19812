#pragma once

#include "config/document.h"
#include "simulator/innovaphone/settings.h"

namespace simulator {

// An innovaphone tenant's own settings. What is wrong goes to the document's finish().
innovaphone::Settings read_innovaphone(const config::Section& section);

}  // namespace simulator
