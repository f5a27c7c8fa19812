#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/checkpoint.h"
#include "wire/commands.h"
#include "wire/events.h"
#include "wire/names.h"
#include "wire/signalling.h"
#include "wire/subjects.h"
#include "wire/token.h"

// Everything that comes from NATS or from a caller, as any bytes: nothing may crash or throw, and
// what is accepted must come back the same.
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void try_event(std::string_view bytes) {
  const auto proto = wire::decode_event(bytes);
  if (!proto) return;
  const auto event = wire::from_proto(*proto);
  if (!event) return;
  const base::TenantId tenant = wire::parse_tenant(proto->tenant()).value();
  require(wire::event_subject(tenant, *event).size() < 256);
  wire::EventEncoder protobuf(tenant, "fuzz", wire::Format::protobuf);
  const auto again = wire::decode_event(protobuf.encode(*event));
  require(again && wire::from_proto(*again).has_value());
  wire::EventEncoder json(tenant, "fuzz", wire::Format::json);
  require(wire::decode_event(json.encode(*event)).has_value());
}

void try_request(std::string_view bytes) {
  pbxgw::v1::OwnerRequest request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  for (const auto& said : request.signal().send().messages()) {
    const auto message = wire::from_proto(said);
    if (message) require(wire::from_proto(wire::to_proto(*message)).has_value());
  }
  if (request.signal().has_open()) {
    const base::TenantId tenant("fuzz");
    const auto options = wire::from_proto(tenant, request.signal().open().options());
    if (options) require(wire::from_proto(tenant, wire::to_proto(tenant, *options)).has_value());
  }
  if (!request.has_command()) return;
  const auto command = wire::from_proto(request.command());
  if (command) require(wire::from_proto(wire::to_proto(*command)).has_value());
}

void try_signal(std::string_view bytes) {
  pbxgw::v1::SignalResponse response;
  if (!response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const auto message = wire::from_proto(response);
  if (message) require(wire::from_proto(wire::to_proto(*message)).has_value());
}

// A first byte says how many parts the rest is.
void try_checkpoint(std::string_view bytes) {
  (void)wire::parts_of(bytes);
  const std::size_t count = bytes.empty() ? 1 : static_cast<std::uint8_t>(bytes[0]) % 4 + 1u;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < count; ++i) {
    parts.emplace_back(bytes.substr(bytes.size() * i / count, bytes.size() / count));
  }
  for (const auto& given : {parts, std::vector<std::string>{std::string(bytes)}}) {
    const auto checkpoint = wire::decode(given);
    if (checkpoint) {
      require(wire::decode(wire::encode(base::TenantId("fuzz"), *checkpoint, 64)).has_value());
    }
  }
}

void try_name(std::string_view bytes) {
  if (const auto text = wire::from_token(bytes)) require(wire::to_token(*text) == bytes);
  require(wire::from_token(wire::to_token(bytes)) == bytes);
  if (const auto name = wire::parse_connection(bytes)) {
    require(wire::connection_name(name->tenant, name->call, name->number) == bytes);
  }
  if (const auto name = wire::parse_call(bytes)) {
    require(wire::call_name(name->tenant, name->call) == bytes);
  }
  if (const auto name = wire::parse_device(bytes)) {
    require(wire::device_name(name->tenant, name->device) == bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_event(bytes);
  try_request(bytes);
  try_signal(bytes);
  try_checkpoint(bytes);
  try_name(bytes);
  return 0;
}
