#include "pbx/innova360/commands.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/overloaded.h"

namespace pbx::innova360 {
namespace {

using base::Errc;
using call::Refusal;
using call::Service;

std::optional<Refusal> fault_of_number(std::string_view number) {
  const bool printable = std::all_of(number.begin(), number.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  });
  if (printable && !bare_number(number).empty() && number.size() <= kNumberMax) return std::nullopt;
  return Refusal{Errc::invalid_argument, "destination: not a number that could be dialled"};
}

// What an action calls a leg; nothing if it has ended.
std::optional<std::pair<std::string, LegRef>> reference(const Legs& legs, const std::string& id) {
  const auto leg = legs.find(id);
  if (!leg) return std::nullopt;
  return std::pair(std::string(leg->extension),
                   LegRef{std::string(leg->callid), *leg->ends, leg->step});
}

Refusal gone(const std::string& leg) {
  constexpr std::string_view kFar = "/far";
  if (leg.ends_with(kFar)) {
    return {Errc::credentials_missing,
            "only an extension can act; clear the extension's own connection"};
  }
  return {Errc::connection_not_found, "the connection has ended"};
}

}  // namespace

void Commands::ask(call::CommandId id, const call::Command& command, TimePoint limit, TimePoint now,
                   Effects& effects) {
  if (pending_.contains(id)) return;  // it will be answered
  std::optional<Refusal> refusal;
  if (limit <= now) {
    refusal = Refusal{Errc::timed_out, "no time was left to do it in"};
  } else if (pending_.size() >= options_.most) {
    refusal = Refusal{Errc::too_many_requests, "too many commands are waiting for this PBX"};
  } else {
    Pending pending;
    pending.service = call::service_of(command);
    pending.due = pending.limit = limit;
    refusal = start(id, command, std::move(pending), now, effects);
  }
  if (refusal) effects.push_back(Answer{id, std::move(*refusal)});
}

std::optional<Refusal> Commands::start(call::CommandId id, const call::Command& command,
                                       Pending pending, TimePoint now, Effects& effects) {
  std::map<std::string, Job> jobs;  // by extension
  // Adds a leg to the job that ends it.
  const auto end_leg = [&](const std::string& leg) -> std::optional<Refusal> {
    auto found = reference(legs_, leg);
    if (!found) return gone(leg);
    auto& [extension, ref] = *found;
    if (auto hindrance = agents_.hindrance(extension, now)) return hindrance;
    Job& job = jobs[extension];
    job.command = id;
    if (!std::holds_alternative<HangupCalls>(job.action)) job.action = HangupCalls{};
    std::get<HangupCalls>(job.action).callids.push_back(ref.callid);
    job.legs.push_back(std::move(ref));
    pending.legs.push_back(leg);
    return std::nullopt;
  };

  auto refusal = std::visit(
      base::overloaded{
          [&](const call::MakeCall& it) -> std::optional<Refusal> {
            if (auto fault = fault_of_number(it.destination)) return fault;
            Call action{it.destination, {}, {}};
            for (const auto& [name, value] : it.data) {
              if (name != "customfield1" && name != "customfield2") {
                return Refusal{Errc::invalid_argument,
                               "data: Innova360 takes customfield1 and customfield2 only"};
              }
              (name == "customfield1" ? action.custom_field1 : action.custom_field2) = value;
            }
            const std::string& extension = it.device.str();
            if (auto hindrance = agents_.hindrance(extension, now)) return hindrance;
            pending.extension = extension;
            pending.number = bare_number(it.destination);
            jobs[extension] = {id, std::move(action), {}};
            return std::nullopt;
          },
          [&](const call::ClearConnection& it) {
            pending.leg = it.target.leg;
            return end_leg(it.target.leg);
          },
          [&](const call::ClearCall& it) -> std::optional<Refusal> {
            // Whoever can act does; the PBX ends the others' legs with theirs.
            std::optional<Refusal> first;
            for (const call::Target& target : it.targets) {
              auto hindrance = end_leg(target.leg);
              if (!first) first = std::move(hindrance);
            }
            if (!jobs.empty()) return std::nullopt;
            return first ? first : Refusal{Errc::call_not_found, "the call has no connection"};
          },
          [&](const call::SingleStepTransferCall& it) -> std::optional<Refusal> {
            if (auto fault = fault_of_number(it.destination)) return fault;
            auto found = reference(legs_, it.target.leg);
            if (!found) return gone(it.target.leg);
            auto& [extension, ref] = *found;
            if (!legs_.find(it.target.leg)->answered) {
              return Refusal{Errc::incorrect_state, "only an answered call can be transferred"};
            }
            if (auto hindrance = agents_.hindrance(extension, now)) return hindrance;
            pending.leg = it.target.leg;
            pending.legs = {it.target.leg};
            pending.destination = it.destination;
            jobs[extension] = {id, BlindTransfer{ref.callid, it.destination}, {ref}};
            return std::nullopt;
          },
          [](const auto&) -> std::optional<Refusal> {
            return Refusal{Errc::feature_not_supported, "Innova360's protocol has no such action"};
          },
      },
      command);
  if (refusal) return refusal;

  pending.jobs = static_cast<unsigned>(jobs.size());
  pending_.emplace(id, std::move(pending));
  Agents::Output out;
  for (auto& [extension, job] : jobs) agents_.ask(extension, std::move(job), now, out);
  settle(std::move(out), now, effects);
  return std::nullopt;
}

void Commands::settle(Agents::Output out, TimePoint now, Effects& effects) {
  std::move(out.effects.begin(), out.effects.end(), std::back_inserter(effects));
  for (Report& report : out.reports) {
    const auto it = pending_.find(report.command);
    if (it == pending_.end()) continue;
    Pending& pending = it->second;
    switch (report.what) {
      case Report::What::sent: {
        const bool call = pending.service == Service::make_call;
        pending.sent = true;
        pending.due =
            std::min(pending.limit, now + (call ? options_.call_limit : options_.action_limit));
        if (pending.service == Service::single_step_transfer_call) {
          legs_.transferring(pending.leg, pending.destination, now);
        }
        break;
      }
      case Report::What::lost: pending.lost = true; break;
      case Report::What::failed:
        if (--pending.jobs > 0) break;  // another extension's action may do
        answer(it, Refusal{report.why, std::move(report.detail)}, now, effects);
        break;
    }
  }
}

std::optional<call::CommandId> Commands::made(const NewCall& event) const {
  for (const auto& [id, pending] : pending_) {
    if (pending.service != Service::make_call || !pending.sent ||
        pending.extension != event.extension) {
      continue;
    }
    if (bare_number(event.ends.phone_b) == pending.number ||
        bare_number(event.ends.phone_a) == pending.number) {
      return id;
    }
  }
  return std::nullopt;
}

void Commands::on_made(call::CommandId id, const std::string& leg, TimePoint now,
                       Effects& effects) {
  const auto it = pending_.find(id);
  if (it != pending_.end()) answer(it, call::Outcome{leg}, now, effects);
}

std::optional<call::CommandId> Commands::ending(std::string_view leg) const {
  for (const auto& [id, pending] : pending_) {
    if (pending.sent &&
        std::find(pending.legs.begin(), pending.legs.end(), leg) != pending.legs.end()) {
      return id;
    }
  }
  return std::nullopt;
}

void Commands::on_ended(const std::string& leg, TimePoint now, Effects& effects) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    const auto next = std::next(it);
    Pending& pending = it->second;
    if (std::erase(pending.legs, leg) > 0 && pending.legs.empty()) {
      const bool too_late = pending.service == Service::single_step_transfer_call && !pending.sent;
      if (too_late) {
        answer(it, Refusal{Errc::connection_not_found, "it ended before it could be transferred"},
               now, effects);
      } else {
        answer(it, call::Outcome{pending.leg}, now, effects);
      }
    }
    // answer() erases this one only, whatever the agents then send.
    it = next;
  }
}

void Commands::on_snapshot(TimePoint now, Effects& effects) {
  std::vector<std::string> ended;
  for (const auto& [id, pending] : pending_) {
    for (const std::string& leg : pending.legs) {
      if (!legs_.find(leg)) ended.push_back(leg);
    }
  }
  for (const std::string& leg : ended) on_ended(leg, now, effects);
}

void Commands::on_tick(TimePoint now, Effects& effects) {
  std::vector<call::CommandId> late;
  for (const auto& [id, pending] : pending_) {
    if (pending.due <= now) late.push_back(id);
  }
  for (call::CommandId id : late) {
    const auto it = pending_.find(id);
    if (it == pending_.end()) continue;
    const Pending& pending = it->second;
    if (pending.due > now) continue;  // sent just now, because another one made room
    Refusal refusal{Errc::timed_out, "the agent connection was not ready in time"};
    if (pending.sent) refusal = {Errc::effect_not_seen, "it was sent, but had no visible effect"};
    if (pending.sent && pending.lost) {
      refusal = {Errc::outcome_unknown, "it was sent, and the agent connection lost after that"};
    }
    answer(it, std::move(refusal), now, effects);
  }
}

TimePoint Commands::deadline() const {
  TimePoint first = TimePoint::max();
  for (const auto& [id, pending] : pending_) first = std::min(first, pending.due);
  return first;
}

void Commands::answer(std::map<call::CommandId, Pending>::iterator it, call::Reply reply,
                      TimePoint now, Effects& effects) {
  const call::CommandId id = it->first;
  pending_.erase(it);
  effects.push_back(Answer{id, std::move(reply)});
  Agents::Output out;
  agents_.release(id, now, out);
  settle(std::move(out), now, effects);
}

}  // namespace pbx::innova360
