#pragma once

#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "call/event.h"
#include "call/tracker.h"
#include "wire/enums.h"

// Calls, devices and events of every shape, for properties that must hold for all. The same seed
// makes the same ones.
namespace wire {

class Chance {
 public:
  explicit Chance(unsigned seed) : random_(seed) {}

  std::uint64_t number() { return random_(); }
  unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }
  bool maybe() { return below(2) == 0; }

  // Of any bytes at all.
  std::string bytes(unsigned size_max) {
    std::string out(below(size_max + 1), '\0');
    for (char& c : out) c = static_cast<char>(below(256));
    return out;
  }
  // UTF-8, with what ids and names have in them, and what they had better not.
  std::string text() {
    static const std::vector<std::string> kWords{"",  "201", "+49 30 1234", "a.b", "*",   ">", "_",
                                                 "-", "Zoë", "内線",        "\"{", "\n",  " ", "😀",
                                                 "/", "%",   "outside",     "x-y", "\x01"};
    std::string out;
    for (unsigned i = below(4); i > 0; --i) out += kWords[below(unsigned(kWords.size()))];
    return out;
  }
  call::Time time() {
    return call::Time(std::chrono::nanoseconds(static_cast<std::int64_t>(random_() >> 2)));
  }
  // Any enumerator, by way of those of the protos.
  template <class Ours>
  Ours any(int proto_max) {
    while (true) {
      const auto number = static_cast<int>(below(unsigned(proto_max) + 1));
      using Theirs = typename Enumeration<Ours>::Proto;
      if (auto value = from_proto_enum<Ours>(static_cast<Theirs>(number))) return *value;
    }
  }
  call::Cause cause() {
    while (true) {
      if (auto cause = any<call::Cause>(v1::Cause_MAX); cause != call::Cause::unspecified) {
        return cause;
      }
    }
  }

  call::Party party() {
    return {call::DeviceId(text()), any<call::DeviceKind>(v1::DeviceKind_MAX), text(), text()};
  }
  std::map<std::string, std::string> data() {
    std::map<std::string, std::string> out;
    for (unsigned i = below(3); i > 0; --i) out[text()] = text();
    return out;
  }
  call::ServiceSet services() {
    call::ServiceSet out;
    for (unsigned i = below(8); i > 0; --i) out.add(any<call::Service>(v1::Service_MAX));
    return out;
  }
  call::Connection connection(unsigned number) {
    call::Connection out;
    out.number = number;
    out.leg = text();
    out.party = party();
    out.role = any<call::Role>(v1::Role_MAX);
    out.state = any<call::ConnectionState>(v1::ConnectionState_MAX);
    out.offered = maybe();
    out.recording = maybe();
    out.cause = any<call::Cause>(v1::Cause_MAX);
    out.since = time();
    out.allowed = services();
    return out;
  }
  call::Call call() {
    call::Call out;
    out.id = call::CallId("c" + std::to_string(number()) + "-" + std::to_string(below(1000)));
    out.key = text();
    out.direction = any<call::Direction>(v1::Direction_MAX);
    out.dialled = text();
    const unsigned first = below(3) + 1;
    for (unsigned i = below(4); i > 0; --i) out.connections.push_back(connection(first + i));
    out.data = data();
    out.created = time();
    out.connections_made = first + below(5);
    return out;
  }
  call::Device device() {
    call::Device out;
    out.id = call::DeviceId(text());
    out.kind = any<call::DeviceKind>(v1::DeviceKind_MAX);
    out.name = text();
    out.availability = any<call::Availability>(v1::Availability_MAX);
    out.activity = any<call::Activity>(v1::Activity_MAX);
    if (maybe()) out.do_not_disturb = maybe();
    for (unsigned i = below(3); i > 0; --i) {
      out.forwardings.push_back({any<call::ForwardingType>(v1::ForwardingType_MAX), text()});
    }
    if (maybe()) out.presence = text();
    if (maybe()) out.agent_state = any<call::AgentState>(v1::AgentState_MAX);
    out.agent_reason = text();
    out.vendor_status = text();
    out.controllable = maybe();
    return out;
  }

  call::CallEvent call_event() {
    call::CallEvent out;
    out.type = any<call::CallEventType>(v1::CallEventType_MAX);
    out.call = call();
    if (!out.call.connections.empty() && maybe()) {
      out.connection = out.call.connections.front().number;
    }
    if (maybe()) out.other = party();
    out.cause = cause();
    if (maybe()) out.vendor_cause.text = text();
    if (maybe()) out.vendor_cause.q850 = static_cast<int>(below(128));
    if (maybe()) out.vendor_cause.sip_status = static_cast<int>(below(700));
    out.inferred = maybe();
    return out;
  }
  call::LinkEvent link_event() {
    static const std::vector<std::string> kReasons{"", "link_lost", "link_not_needed", "other"};
    call::LinkEvent out;
    out.state = any<call::LinkState>(v1::LinkState_MAX);
    out.reason = kReasons[below(unsigned(kReasons.size()))];
    out.detail = text();
    if (maybe()) out.retry_at = time();
    return out;
  }
  call::Event event() {
    call::Event out;
    out.epoch = number();
    out.sequence = number();
    out.origin = any<call::Origin>(v1::Origin_MAX);
    out.received = time();
    if (maybe()) out.pbx_time = time();
    out.request_id = text();
    switch (below(4)) {
      case 0: out.body = call_event(); break;
      case 1:
        out.body = call::DeviceEvent{any<call::DeviceEventType>(v1::DeviceEventType_MAX), device()};
        break;
      case 2: out.body = link_event(); break;
      default: out.body = call::StreamGap{number(), number(), time(), time(), text()};
    }
    return out;
  }
  call::Book book(unsigned calls, unsigned devices) {
    call::Book out;
    out.epoch = number();
    out.sequence = number();
    out.calls_made = number();
    for (; calls > 0; --calls) {
      auto made = call();
      out.calls.emplace(made.id, made);
    }
    for (; devices > 0; --devices) {
      auto made = device();
      made.id = call::DeviceId(std::to_string(devices) + made.id.str());
      out.devices.emplace(made.id, made);
    }
    return out;
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace wire
