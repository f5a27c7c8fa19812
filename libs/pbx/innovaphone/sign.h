#pragma once

#include <string>

#include "pbx/app_login.h"

namespace pbx::innovaphone {

// A login for a browser that talks to the PBX itself (pbx/app_login.h): what the vendor's browser
// library expects of AppGetLogin. `apps` of the settings says for which App objects, and that they
// are not the gateway's own.
base::Result<SignedLogin> sign_login(const Settings& settings, const LoginChallenge& asked,
                                     std::string& why);

}  // namespace pbx::innovaphone
