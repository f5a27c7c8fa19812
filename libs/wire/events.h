#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "call/event.h"
#include "pbxgw/v1/event.pb.h"

// call::Event ↔ pbxgw.v1.Event ↔ CloudEvent bytes.
namespace wire {

pbxgw::v1::Call to_proto(const base::TenantId& tenant, const call::Call& call);
pbxgw::v1::Device to_proto(const base::TenantId& tenant, const call::Device& device);
pbxgw::v1::LinkStatus to_proto(const call::LinkEvent& link, call::Time since);
void to_proto(const base::TenantId& tenant, const call::Event& event, pbxgw::v1::Event& out);

// bad_frame if a field is missing or out of range: then it was not made by us.
base::Result<call::Call> from_proto(const pbxgw::v1::Call& call);
base::Result<call::Device> from_proto(const pbxgw::v1::Device& device);
base::Result<call::Event> from_proto(const pbxgw::v1::Event& event);

enum class Format { protobuf, json };
// The content-type of a message: "application/cloudevents+protobuf" or "+json".
const char* content_type(Format format);

// Turns the events of one tenant into messages. Keeps its buffers, so that a message costs no more
// than its bytes; one for each thread or tenant.
class EventEncoder {
 public:
  // `domain` stands in the CloudEvents source: //<domain>/pbx/tenants/<tenant>.
  EventEncoder(base::TenantId tenant, std::string domain, Format format);

  // A whole CloudEvent in structured mode. Valid until the next call.
  std::string_view encode(const call::Event& event);
  // "<tenant>.<epoch>.<sequence>": Nats-Msg-Id, and the CloudEvent's id.
  std::string message_id(const call::Event& event) const;

 private:
  base::TenantId tenant_;
  std::string source_;
  Format format_;
  pbxgw::v1::Event event_;
  std::string buffer_;
};

// The event in a CloudEvent's bytes, of either format (JSON starts with '{', protobuf cannot).
base::Result<pbxgw::v1::Event> decode_event(std::string_view bytes);

}  // namespace wire
