#include "pbx/innovaphone/diversions.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pbx::innovaphone {

using base::Errc;
using call::ForwardingType;

namespace {

constexpr std::pair<ForwardingType, std::string_view> kTypes[] = {
    {ForwardingType::immediate, "cfu"},
    {ForwardingType::busy, "cfb"},
    {ForwardingType::no_answer, "cfnr"},
};

}  // namespace

std::vector<call::Forwarding> forwardings_of(const std::vector<Diversion>& diversions) {
  std::vector<call::Forwarding> forwardings;
  for (const auto& [type, name] : kTypes) {
    const auto it =
        std::find_if(diversions.begin(), diversions.end(),
                     [&, word = name](const auto& d) { return d.type == word && !d.conditional; });
    if (it == diversions.end()) continue;
    const std::string& destination = it->e164.empty() ? it->h323 : it->e164;
    if (!destination.empty()) forwardings.push_back({type, destination});
  }
  return forwardings;
}

std::optional<std::string_view> diversion_type(ForwardingType type) {
  const auto* it = std::find_if(std::begin(kTypes), std::end(kTypes),
                                [&](const auto& row) { return row.first == type; });
  return it == std::end(kTypes) ? std::nullopt : std::optional(it->second);
}

base::Result<std::string> activity_of(std::string_view presence) {
  if (presence == "available") return std::string();
  if (presence.empty() || presence == "on-the-phone" || presence == "offline") {
    return Errc::invalid_argument;
  }
  return std::string(presence);
}

bool is_refused(const Result& result) {
  const bool says_ok = result.mt == "AddDiversion" || result.mt == "DelDiversion";
  return !result.error.empty() || (says_ok && !result.ok);
}

}  // namespace pbx::innovaphone
