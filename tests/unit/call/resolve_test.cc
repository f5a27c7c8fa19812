#include "dialogue.h"

namespace call {
namespace {

using base::Errc;
using enum ConnectionState;
using testing::HasSubstr;
using testing::StartsWith;

class Resolve : public Dialogue {
 protected:
  Resolve() {
    Device bare = device("203"), off = device("204");
    bare.controllable = false;
    off.availability = Availability::out_of_service;
    see_all(std::vector{device("201"), device("202"), bare, off});
    see(view("A", {calling("+491", connected), called("201", connected)}));  // c1-1
    see(view("B", {calling("203", connected), called("202", alerting)}));    // c1-2
  }

  static Request request(Service service, const std::string& call = "", unsigned connection = 0) {
    Request request;
    request.service = service;
    request.call = CallId(call);
    request.connection = connection;
    request.destination = "300";
    request.digits = "12#";
    request.data = {{"order", "17"}};
    request.presence = "away";
    request.agent_state = AgentState::ready;
    return request;
  }
  static Request on_device(Service service, const std::string& device) {
    Request it = request(service);
    it.device = DeviceId(device);
    return it;
  }

  template <class T>
  T command(const Request& request) const {
    auto answer = tracker_.resolve(request);
    if (auto* refusal = std::get_if<Refusal>(&answer)) {
      ADD_FAILURE() << refusal->detail;
      return {};
    }
    return std::get<T>(std::get<Command>(answer));
  }
  Refusal refusal(const Request& request) const {
    auto answer = tracker_.resolve(request);
    if (auto* it = std::get_if<Refusal>(&answer)) return *it;
    ADD_FAILURE() << "was not refused";
    return {};
  }
  void expect(const Request& request, Errc why, const std::string& detail) const {
    const Refusal it = refusal(request);
    EXPECT_EQ(it.why, why) << it.detail;
    EXPECT_THAT(it.detail, HasSubstr(detail));
  }
};

TEST_F(Resolve, TurnsIdsIntoLegs) {
  const auto hold = command<HoldCall>(request(Service::hold_call, "c1-1", 2));
  EXPECT_EQ(hold.target.call_key, "A");
  EXPECT_EQ(hold.target.leg, "leg-201");
  EXPECT_EQ(hold.target.device, DeviceId("201"));
  EXPECT_EQ(command<AnswerCall>(request(Service::answer_call, "c1-2", 2)).target.leg, "leg-202");
  EXPECT_EQ(command<DeflectCall>(request(Service::deflect_call, "c1-2", 2)).destination, "300");
  EXPECT_EQ(command<GenerateDigits>(request(Service::generate_digits, "c1-1", 2)).digits, "12#");
  EXPECT_EQ(command<ParkCall>(request(Service::park_call, "c1-1", 2)).slot, "300");
  EXPECT_EQ(command<AssociateData>(request(Service::associate_data, "c1-1", 2)).data.size(), 1u);
  EXPECT_EQ(command<SingleStepTransferCall>(request(Service::single_step_transfer_call, "c1-1", 2))
                .destination,
            "300");
  EXPECT_EQ(command<ConsultationCall>(request(Service::consultation_call, "c1-1", 2)).destination,
            "300");
  command<ClearConnection>(request(Service::clear_connection, "c1-1", 2));
  command<StartRecording>(request(Service::start_recording, "c1-1", 2));
  expect(request(Service::stop_recording, "c1-1", 2), Errc::incorrect_state, "not being recorded");
}

TEST_F(Resolve, TurnsDeviceRequestsIntoCommands) {
  EXPECT_EQ(command<MakeCall>(on_device(Service::make_call, "201")).destination, "300");
  command<SetDoNotDisturb>(on_device(Service::set_do_not_disturb, "201"));
  command<SetForwarding>(on_device(Service::set_forwarding, "201"));
  command<SetPresence>(on_device(Service::set_presence, "201"));
  command<SetAgentState>(on_device(Service::set_agent_state, "204"));
}

// The services and their places in the variant: no command is made for another service.
TEST_F(Resolve, AnswersWithTheServiceAskedFor) {
  see(view("C", {named(calling("201", hold), "second"), called("+492", connected)}));
  for (std::size_t i = 0; i < kServiceCount; ++i) {
    const auto service = static_cast<Service>(i);
    for (const auto& [call, number] : {std::pair("c1-1", 2u), {"c1-2", 2u}, {"c1-3", 1u}}) {
      Request it = request(service, call, number);
      it.device = DeviceId("201");
      const auto answer = tracker_.resolve(it);
      const auto* made = std::get_if<Command>(&answer);
      if (made != nullptr) {
        EXPECT_EQ(service_of(*made), service);
      }
    }
  }
}

TEST_F(Resolve, AllowsExactlyWhatTheEventsSay) {
  see(view("C", {named(calling("201", hold), "second"), called("+492", connected)}));
  see(view("D", {calling("205", fail, Cause::busy), named(called("202", queued), "third")}));
  for (const auto& [id, call] : tracker_.book().calls) {
    for (const Connection& connection : call.connections) {
      for (std::size_t i = 0; i < kServiceCount; ++i) {
        const auto service = static_cast<Service>(i);
        if (allowed_in(service, connected) || allowed_in(service, hold) ||
            allowed_in(service, alerting)) {
          Request it = request(service, id.str(), connection.number);
          it.device = DeviceId("201");  // who picks up
          if (service == Service::clear_call && connection.allowed.empty()) continue;
          if (connection.party.device == it.device && service == Service::directed_pickup_call) {
            continue;
          }
          EXPECT_EQ(std::holds_alternative<Command>(tracker_.resolve(it)),
                    connection.allowed.has(service))
              << connection_id(id, connection.number) << " " << name_of(service);
        }
      }
    }
  }
}

TEST_F(Resolve, SaysFirstWhatThePbxCannotDo) {
  const Capability rows[] = {{Service::hold_call, Confirmation::none, "the PBX has no hold"}};
  const Tracker tracker(rows, 1);
  const auto answer = tracker.resolve(request(Service::hold_call, "nonsense", 9));
  EXPECT_EQ(std::get<Refusal>(answer).why, Errc::feature_not_supported);
  EXPECT_EQ(std::get<Refusal>(answer).detail, "HoldCall: the PBX has no hold");
}

TEST_F(Resolve, SaysWhatItDoesNotKnow) {
  expect(request(Service::hold_call, "c1-9", 1), Errc::call_not_found, "c1-9");
  expect(request(Service::hold_call, "c1-1", 9), Errc::connection_not_found, "c1-1");
  expect(request(Service::clear_call, "c1-9"), Errc::call_not_found, "c1-9");
  expect(on_device(Service::make_call, "999"), Errc::device_not_found, "999");
  see(view("A", {}));
  expect(request(Service::hold_call, "c1-1", 2), Errc::call_not_found, "c1-1");
}

TEST_F(Resolve, SaysWhoCannotAct) {
  expect(on_device(Service::make_call, "203"), Errc::credentials_missing, "device 203");
  expect(on_device(Service::make_call, "204"), Errc::device_out_of_service, "device 204");
  expect(request(Service::hold_call, "c1-2", 1), Errc::credentials_missing, "device 203");
  expect(request(Service::clear_connection, "c1-1", 1), Errc::invalid_argument, "connection: ");
  see(view("C", {calling("999", connected)}));
  expect(request(Service::hold_call, "c1-3", 1), Errc::device_not_found, "999");
}

TEST_F(Resolve, NamesTheStateFoundAndThoseNeeded) {
  EXPECT_EQ(refusal(request(Service::hold_call, "c1-2", 2)).detail,
            "connection c1-2-2 of device 202 is alerting; HoldCall needs connected");
  EXPECT_EQ(refusal(request(Service::transfer_call, "c1-2", 2)).detail,
            "connection c1-2-2 of device 202 is alerting; TransferCall needs connected or hold");
  see(view("D", {named(calling("201", alerting), "own")}));
  expect(request(Service::deflect_call, "c1-3", 1), Errc::incorrect_state, "the calling party");
}

TEST_F(Resolve, ChecksTheFieldsAndNamesThem) {
  const auto with = [&](Service service, auto change) {
    Request it = request(service, "c1-1", 2);
    it.device = DeviceId("201");
    change(it);
    return refusal(it);
  };
  const auto expect_field = [&](const Refusal& it, const char* field) {
    EXPECT_EQ(it.why, Errc::invalid_argument);
    EXPECT_THAT(it.detail, StartsWith(std::string(field) + ": "));
  };
  EXPECT_EQ(with(Service::make_call, [](Request& it) { it.destination = ""; }).detail,
            "destination: must not be empty");
  for (Service service : {Service::make_call, Service::consultation_call, Service::deflect_call,
                          Service::single_step_transfer_call}) {
    expect_field(with(service, [](Request& it) { it.destination = ""; }), "destination");
    expect_field(with(service, [](Request& it) { it.destination = "1\r\n2"; }), "destination");
    expect_field(with(service, [](Request& it) { it.destination.assign(129, '1'); }),
                 "destination");
  }
  expect_field(with(Service::generate_digits, [](Request& it) { it.digits = ""; }), "digits");
  expect_field(with(Service::generate_digits, [](Request& it) { it.digits = "12x"; }), "digits");
  expect_field(with(Service::generate_digits, [](Request& it) { it.digits.assign(65, '1'); }),
               "digits");
  expect_field(with(Service::associate_data, [](Request& it) { it.data.clear(); }), "data");
  expect_field(with(Service::associate_data, [](Request& it) { it.data[""] = "x"; }), "data");
  expect_field(with(Service::make_call, [](Request& it) { it.data["x"].assign(9'000, 'x'); }),
               "data");
  expect_field(with(Service::make_call,
                    [](Request& it) {
                      for (int i = 0; i < 65; ++i) it.data[std::to_string(i)] = "x";
                    }),
               "data");
  expect_field(with(Service::set_presence, [](Request& it) { it.presence = ""; }), "presence");
  expect_field(with(Service::set_presence, [](Request& it) { it.note.assign(600, 'x'); }), "note");
  expect_field(
      with(Service::set_agent_state, [](Request& it) { it.agent_state = AgentState::unknown; }),
      "agent_state");
  Request park = request(Service::park_call, "c1-1", 2);
  park.destination = "";
  EXPECT_EQ(command<ParkCall>(park).slot, "");
}

TEST_F(Resolve, ClearsACallByEveryLegThatCanAct) {
  see(view("C", {named(calling("201", connected), "second"),
                 named(called("202", alerting), "third"), called("+492", alerting)}));
  EXPECT_EQ(command<ClearCall>(request(Service::clear_call, "c1-3")).targets.size(), 2u);
  see(view("D", {named(calling("203", connected), "fourth")}));
  expect(request(Service::clear_call, "c1-4"), Errc::credentials_missing, "c1-4");
}

TEST_F(Resolve, PicksUpAtAnotherDevice) {
  Request it = request(Service::directed_pickup_call, "c1-2", 2);
  it.device = DeviceId("201");
  const auto pickup = command<DirectedPickupCall>(it);
  EXPECT_EQ(pickup.device.str(), "201");
  EXPECT_EQ(pickup.alerting.leg, "leg-202");
  it.device = DeviceId("202");
  expect(it, Errc::invalid_argument, "device: ");
  it.device = DeviceId("203");
  expect(it, Errc::credentials_missing, "203");
  it.device = DeviceId("204");
  expect(it, Errc::device_out_of_service, "204");
  it = request(Service::directed_pickup_call, "c1-1", 2);
  it.device = DeviceId("202");
  expect(it, Errc::incorrect_state, "is connected; DirectedPickupCall needs alerting");
}

TEST_F(Resolve, FindsTheOtherOfTwoConnections) {
  const Request from_active = request(Service::transfer_call, "c1-1", 2);
  expect(from_active, Errc::incorrect_state, "no other connection that is hold");
  see(view("C", {named(calling("201", hold), "second"), called("+492", connected)}));
  auto transfer = command<TransferCall>(from_active);
  EXPECT_EQ(transfer.active.leg, "leg-201");
  EXPECT_EQ(transfer.held.leg, "second");
  // Named from the other side it is the same.
  transfer = command<TransferCall>(request(Service::transfer_call, "c1-3", 1));
  EXPECT_EQ(transfer.active.leg, "leg-201");
  EXPECT_EQ(transfer.held.leg, "second");

  see(view("D", {named(calling("201", hold), "third"), called("+493", connected)}));
  expect(from_active, Errc::invalid_argument, "other_connection: must be given");
  Request named_one = from_active;
  named_one.other_call = CallId("c1-4");
  named_one.other_connection = 1;
  EXPECT_EQ(command<TransferCall>(named_one).held.leg, "third");
  named_one.service = Service::alternate_call;
  EXPECT_EQ(command<AlternateCall>(named_one).held.leg, "third");
  named_one.other_connection = 2;
  expect(named_one, Errc::invalid_argument, "is of device +493, not 201");
  named_one.other_connection = 3;
  expect(named_one, Errc::connection_not_found, "c1-4");
  named_one.other_call = CallId("c1-9");
  expect(named_one, Errc::call_not_found, "c1-9");
  named_one.other_call = CallId("c1-1");
  named_one.other_connection = 2;
  expect(named_one, Errc::invalid_argument, "of the same call");
  see(view("D", {named(calling("201", connected), "third"), called("+493", connected)}));
  named_one.other_call = CallId("c1-4");
  named_one.other_connection = 1;
  expect(named_one, Errc::incorrect_state, "c1-4-1 of device 201 is connected");
}

}  // namespace
}  // namespace call
