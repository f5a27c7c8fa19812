#pragma once

#include <string>

#include "base/result.h"

namespace rights {

// Why somebody is nobody: unauthenticated, credentials_invalid or credentials_expired, and a
// sentence for the caller that never repeats what was shown.
struct Refusal {
  base::Error why;
  std::string detail;
};

}  // namespace rights
