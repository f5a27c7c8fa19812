#include "pbx/innovaphone/diversions.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/innovaphone/texts.h"

namespace pbx::innovaphone {

using base::Errc;
using call::ForwardingType;

namespace {

constexpr std::pair<ForwardingType, std::string_view> kTypes[] = {
    {ForwardingType::immediate, "cfu"},
    {ForwardingType::busy, "cfb"},
    {ForwardingType::no_answer, "cfnr"},
};

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789*#+") == std::string_view::npos;
}

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

std::vector<std::string> set_forwarding(const std::string& guid, const call::Forwarding& forwarding,
                                        const std::vector<Diversion>& diversions,
                                        std::string_view src) {
  const std::string_view type = *diversion_type(forwarding.type);
  const auto remove = [&](std::string_view as) {
    return message("DelDiversion", kPbxApi, as, {{"guid", guid}, {"type", type}});
  };
  if (forwarding.destination.empty()) return {remove(src)};
  std::vector<std::string> texts;
  const bool there = std::any_of(diversions.begin(), diversions.end(), [&](const auto& it) {
    return it.type == type && !it.conditional;
  });
  if (there) texts.push_back(remove(std::string(src) + ":before"));
  const std::string_view key = is_number(forwarding.destination) ? "ep-num" : "ep-sip";
  texts.push_back(message("AddDiversion", kPbxApi, src,
                          {{"guid", guid}, {"type", type}, {key, forwarding.destination}}));
  return texts;
}

std::string get_forwarding(const std::string& guid, ForwardingType type, std::string_view src) {
  return message("GetDiversion", kPbxApi, src, {{"guid", guid}, {"type", *diversion_type(type)}});
}

void apply(const call::Forwarding& forwarding, std::vector<Diversion>& diversions) {
  const auto type = diversion_type(forwarding.type);
  if (!type) return;
  std::erase_if(diversions, [&](const auto& it) { return it.type == *type && !it.conditional; });
  if (forwarding.destination.empty()) return;
  Diversion diversion;
  diversion.type = *type;
  (is_number(forwarding.destination) ? diversion.e164 : diversion.h323) = forwarding.destination;
  diversions.push_back(std::move(diversion));
}

base::Result<std::string> activity_of(std::string_view presence) {
  if (presence == "available") return std::string();
  if (presence.empty() || presence == "on-the-phone" || presence == "offline") {
    return Errc::invalid_argument;
  }
  return std::string(presence);
}

std::string set_presence(const std::string& guid, std::string_view activity, std::string_view note,
                         std::string_view src) {
  return message("SetPresence", kPbxApi, src,
                 {{"guid", guid}, {"contact", "tel:"}, {"activity", activity}, {"note", note}});
}

std::optional<call::Refusal> refusal_of(const Result& result) {
  // These say ok; all the others say it by naming no error.
  const bool says_ok = result.mt == "AddDiversion" || result.mt == "DelDiversion";
  if (result.error.empty() && (result.ok || !says_ok)) return std::nullopt;
  std::string detail = "the PBX refused";
  if (!result.error.empty()) detail += ": " + result.error;
  return call::Refusal{Errc::pbx_refused, std::move(detail)};
}

}  // namespace pbx::innovaphone
