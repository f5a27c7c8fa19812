#include "wire/history.h"

#include <utility>

#include "wire/enums.h"
#include "wire/names.h"
#include "wire/text.h"
#include "wire/time.h"

namespace wire {
namespace {

using base::Errc;
using base::TenantId;
using google::protobuf::Timestamp;

void write(const call::Party& party, v1::Party& out) {
  assign_text(*out.mutable_device_id(), party.device.str());
  out.set_kind(to_proto_enum(party.kind));
  assign_text(*out.mutable_number(), party.number);
  assign_text(*out.mutable_display_name(), party.name);
}

bool read(const v1::Party& in, call::Party& out) {
  const auto kind = from_proto_enum<call::DeviceKind>(in.kind());
  if (!kind) return false;
  out = {call::DeviceId(in.device_id()), *kind, in.number(), in.display_name()};
  return true;
}

// Nothing, if there is none.
bool read(bool present, const Timestamp& in, std::optional<call::Time>& out) {
  if (!present) return true;
  const auto time = from_proto(in);
  if (time) out = *time;
  return time.has_value();
}

bool read(const v1::PastCall& in, call::PastCall& out) {
  auto name = parse_past_call(in.name());
  const auto direction = from_proto_enum<call::Direction>(in.direction());
  std::optional<call::Time> start;
  if (!name || !direction || !in.has_start_time() ||
      !read(in.has_start_time(), in.start_time(), start)) {
    return false;
  }
  out.id = std::move(name->id);
  out.direction = *direction;
  out.start = *start;
  for (const std::string& device : in.device_ids()) out.devices.emplace_back(device);
  for (const std::string& recording : in.recordings()) {
    auto its_name = parse_recording(recording);
    if (!its_name) return false;
    out.recordings.push_back(std::move(its_name->id));
  }
  for (const auto& [key, value] : in.vendor_data()) out.data.emplace(key, value);
  return read(in.calling(), out.calling) && read(in.called(), out.called) &&
         read(in.has_answer_time(), in.answer_time(), out.answer) &&
         read(in.has_end_time(), in.end_time(), out.end);
}

}  // namespace

v1::HistoryRequest::Search to_proto(const call::SearchCalls& search) {
  v1::HistoryRequest::Search out;
  if (search.from) to_proto(*search.from, *out.mutable_start_time());
  if (search.until) to_proto(*search.until, *out.mutable_end_time());
  assign_text(*out.mutable_device_id(), search.device.str());
  out.set_limit(static_cast<std::int32_t>(search.limit));
  assign_text(*out.mutable_after(), search.after);
  return out;
}

base::Result<call::SearchCalls> from_proto(const v1::HistoryRequest::Search& search) {
  call::SearchCalls out;
  if (!read(search.has_start_time(), search.start_time(), out.from) ||
      !read(search.has_end_time(), search.end_time(), out.until) || search.limit() <= 0) {
    return Errc::invalid_argument;
  }
  out.device = call::DeviceId(search.device_id());
  out.after = search.after();
  out.limit = static_cast<unsigned>(search.limit());
  return out;
}

v1::PastCall to_proto(const TenantId& tenant, const call::PastCall& call) {
  v1::PastCall out;
  out.set_name(past_call_name(tenant, call.id));
  write(call.calling, *out.mutable_calling());
  write(call.called, *out.mutable_called());
  out.set_direction(to_proto_enum(call.direction));
  to_proto(call.start, *out.mutable_start_time());
  if (call.answer) to_proto(*call.answer, *out.mutable_answer_time());
  if (call.end) to_proto(*call.end, *out.mutable_end_time());
  for (const call::DeviceId& device : call.devices) {
    assign_text(*out.add_device_ids(), device.str());
  }
  for (const std::string& recording : call.recordings) {
    out.add_recordings(recording_name(tenant, recording));
  }
  for (const auto& [key, value] : call.data) {
    std::string name;
    assign_text(name, key);
    assign_text((*out.mutable_vendor_data())[name], value);
  }
  return out;
}

v1::HistoryResult::Page to_proto(const TenantId& tenant, const call::PastCalls& page) {
  v1::HistoryResult::Page out;
  for (const call::PastCall& call : page.calls) *out.add_calls() = to_proto(tenant, call);
  assign_text(*out.mutable_next(), page.next);
  return out;
}

base::Result<call::PastCalls> from_proto(const v1::HistoryResult::Page& page) {
  call::PastCalls out;
  out.calls.resize(static_cast<std::size_t>(page.calls_size()));
  for (std::size_t i = 0; i < out.calls.size(); ++i) {
    if (!read(page.calls(static_cast<int>(i)), out.calls[i])) return Errc::bad_frame;
  }
  out.next = page.next();
  return out;
}

}  // namespace wire
