#include "control/listing.h"
#include "control/rpc/handlers.h"

namespace control::rpc {

using pbxgw::v1::GetCallRequest;
using pbxgw::v1::GetCallResponse;

Answering<GetCallResponse> get_call(Core& core, GetCallRequest request, Caller caller) {
  Fields fields(pbxgw::v1::Query::KIND_CALLS);
  fields.call(request.name(), "name");
  if (fields.failure()) co_return wire::to_status(*fields.failure());
  auto answer = co_await query(core, fields.tenant(), fields.request().query(), std::move(caller));
  if (!answer) co_return answer.error();
  if (answer->query_result().calls_size() == 0) {
    co_return refuse(base::Errc::call_not_found, request.name() + " does not exist, or has ended.",
                     {{"resource", request.name()}});
  }
  GetCallResponse response;
  response.mutable_call()->Swap(answer->mutable_query_result()->mutable_calls(0));
  co_return response;
}

}  // namespace control::rpc
