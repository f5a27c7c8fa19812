#include "control/listing.h"
#include "control/rpc/handlers.h"

namespace control::rpc {

using pbxgw::v1::GetDeviceRequest;
using pbxgw::v1::GetDeviceResponse;

Answering<GetDeviceResponse> get_device(Core& core, GetDeviceRequest request, Caller caller) {
  Fields fields(pbxgw::v1::Query::KIND_DEVICES);
  fields.device(request.name(), "name");
  if (fields.failure()) co_return wire::to_status(*fields.failure());
  auto answer = co_await query(core, fields.tenant(), fields.request().query(), std::move(caller));
  if (!answer) co_return answer.error();
  if (answer->query_result().devices_size() == 0) {
    co_return refuse(base::Errc::device_not_found,
                     "The PBX does not have " + request.name() + ", or does not show it.",
                     {{"resource", request.name()}});
  }
  GetDeviceResponse response;
  response.mutable_device()->Swap(answer->mutable_query_result()->mutable_devices(0));
  co_return response;
}

}  // namespace control::rpc
