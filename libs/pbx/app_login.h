#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "pbx/settings.h"

// Logins that we sign and somebody else's browser uses, so that a page can talk to the PBX itself
// without ever knowing a password.
namespace pbx {

struct LoginChallenge {
  std::string app;        // which application; empty: the only one that is configured
  std::string challenge;  // what the PBX said to the browser
  std::string user;       // whose login it is to be, by the PBX's login name; empty: everybody's
};

// The fields that the browser has to send, each with the very bytes that were signed.
struct SignedLogin {
  std::string app, domain, sip, guid, dn, challenge, digest;
  std::optional<std::string> info;  // a JSON object, as text
  std::string json;                 // all of it, as the vendor's own browser library takes it
};

// invalid_argument (`why` begins with the field: "user: …"), permission_denied (not a configured
// application, or not for everybody). `why` never has a secret in it.
using SignLogin = base::Result<SignedLogin> (*)(const Settings& settings,
                                                const LoginChallenge& asked, std::string& why);

}  // namespace pbx
