#include "pbx/innovaphone/check.h"

#include "pbx/innovaphone/digest.h"

namespace pbx::innovaphone {

std::vector<Mistake> check(const Settings& settings) {
  std::vector<Mistake> mistakes;
  const bool inbound = settings.text("direction") == "inbound";
  if (!inbound && settings.text("host").empty()) {
    mistakes.push_back({"host", "expected the PBX's host name, since direction is outbound"});
  }
  if (inbound && settings.text("url_path").empty()) {
    mistakes.push_back({"url_path",
                        "expected the path of the App object's URL without its last component, "
                        "since direction is inbound"});
  }
  if (inbound && settings.text("url_app").empty()) {
    mistakes.push_back({"url_app",
                        "expected the last component of the App object's URL, since direction is "
                        "inbound"});
  }
  const std::string& own = settings.text("app_object");
  if (own.empty() || !signable(own, kSignableMax)) {
    mistakes.push_back({"app_object", "expected 1 to 64 bytes without colons"});
  }
  for (const auto& [name, app] : settings.apps("apps")) {
    if (name == own) {
      mistakes.push_back({"apps",
                          "expected other App objects than the gateway's own: whoever has a login "
                          "signed for that one could come in as the PBX"});
    }
    if (name.empty() || !signable(name, kSignableMax) || !signable(app.domain, kSignableMax)) {
      mistakes.push_back(
          {"apps",
           "expected names and domains of 1 to 64 bytes without colons, which separate "
           "what is signed"});
    }
  }
  return mistakes;
}

}  // namespace pbx::innovaphone
