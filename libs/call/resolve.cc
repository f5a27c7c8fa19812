#include <algorithm>
#include <cctype>

#include "call/tracker.h"

// Tracker::resolve(): checks a request in the order in which its caller can mend it. What the PBX
// cannot do at all comes first, then the fields, then the ids, then who may act, then the states.
namespace call {
namespace {

using base::Errc;

constexpr std::size_t kTextMax = 128;  // a number, a park slot, a presence
constexpr std::size_t kNoteMax = 512;
constexpr std::size_t kDigitsMax = 64;
constexpr std::size_t kDataMax = 64;             // entries
constexpr std::size_t kDataBytesMax = 8 * 1024;  // names and values together

Refusal invalid(std::string detail) { return {Errc::invalid_argument, std::move(detail)}; }

std::optional<Refusal> check_text(const char* field, const std::string& text, bool required,
                                  std::size_t bytes_max = kTextMax) {
  const std::string name = field;
  if (text.empty() && required) return invalid(name + ": must not be empty");
  if (text.size() > bytes_max) {
    return invalid(name + ": must not be longer than " + std::to_string(bytes_max) + " bytes");
  }
  if (std::any_of(text.begin(), text.end(),
                  [](unsigned char it) { return it < 0x20 || it == 0x7f; })) {
    return invalid(name + ": must not contain control characters");
  }
  return std::nullopt;
}

std::optional<Refusal> check_digits(const std::string& digits) {
  if (auto refusal = check_text("digits", digits, true, kDigitsMax)) return refusal;
  if (digits.find_first_not_of("0123456789*#ABCD") != std::string::npos) {
    return invalid("digits: must be of 0-9, *, #, A-D");
  }
  return std::nullopt;
}

std::optional<Refusal> check_data(const std::map<std::string, std::string>& data, bool required) {
  if (data.empty() && required) return invalid("data: must not be empty");
  if (data.size() > kDataMax) {
    return invalid("data: must not have more than " + std::to_string(kDataMax) + " entries");
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : data) {
    if (name.empty()) return invalid("data: names must not be empty");
    bytes += name.size() + value.size();
  }
  if (bytes > kDataBytesMax) {
    return invalid("data: must not be larger than " + std::to_string(kDataBytesMax) + " bytes");
  }
  return std::nullopt;
}

std::optional<Refusal> check_fields(const Request& request) {
  switch (request.service) {
    case Service::make_call:
      if (auto refusal = check_text("destination", request.destination, true)) return refusal;
      return check_data(request.data, false);
    case Service::consultation_call:
    case Service::single_step_transfer_call:
    case Service::deflect_call: return check_text("destination", request.destination, true);
    // Without a slot the PBX chooses one.
    case Service::park_call: return check_text("destination", request.destination, false);
    case Service::generate_digits: return check_digits(request.digits);
    case Service::associate_data: return check_data(request.data, true);
    case Service::set_forwarding:
      return check_text("destination", request.forwarding.destination, false);
    case Service::set_presence:
      if (auto refusal = check_text("presence", request.presence, true)) return refusal;
      return check_text("note", request.note, false, kNoteMax);
    case Service::set_agent_state:
      if (request.agent_state == AgentState::unknown) return invalid("agent_state: must be given");
      return check_text("note", request.note, false, kNoteMax);
    default: return std::nullopt;
  }
}

std::string describe(const Call& call, const Connection& connection) {
  return "connection " + connection_id(call.id, connection.number) + " of device " +
         connection.party.device.str();
}

// "alerting", "connected or hold".
std::string states_for(Service service) {
  std::string names;
  for (ConnectionState state : kConnectionStates) {
    if (!allowed_in(service, state)) continue;
    names += std::string(names.empty() ? "" : " or ") + name_of(state);
  }
  return names;
}

std::optional<Refusal> check_state(Service service, const Call& call,
                                   const Connection& connection) {
  if (!allowed_in(service, connection.state)) {
    return Refusal{Errc::incorrect_state, describe(call, connection) + " is " +
                                              name_of(connection.state) + "; " + name_of(service) +
                                              " needs " + states_for(service)};
  }
  if (const char* why = hindrance(service, connection)) {
    return Refusal{Errc::incorrect_state,
                   describe(call, connection) + " does not allow " + name_of(service) + ": " + why};
  }
  return std::nullopt;
}

Target target_of(const Call& call, const Connection& connection) {
  return {call.key, connection.leg, connection.party.device};
}

// A request on its way to a command. Lives as long as resolve().
class Resolver {
 public:
  using Answer = std::variant<Command, Refusal>;
  using Found = std::variant<const Connection*, Refusal>;

  Resolver(const Tracker& tracker, const Index& index, const Request& request)
      : tracker_(tracker), index_(index), request_(request) {}

  Answer on_device() const {
    if (auto refusal = check_device(request_.device)) return *refusal;
    switch (request_.service) {
      case Service::make_call:
        if (auto refusal = check_in_service(request_.device)) return *refusal;
        return MakeCall{request_.device, request_.destination, request_.data};
      case Service::set_do_not_disturb: return SetDoNotDisturb{request_.device, request_.on};
      case Service::set_forwarding: return SetForwarding{request_.device, request_.forwarding};
      case Service::set_presence:
        return SetPresence{request_.device, request_.presence, request_.note};
      default: return SetAgentState{request_.device, request_.agent_state, request_.note};
    }
  }

  Answer on_call() const {
    const Call* call = tracker_.find(request_.call);
    if (call == nullptr) return unknown(request_.call);
    ClearCall clear;
    for (const Connection& connection : call->connections) {
      if (!check_actor(connection)) clear.targets.push_back(target_of(*call, connection));
    }
    if (!clear.targets.empty()) return clear;
    return Refusal{Errc::credentials_missing,
                   "call " + call->id.str() + " has no device that commands can act on"};
  }

  Answer on_alerting() const {
    const Call* call = tracker_.find(request_.call);
    if (call == nullptr) return unknown(request_.call);
    const Connection* alerting = find_connection(*call, request_.connection);
    if (alerting == nullptr) return unknown(*call, request_.connection);
    if (auto refusal = check_device(request_.device)) return *refusal;
    if (auto refusal = check_in_service(request_.device)) return *refusal;
    if (alerting->party.device == request_.device) {
      return invalid("device: the call alerts at this device; AnswerCall takes it");
    }
    if (auto refusal = check_state(request_.service, *call, *alerting)) return *refusal;
    return DirectedPickupCall{request_.device, target_of(*call, *alerting)};
  }

  Answer on_connection() const {
    const Call* call = tracker_.find(request_.call);
    if (call == nullptr) return unknown(request_.call);
    const Connection* connection = find_connection(*call, request_.connection);
    if (connection == nullptr) return unknown(*call, request_.connection);
    if (auto refusal = check_actor(*connection)) return *refusal;
    if (auto refusal = check_state(request_.service, *call, *connection)) return *refusal;
    if (takes_two(request_.service)) return with_other(*call, *connection);

    const Target target = target_of(*call, *connection);
    switch (request_.service) {
      case Service::answer_call: return AnswerCall{target};
      case Service::clear_connection: return ClearConnection{target};
      case Service::hold_call: return HoldCall{target};
      case Service::retrieve_call: return RetrieveCall{target};
      case Service::consultation_call: return ConsultationCall{target, request_.destination};
      case Service::single_step_transfer_call:
        return SingleStepTransferCall{target, request_.destination};
      case Service::deflect_call: return DeflectCall{target, request_.destination};
      case Service::park_call: return ParkCall{target, request_.destination};
      case Service::generate_digits: return GenerateDigits{target, request_.digits};
      case Service::start_recording: return StartRecording{target};
      case Service::stop_recording: return StopRecording{target};
      default: return AssociateData{target, request_.data};
    }
  }

 private:
  struct Both {
    const Call* call = nullptr;
    const Connection* connection = nullptr;
  };

  static Refusal unknown(const CallId& call) {
    return {Errc::call_not_found, "there is no call " + call.str() + ", or it has ended"};
  }
  static Refusal unknown(const Call& call, unsigned connection) {
    return {Errc::connection_not_found,
            "call " + call.id.str() + " has no connection " + std::to_string(connection)};
  }

  std::optional<Refusal> check_device(const DeviceId& id) const {
    const Device* device = tracker_.find(id);
    if (device == nullptr) {
      return Refusal{Errc::device_not_found, "the PBX shows no device " + id.str()};
    }
    if (!device->controllable) {
      return Refusal{Errc::credentials_missing,
                     "device " + id.str() + " cannot be acted on: it needs credentials of its own"};
    }
    return std::nullopt;
  }

  std::optional<Refusal> check_in_service(const DeviceId& id) const {
    if (tracker_.find(id)->availability != Availability::out_of_service) return std::nullopt;
    return Refusal{Errc::device_out_of_service, "device " + id.str() + " is out of service"};
  }

  std::optional<Refusal> check_actor(const Connection& connection) const {
    if (connection.party.kind != DeviceKind::extension) {
      return invalid("connection: is not of an extension, and only those can act");
    }
    return check_device(connection.party.device);
  }

  // The device's other connection: the one named, or the only one that fits.
  Answer with_other(const Call& call, const Connection& connection) const {
    const bool held = connection.state == ConnectionState::hold;
    const auto wanted = held ? ConnectionState::connected : ConnectionState::hold;
    Both other;
    if (!request_.other_call.empty()) {
      other.call = tracker_.find(request_.other_call);
      if (other.call == nullptr) return unknown(request_.other_call);
      other.connection = find_connection(*other.call, request_.other_connection);
      if (other.connection == nullptr) return unknown(*other.call, request_.other_connection);
      if (other.call == &call) return invalid("other_connection: is of the same call");
      if (other.connection->party.device != connection.party.device) {
        return invalid("other_connection: is of device " + other.connection->party.device.str() +
                       ", not " + connection.party.device.str());
      }
      if (other.connection->state != wanted) {
        return Refusal{Errc::incorrect_state, describe(*other.call, *other.connection) + " is " +
                                                  name_of(other.connection->state) + "; " +
                                                  name_of(request_.service) +
                                                  " needs one connected and one hold"};
      }
    } else {
      for (const Place& place : index_.desk(connection.party.device)->places) {
        const Connection* it = find_connection(*place.entry->call, place.number);
        if (place.entry->call == &call || it->state != wanted) continue;
        if (other.call != nullptr) {
          return invalid("other_connection: must be given, because device " +
                         connection.party.device.str() + " has several that are " +
                         name_of(wanted));
        }
        other = {place.entry->call, it};
      }
      if (other.call == nullptr) {
        return Refusal{Errc::incorrect_state,
                       "device " + connection.party.device.str() +
                           " has no other connection that is " + name_of(wanted) + "; " +
                           name_of(request_.service) + " needs one connected and one hold"};
      }
    }
    Target active = target_of(call, connection), second = target_of(*other.call, *other.connection);
    if (held) std::swap(active, second);
    switch (request_.service) {
      case Service::alternate_call: return AlternateCall{active, second};
      case Service::reconnect_call: return ReconnectCall{active, second};
      case Service::transfer_call: return TransferCall{active, second};
      default: return ConferenceCall{active, second};
    }
  }

  const Tracker& tracker_;
  const Index& index_;
  const Request& request_;
};

}  // namespace

std::variant<Command, Refusal> Tracker::resolve(const Request& request) const {
  const Capability& capability = permissions_.capability(request.service);
  if (capability.confirmation == Confirmation::none) {
    return Refusal{Errc::feature_not_supported,
                   std::string(name_of(request.service)) + ": " + capability.note};
  }
  // A caller's mistake that the gRPC services cannot make.
  if (!is_command(request.service)) {
    return Refusal{Errc::internal, std::string(name_of(request.service)) + " is no command"};
  }
  if (auto refusal = check_fields(request)) return *refusal;

  const Resolver resolver(*this, index_, request);
  switch (request.service) {
    case Service::make_call:
    case Service::set_do_not_disturb:
    case Service::set_forwarding:
    case Service::set_presence:
    case Service::set_agent_state: return resolver.on_device();
    case Service::clear_call: return resolver.on_call();
    case Service::directed_pickup_call: return resolver.on_alerting();
    default: return resolver.on_connection();
  }
}

}  // namespace call
