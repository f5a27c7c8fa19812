#include <algorithm>
#include <functional>
#include <map>

#include "conformance/suite.h"

namespace conformance {
namespace {

namespace engine = simulator::engine;
using base::Errc;
using call::Request;
using call::Service;

// Each command service: what people do first so that it can be asked for, and what is then true at
// the PBX. A truth that the simulator knows nothing of is left to the outcome.
struct Deed {
  std::function<Request(Office&)> prepare;
  std::function<bool(const engine::Tenant&)> is_done;
};

const engine::Leg* leg_at(const engine::Tenant& phones, const char* device, std::size_t number) {
  const auto& legs = phones.extension(phones.find_extension(device)).legs;
  return number < legs.size() ? phones.find_leg(legs[number]) : nullptr;
}

void talk(Office& office, const char* from, const char* to) {
  office.dial(from, to);
  office.answer(to);
}

call::Reply ask(Office& office, Service service, const char* destination = "") {
  Request request = request_on(office.gateway(), service, "202");
  request.destination = destination;
  call::Reply reply = office.gateway().ask(request);
  office.gateway().pause();
  return reply;
}

// Where it is not told who holds, only our own commands make it known.
bool holds_by_command(Office& office) {
  return office.gateway().bench().blind_spots.holder != nullptr;
}

void hold(Office& office) {
  if (!holds_by_command(office)) return office.hold("202");
  EXPECT_TRUE(std::holds_alternative<call::Outcome>(ask(office, Service::hold_call)));
}

// 202 talks to 203, and has 201 on hold.
void talk_to_two(Office& office) {
  talk(office, "201", "202");
  if (!holds_by_command(office)) return talk(office, "203", "202");
  EXPECT_TRUE(
      std::holds_alternative<call::Outcome>(ask(office, Service::consultation_call, "203")));
  office.wait(5s);  // it answers by itself
}

// Of 202's connection: by our own command if that can be done, else at the phone.
void start_recording(Office& office) {
  const call::Reply reply = ask(office, Service::start_recording);
  if (std::holds_alternative<call::Refusal>(reply)) office.record("202", true);
}

bool is_recorded(const Gateway& gateway, const Request& request) {
  const call::Call* call = gateway.tracker().find(request.call);
  const auto* connection = call ? call::find_connection(*call, request.connection) : nullptr;
  return connection && connection->recording;
}

Deed deed_of(Service service) {
  const auto on = [service](const char* device, std::function<void(Office&)> before,
                            std::string destination = {}) {
    return [=](Office& office) {
      before(office);
      Request request = request_on(office.gateway(), service, device);
      request.destination = destination;
      request.digits = "12#";
      if (service == Service::associate_data) request.data = {{"customer", "4711"}};
      return request;
    };
  };
  const auto talking = [](Office& office) { talk(office, "201", "202"); };
  const auto ringing = [](Office& office) { office.dial("201", "202"); };
  const auto holding = [](Office& office) {
    talk(office, "201", "202");
    hold(office);
  };
  const auto nothing = [](Office&) {};
  const auto unseen = [](const engine::Tenant&) { return true; };
  const auto all_quiet = [](const engine::Tenant& it) { return it.call_count() == 0; };
  const auto is = [](const char* device, engine::LegState state) {
    return [=](const engine::Tenant& it) {
      const engine::Leg* leg = leg_at(it, device, 0);
      return leg && leg->state == state;
    };
  };
  const auto holds = [](std::size_t number, bool on_hold) {
    return [=](const engine::Tenant& it) {
      const engine::Leg* leg = leg_at(it, "202", number);
      return leg && leg->held == on_hold;
    };
  };
  const auto extension = [](std::function<bool(const engine::Extension&)> check) {
    return [=](const engine::Tenant& it) { return check(it.extension(it.find_extension("202"))); };
  };

  switch (service) {
    case Service::make_call:
      return {on("201", nothing, "202"), [](const engine::Tenant& it) {
                const engine::Leg* leg = leg_at(it, "201", 0);
                return leg && leg->outgoing && leg->to == "202";
              }};
    case Service::answer_call: return {on("202", ringing), is("202", engine::LegState::up)};
    case Service::clear_connection:
    case Service::clear_call: return {on("202", talking), all_quiet};
    case Service::hold_call: return {on("202", talking), holds(0, true)};
    case Service::retrieve_call: return {on("202", holding), holds(0, false)};
    case Service::alternate_call: return {on("202", talk_to_two), holds(1, true)};
    case Service::reconnect_call:
      return {on("202", talk_to_two), [holds](const engine::Tenant& it) {
                return holds(0, false)(it) && it.call_count() == 1;
              }};
    case Service::consultation_call: return {on("202", talking, "203"), holds(0, true)};
    case Service::transfer_call:
      return {on("202", talk_to_two), [](const engine::Tenant& it) {
                return !leg_at(it, "202", 0) && it.call_count() == 1;
              }};
    case Service::single_step_transfer_call:
    case Service::deflect_call: {
      const bool answered = service == Service::single_step_transfer_call;
      return {
          on("202", answered ? std::function<void(Office&)>(talking) : ringing, "203"),
          [](const engine::Tenant& it) { return !leg_at(it, "202", 0) && leg_at(it, "203", 0); }};
    }
    case Service::conference_call:
      return {on("202", talk_to_two), [](const engine::Tenant& it) {
                return it.call_count() == 1 && it.calls().front()->legs.size() == 3;
              }};
    case Service::directed_pickup_call: {
      const auto request = on("202", ringing);
      return {[request](Office& office) {
                Request it = request(office);
                it.device = call::DeviceId("203");
                return it;
              },
              is("203", engine::LegState::up)};
    }
    case Service::park_call:
      return {[](Office& office) {
                talk(office, "201", "202");
                Request it = request_on(office.gateway(), Service::park_call, "202");
                it.destination = office.gateway().bench().slot;
                return it;
              },
              unseen};
    case Service::generate_digits:
    case Service::associate_data: return {on("202", talking), unseen};
    case Service::start_recording:
      return {on("202", talking),
              [](const engine::Tenant& it) { return leg_at(it, "202", 0)->recording; }};
    case Service::stop_recording:
      return {[](Office& office) {
                talk(office, "201", "202");
                start_recording(office);
                // Wherever it is shown.
                Request it = request_on(office.gateway(), Service::stop_recording, "202");
                if (!is_recorded(office.gateway(), it)) {
                  it = request_on(office.gateway(), Service::stop_recording, "201");
                }
                return it;
              },
              [](const engine::Tenant& it) { return !leg_at(it, "202", 0)->recording; }};
    case Service::set_do_not_disturb:
      return {[](Office& office) {
                Request it = request_on(office.gateway(), Service::set_do_not_disturb, "202");
                it.on = true;
                return it;
              },
              extension([](const engine::Extension& it) { return it.do_not_disturb; })};
    case Service::set_forwarding:
      return {[](Office& office) {
                Request it = request_on(office.gateway(), Service::set_forwarding, "202");
                it.forwarding = {call::ForwardingType::immediate, "203"};
                return it;
              },
              extension([](const engine::Extension& it) { return it.forwarding.always == "203"; })};
    case Service::set_presence:
      return {[](Office& office) {
                Request it = request_on(office.gateway(), Service::set_presence, "202");
                it.presence = "away";
                return it;
              },
              unseen};
    case Service::set_agent_state:
      return {[](Office& office) {
                Request it = request_on(office.gateway(), Service::set_agent_state, "202");
                it.agent_state = call::AgentState::ready;
                return it;
              },
              unseen};
    case Service::signal:
    case Service::search_calls:
    case Service::get_recording:
    case Service::sign_challenge:
    case Service::create_device:
    case Service::create_user:
    case Service::create_user_token:
    case Service::create_agent:
    case Service::get_agent_session: break;  // no commands
  }
  return {};
}

bool acts_on_connection(Service service) {
  return service != Service::make_call && service < Service::set_do_not_disturb;
}

class Commands : public Conformance {
 protected:
  bool works(Service service) const {
    return vendor().capabilities[static_cast<std::size_t>(service)].confirmation !=
               call::Confirmation::none &&
           !lacks(service);
  }
  bool lacks(Service service) const {
    const auto& all = bench().lacks;
    return std::find(all.begin(), all.end(), service) != all.end();
  }
  // Of the services that work: with a PBX that the test has prepared, asks for each of them.
  void for_each_working(const std::function<void(Gateway&, Office&, const Request&)>& check) {
    for (std::size_t i = 0; i < call::kCommandCount; ++i) {
      const auto service = static_cast<Service>(i);
      if (!works(service)) continue;
      SCOPED_TRACE(name_of(service));
      Gateway gateway(vendor(), bench());
      gateway.connect();
      Office office(gateway);
      const Request request = deed_of(service).prepare(office);
      check(gateway, office, request);
      gateway.change_faults([](engine::Faults& faults) { faults = {}; });
      office.go_home();
    }
  }
};

// "effect_not_seen"; empty if it was done.
std::string refusal_of(const call::Reply& reply) {
  const auto* refusal = std::get_if<call::Refusal>(&reply);
  return refusal ? base::name_of(refusal->why) : "";
}

TEST_P(Commands, AreCarriedOutIfTheVendorHasThem) {
  for_each_working([&](Gateway& gateway, Office& office, const Request& request) {
    const call::Reply reply = gateway.ask(request);
    const auto* outcome = std::get_if<call::Outcome>(&reply);
    ASSERT_TRUE(outcome) << std::get<call::Refusal>(reply).detail;
    if (request.service == Service::make_call) {
      const auto made = gateway.tracker().find_leg(outcome->leg).second;
      ASSERT_NE(made, nullptr);
      EXPECT_EQ(made->party.device, request.device);
    }
    const bool settled = gateway.pause();
    EXPECT_TRUE(deed_of(request.service).is_done(gateway.phones()));
    if (settled) office.compare("the command");
    office.wait(10s);
  });
}

TEST_P(Commands, AreRefusedWithAReasonIfTheVendorHasThemNot) {
  for (std::size_t i = 0; i < call::kCommandCount; ++i) {
    const auto service = static_cast<Service>(i);
    if (works(service) || lacks(service)) continue;
    SCOPED_TRACE(name_of(service));
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    const auto resolved = gateway.tracker().resolve(deed_of(service).prepare(office));
    ASSERT_TRUE(std::holds_alternative<call::Refusal>(resolved));
    const auto& refusal = std::get<call::Refusal>(resolved);
    EXPECT_EQ(refusal.why, Errc::feature_not_supported);
    EXPECT_THAT(refusal.detail, testing::HasSubstr(vendor().capabilities[i].note));
    office.go_home();
  }
}

TEST_P(Commands, AreRefusedWithAReasonIfOnlyThisPbxHasThemNot) {
  for (const Service service : bench().lacks) {
    SCOPED_TRACE(name_of(service));
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    const call::Reply reply = gateway.ask(deed_of(service).prepare(office));
    const auto* refusal = std::get_if<call::Refusal>(&reply);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->why, Errc::feature_not_supported);
    EXPECT_NE(refusal->detail, "");
    office.go_home();
  }
}

TEST_P(Commands, AreAllowedOnAConnectionIfTheVendorHasThem) {
  for (std::size_t i = 0; i < call::kCommandCount; ++i) {
    const auto service = static_cast<Service>(i);
    if (!acts_on_connection(service) || lacks(service)) continue;
    SCOPED_TRACE(name_of(service));
    Gateway gateway(vendor(), bench());
    gateway.connect();
    Office office(gateway);
    const Request request = deed_of(service).prepare(office);
    const call::Call* call = gateway.tracker().find(request.call);
    ASSERT_NE(call, nullptr);
    EXPECT_EQ(call::find_connection(*call, request.connection)->allowed.has(service),
              works(service));
  }
}

// Confirmed or not, a command that nothing comes of is not told as done.
TEST_P(Commands, AreNotDoneIfThePbxIgnoresThem) {
  for_each_working([&](Gateway& gateway, Office&, const Request& request) {
    const auto& row = vendor().capabilities[static_cast<std::size_t>(request.service)];
    if (bench().nods && row.confirmation == call::Confirmation::acknowledged) return;
    gateway.change_faults([](auto& it) { it.actions = engine::Faults::Actions::ignore; });
    EXPECT_THAT(refusal_of(gateway.ask(request)),
                testing::AnyOf("effect_not_seen", "timed_out", "outcome_unknown"));
    EXPECT_EQ(differences(gateway), "");
  });
}

TEST_P(Commands, AreRefusedIfThePbxRefusesThem) {
  for_each_working([&](Gateway& gateway, Office&, const Request& request) {
    gateway.change_faults([](auto& it) { it.actions = engine::Faults::Actions::error; });
    const std::string why = refusal_of(gateway.ask(request));
    if (!bench().silent || why != "effect_not_seen") {
      EXPECT_EQ(why, "pbx_refused");
    }
    EXPECT_EQ(differences(gateway), "");
  });
}

// The link is lost after each message that the command brings about.
TEST_P(Commands, AreAnsweredWheneverTheLinkIsLost) {
  for_each_working([&](Gateway&, Office&, const Request& prepared) {
    const Service service = prepared.service;
    for (std::uint64_t cut = 1;; ++cut) {
      Gateway gateway(vendor(), bench());
      gateway.connect();
      Office office(gateway);
      const Request request = deed_of(service).prepare(office);
      gateway.cut_after(cut, 1s);
      const call::Reply reply = gateway.ask(request);
      if (std::holds_alternative<call::Refusal>(reply)) {
        EXPECT_EQ(refusal_of(reply), "outcome_unknown") << cut;
      }
      gateway.pause();
      gateway.cut_no_more();  // where it is polled, messages do not come to an end
      gateway.wait(20s);
      EXPECT_TRUE(gateway.is_up());
      EXPECT_EQ(differences(gateway), "") << cut;
      const bool lost = gateway.snapshots() > 1;
      office.go_home();
      if (!lost) break;  // all messages came through
      ASSERT_LT(cut, 100u);
    }
  });
}

CONFORMANCE_OF_ALL_VENDORS(Commands);

}  // namespace
}  // namespace conformance
