#include "wire/audit.h"

#include <cassert>

#include <google/protobuf/util/json_util.h>

#include "wire/token.h"

namespace wire {

const char* outcome_of(const pbxgw::v1::AuditRecord& record) noexcept {
  if (!record.admitted()) return "refused";
  if (record.begun()) return "begun";
  return record.code() == "OK" ? "done" : "failed";
}

std::string encode_audit(const pbxgw::v1::AuditRecord& record, std::string_view id) {
  pbxgw::v1::JsonAuditEvent event;
  event.set_specversion("1.0");
  event.set_id(std::string(id));
  event.set_source("/pbx/control/" + to_token(record.instance()));
  event.set_type(std::string("dev.pbxgw.audit.v1.") + outcome_of(record));
  event.set_subject(record.resource().empty() ? record.tenant() : record.resource());
  *event.mutable_time() = record.time();
  event.set_dataschema("https://pbxgw.dev/schemas/pbxgw.v1.AuditRecord");
  event.set_datacontenttype("application/json");
  *event.mutable_data() = record;
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;  // that nobody was known is said, too
  std::string out;
  [[maybe_unused]] const auto status =
      google::protobuf::util::MessageToJsonString(event, &out, options);
  assert(status.ok());  // all text is UTF-8, and the time is in range
  return out;
}

}  // namespace wire
