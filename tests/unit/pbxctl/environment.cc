// Before any test: times are UTC, and what the tester's shell says about pbxctl does not count.
#include <cstdlib>
#include <initializer_list>

namespace {

[[maybe_unused]] const bool kIsSet = [] {
  ::setenv("TZ", "UTC", 1);
  for (const char* name : {"PBXGW_SERVER", "PBXGW_TENANT", "PBXGW_TOKEN", "PBXGW_TOKEN_FILE",
                           "PBXGW_CA_FILE", "PBXGW_CERT_FILE", "PBXGW_KEY_FILE", "NO_COLOR"})
    ::unsetenv(name);
  return true;
}();

}  // namespace
