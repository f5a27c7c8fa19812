#include "conformance/office.h"

#include <vector>

#include <gtest/gtest.h>

#include "conformance/story.h"

namespace conformance {

namespace engine = simulator::engine;
using call::Service;

void Office::done(const char* what, base::Error error) {
  EXPECT_FALSE(error) << what << ": " << error.message();
  settled_ = gateway_.pause();
  compare(what);
  if (hook_) hook_();
}

void Office::compare(const char* after) {
  if (!comparing_ || !settled_ || !gateway_.is_up()) return;
  EXPECT_EQ(differences(gateway_), "") << "after: " << after << "\n" << story_of(gateway_.told());
}

void Office::wait(Millis time) { gateway_.wait(time); }

void Office::dial(std::string_view from, std::string_view to, engine::Plan plan) {
  const auto leg = gateway_.phones().originate(from, to, plan, gateway_.now());
  done("dial", leg ? base::Error() : leg.error());
}
void Office::answer(std::string_view device) {
  done("answer", gateway_.phones().answer(device, gateway_.now()));
}
void Office::hang_up(std::string_view device) {
  done("hang up", gateway_.phones().hang_up(device, gateway_.now()));
}
void Office::hold(std::string_view device) {
  done("hold", gateway_.phones().hold(device, gateway_.now()));
}
void Office::retrieve(std::string_view device) {
  done("retrieve", gateway_.phones().retrieve(device, gateway_.now()));
}
void Office::transfer(std::string_view device, std::string_view to) {
  done("transfer", gateway_.phones().transfer(device, to, {}, gateway_.now()));
}
void Office::complete_transfer(std::string_view device) {
  done("complete the transfer", gateway_.phones().attended_transfer(device, gateway_.now()));
}
void Office::conference(std::string_view device) {
  done("conference", gateway_.phones().conference(device, gateway_.now()));
}
void Office::pick_up(std::string_view device, std::string_view ringing) {
  done("pick up", gateway_.phones().pick_up(device, ringing, gateway_.now()));
}
void Office::deflect(std::string_view device, std::string_view to) {
  done("deflect", gateway_.phones().deflect(device, to, {}, gateway_.now()));
}
void Office::record(std::string_view device, bool on) {
  done("record", gateway_.phones().record(device, on, gateway_.now()));
}
void Office::forward(std::string_view device, engine::Forwarding to) {
  done("forward", gateway_.phones().set_forwarding(device, std::move(to)));
}
void Office::set_do_not_disturb(std::string_view device, bool on) {
  done("do not disturb", gateway_.phones().set_do_not_disturb(device, on, gateway_.now()));
}
void Office::set_busy(std::string_view device, bool on) {
  done("busy", gateway_.phones().set_forced_busy(device, on, gateway_.now()));
}

void Office::single_step_transfer(std::string_view device, std::string_view to) {
  const auto service = Service::single_step_transfer_call;
  const auto& row = gateway_.vendor().capabilities[static_cast<std::size_t>(service)];
  if (row.confirmation == call::Confirmation::none) return transfer(device, to);
  if (!gateway_.is_up()) gateway_.connect();
  call::Request request = request_on(gateway_, service, device);
  request.destination = to;
  const call::Reply reply = gateway_.ask(request);
  const auto* refusal = std::get_if<call::Refusal>(&reply);
  // Who sees that it has not been done does it by hand.
  const auto& legs = gateway_.phones().extension(gateway_.phones().find_extension(device)).legs;
  const bool lost = refusal && refusal->why == base::Errc::outcome_unknown;
  if (lost && !legs.empty()) return transfer(device, to);
  done("single-step transfer", refusal && !lost ? refusal->why : base::Error());
}

void Office::go_home() {
  engine::Tenant& phones = gateway_.phones();
  for (int round = 0; phones.call_count() > 0 && round < 100; ++round) {
    const engine::Call& call = *phones.calls().front();
    const engine::Leg& leg = *phones.find_leg(call.legs.front());
    const std::string number = leg.number;
    EXPECT_FALSE(phones.hang_up(number, gateway_.now(), leg.id));
    gateway_.pause();
  }
  if (!gateway_.is_up()) gateway_.connect();
  // Some adapters wait a while for what may become of a transferred call.
  gateway_.wait(10s);
  EXPECT_EQ(differences(gateway_), "") << story_of(gateway_.told());
  EXPECT_EQ(unfinished(gateway_), "") << story_of(gateway_.told());
}

call::Request request_on(const Gateway& gateway, Service service, std::string_view device) {
  call::Request request;
  request.service = service;
  request.device = call::DeviceId(std::string(device));
  for (const auto& [id, call] : gateway.folded().calls) {
    for (const call::Connection& connection : call.connections) {
      if (connection.party.device != request.device) continue;
      request.call = id;
      request.connection = connection.number;
    }
  }
  return request;
}

}  // namespace conformance
