#pragma once

#include <string>

#include "simulator/engine/http.h"

namespace simulator::vodia {

// Whose a request is, where many tenants share a port. Nothing of it has to be true.
struct Addressee {
  std::string domain;   // as it is named; empty if it is not
  std::string session;  // or token: its first characters tell the tenant
};
Addressee addressee_of(const engine::HttpRequest& request);

}  // namespace simulator::vodia
