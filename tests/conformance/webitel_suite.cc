#include "conformance/webitel_suite.h"

#include <span>

namespace conformance {
namespace {

void configure_minted(pbx::Settings& settings, std::span<const std::string>) {
  settings.set("host", std::string("pbx.example"));
  settings.set("token", std::string("gateway-token"));
  settings.set("user_sockets", std::string("minted"));
}

}  // namespace

std::vector<const Bench*> benches_of_webitel() {
  std::vector<const Bench*> all;
  for (const Bench* it : benches()) {
    if (std::string_view(it->vendor) == "webitel") all.push_back(it);
  }
  static const Bench kMinted = [&] {
    Bench it = *all.front();
    it.name = "webitel_minted";
    it.configure = configure_minted;
    return it;
  }();
  all.push_back(&kMinted);
  return all;
}

}  // namespace conformance
