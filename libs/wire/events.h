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
// These set every field of `out`, whatever it held, and keep its memory.
void to_proto(const base::TenantId& tenant, const call::Call& call, pbxgw::v1::Call& out);
void to_proto(const base::TenantId& tenant, const call::Device& device, pbxgw::v1::Device& out);
void to_proto(const base::TenantId& tenant, const call::Event& event, pbxgw::v1::Event& out);

// bad_frame if a field is missing or out of range: then it was not made by us. What comes back is
// what was given to to_proto(), but for bytes that are not UTF-8, and a link reason that LinkReason
// does not have.
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
  std::string_view encode_protobuf();
  std::string_view encode_json();

  base::TenantId tenant_;
  std::string token_;   // of the tenant
  std::string source_;  // the CloudEvent's, as are the next two
  std::string id_;
  std::string type_;
  Format format_;
  pbxgw::v1::JsonCloudEvent cloud_event_;  // of protobuf messages only `data`
  std::string buffer_;                     // may be longer than the message in it
};

// The event in a CloudEvent's bytes, of either format (JSON starts with '{', protobuf cannot).
// bad_frame if there is none.
base::Result<pbxgw::v1::Event> decode_event(std::string_view bytes);

}  // namespace wire
