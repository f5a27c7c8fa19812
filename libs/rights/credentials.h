#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rights {

// What a caller showed, as the transport has it. `bearer` is a secret.
struct Credentials {
  // Of "authorization: Bearer <bearer>"; empty: none was sent.
  std::string bearer;
  // The names in the client's certificate, which the transport has verified already:
  // "uri:spiffe://x/crm", "dns:crm.example", "cn:crm". Empty: none was shown.
  std::vector<std::string> certificate_names;
  // When it expires: a connection may outlive the certificate that it was made with.
  std::optional<std::chrono::system_clock::time_point> certificate_expires{};
};

// How a caller's name is known; the word that audit records have for it.
enum class Means { none, certificate, jwt, token };
std::string_view name_of(Means means);  // "certificate"

}  // namespace rights
