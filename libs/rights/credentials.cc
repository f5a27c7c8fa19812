#include "access/credentials.h"

namespace access {

std::string_view name_of(Means means) {
  switch (means) {
    case Means::none: return "none";
    case Means::certificate: return "certificate";
    case Means::jwt: return "jwt";
    case Means::token: return "token";
  }
  return "";
}

}  // namespace access
