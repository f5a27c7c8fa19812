#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/generated_enum_reflection.h>
#include <google/protobuf/timestamp.pb.h>

#include "pbxgw/v1/call.pb.h"
#include "pbxgw/v1/device.pb.h"

// What the API's values look like to people.
namespace pbxctl {

using Time = std::chrono::system_clock::time_point;

// The value of an enum as a word: CALL_EVENT_TYPE_CONNECTION_CLEARED is "connection-cleared". For
// one that this program does not know, its number.
std::string word(const google::protobuf::EnumDescriptor& type, int number);
template <class Enum>
std::string word(Enum value) {
  return word(*google::protobuf::GetEnumDescriptor<Enum>(), static_cast<int>(value));
}
// Back; `text` is one of words<Enum>().
template <class Enum>
Enum value_of(std::string_view text);
// All but UNSPECIFIED.
std::vector<std::string> words(const google::protobuf::EnumDescriptor& type);
template <class Enum>
std::vector<std::string> words() {
  return words(*google::protobuf::GetEnumDescriptor<Enum>());
}
int number_of(const google::protobuf::EnumDescriptor& type, std::string_view text);

// The verb of this program that asks for the service.
const char* verb_for(pbxgw::v1::Service service);
// "clear hold transfer"; "-" for none.
std::string verbs_for(const google::protobuf::RepeatedField<int>& services);

// Text that a PBX gave us, safe for a terminal: whatever controls one becomes U+FFFD.
std::string printable(std::string_view text);
// How many columns it takes: one for each character of UTF-8.
std::size_t width_of(std::string_view text);

// "201 Ana Pérez", "+34600111222" or "withheld".
std::string who(const pbxgw::v1::Party& party);
// "201 Ana Pérez → 202": the calling party, then the called ones.
std::string parties(const pbxgw::v1::Call& call);
// The last part of a resource name: "c12-7-1" of tenants/acme/connections/c12-7-1. For a device,
// the id as the PBX has it.
std::string id_of(std::string_view name);
// "acme", of any resource name of the tenant.
std::string tenant_of(std::string_view name);
// "→ 203 (busy)", for each forwarding; "-" for none.
std::string forwardings(const pbxgw::v1::Device& device);

Time time_of(const google::protobuf::Timestamp& time);
// "12:04:31.250", in local time.
std::string clock_text(Time time);
// "12s", "3m05s", "2h07m", "3d04h"; below a second "0s".
std::string length_text(std::chrono::system_clock::duration length);

template <class Enum>
Enum value_of(std::string_view text) {
  return static_cast<Enum>(number_of(*google::protobuf::GetEnumDescriptor<Enum>(), text));
}

}  // namespace pbxctl
