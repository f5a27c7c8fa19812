#include "rights/credentials.h"

namespace rights {

std::string_view name_of(Means means) {
  switch (means) {
    case Means::none: return "none";
    case Means::certificate: return "certificate";
    case Means::jwt: return "jwt";
    case Means::token: return "token";
  }
  return "";
}

}  // namespace rights
