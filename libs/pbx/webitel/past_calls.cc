#include "pbx/webitel/past_calls.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace pbx::webitel {
namespace {

using call::DeviceKind;
using call::Direction;

call::Time time_at(std::int64_t milliseconds) {
  return call::Time(std::chrono::milliseconds(milliseconds));
}

// The leg that all others of its call hang on, as far as they are known.
std::string_view top_of(const PastLeg& leg,
                        const std::unordered_map<std::string_view, const PastLeg*>& by_id) {
  constexpr int kDepthMax = 16;  // a PBX whose parents go in a circle has lost its way
  const PastLeg* top = &leg;
  for (int i = 0; i < kDepthMax && !top->parent.empty(); ++i) {
    const auto parent = by_id.find(top->parent);
    if (parent == by_id.end()) return top->parent;
    top = parent->second;
  }
  return top->id;
}

// The extension of the leg's user, by the record or by who he is now; empty for a trunk's leg.
std::string extension_of(const PastLeg& leg, const Directory& directory) {
  if (leg.user.empty()) {
    return directory.by_extension(leg.extension) ? leg.extension : std::string();
  }
  if (!leg.extension.empty()) return leg.extension;
  const Person* person = directory.by_user(leg.user);
  return person ? person->extension.str() : std::string();
}

// An outside party, unless the PBX says that it is a user, or the number is an extension's.
call::Party party_of(const PastLeg::End& end, const Directory& directory) {
  call::Party party{call::DeviceId(end.number), DeviceKind::outside, end.number, end.name};
  const Person* person = nullptr;
  if (end.type == "user" && !end.id.empty()) person = directory.by_user(end.id);
  if (!person) person = directory.by_extension(end.number);
  if (person && !person->extension.empty()) {
    party.device = person->extension;
    party.kind = DeviceKind::extension;
    if (party.name.empty()) party.name = person->name;
  } else if (end.type == "user") {
    party.kind = DeviceKind::extension;  // of somebody who is gone since
  }
  return party;
}

// A leg that a user of the PBX's calls with is answered when his own phone is (webitel.md 3.6), so
// it is the bridge that counts. An IVR's calls never get one.
std::optional<call::Time> answer_of(const PastLeg& leg, std::span<const PastLeg* const> family) {
  if (leg.bridged > 0) return time_at(leg.bridged);
  if (leg.answered == 0 || leg.sip_code >= 300) return std::nullopt;
  const bool asked_others = !family.empty();
  const bool answered = std::any_of(family.begin(), family.end(), [](const PastLeg* other) {
    return other->answered > 0 || other->bridged > 0;
  });
  if (leg.direction == "outbound" && asked_others && !answered) return std::nullopt;
  return time_at(leg.answered);
}

call::PastCall past_call_of(const PastLeg& leg, std::span<const PastLeg* const> family,
                            const Directory& directory) {
  call::PastCall call;
  call.id = leg.id;
  call.calling = party_of(leg.from, directory);
  PastLeg::End to = leg.to;
  if (to.number.empty()) to.number = leg.destination;
  call.called = party_of(to, directory);

  const std::string own = extension_of(leg, directory);
  // With masked numbers the ends may have nothing but a number (webitel.md 3.4).
  call::Party& near = leg.direction == "inbound" ? call.called : call.calling;
  if (!own.empty() && near.kind != DeviceKind::extension) {
    if (near.number.empty()) near.number = own;
    near.device = call::DeviceId(own);
    near.kind = DeviceKind::extension;
  }
  call.direction = call.calling.kind != DeviceKind::extension  ? Direction::inbound
                   : call.called.kind == DeviceKind::extension ? Direction::internal
                                                               : Direction::outbound;
  call.start = time_at(leg.created);
  call.answer = answer_of(leg, family);
  if (leg.hangup > 0) call.end = time_at(leg.hangup);

  const auto add_device = [&](const std::string& extension) {
    const call::DeviceId device(extension);
    auto& all = call.devices;
    if (!extension.empty() && std::find(all.begin(), all.end(), device) == all.end()) {
      all.push_back(device);
    }
  };
  for (const call::Party* party : {&call.calling, &call.called}) {
    if (party->kind == DeviceKind::extension) add_device(party->device.str());
  }
  add_device(own);
  const auto add_files = [&](const PastLeg& its) {
    for (const std::string& file : its.files) {
      auto& all = call.recordings;
      if (std::find(all.begin(), all.end(), file) == all.end()) all.push_back(file);
    }
  };
  add_files(leg);
  for (const PastLeg* other : family) {
    add_device(extension_of(*other, directory));
    add_files(*other);
  }
  call.data = leg.data;
  return call;
}

}  // namespace

std::vector<call::PastCall> past_calls_of(std::span<const PastLeg> found,
                                          std::span<const PastLeg> others,
                                          const Directory& directory) {
  std::unordered_map<std::string_view, const PastLeg*> by_id;
  for (const PastLeg& leg : found) by_id.emplace(leg.id, &leg);
  for (const PastLeg& leg : others) by_id.emplace(leg.id, &leg);
  std::unordered_map<std::string_view, std::vector<const PastLeg*>> families;
  for (const auto& [id, leg] : by_id) families[top_of(*leg, by_id)].push_back(leg);
  for (auto& [top, family] : families) {
    std::sort(family.begin(), family.end(), [](const PastLeg* one, const PastLeg* other) {
      return one->created != other->created ? one->created < other->created : one->id < other->id;
    });
  }

  std::vector<call::PastCall> calls;
  for (const PastLeg& leg : found) {
    const std::string_view top = top_of(leg, by_id);
    std::vector<const PastLeg*> family = families[top];
    std::erase_if(family, [&](const PastLeg* other) { return other->id == leg.id; });
    calls.push_back(past_call_of(leg, family, directory));
    // One call has one id, whoever's legs were asked for.
    calls.back().id = top;
  }
  return calls;
}

}  // namespace pbx::webitel
