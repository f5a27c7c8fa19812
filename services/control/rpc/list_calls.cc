#include "control/listing.h"
#include "control/rpc/handlers.h"

namespace control::rpc {

using pbxgw::v1::ListCallsRequest;
using pbxgw::v1::ListCallsResponse;

Answering<ListCallsResponse> list_calls(Core& core, ListCallsRequest request, Caller caller) {
  Listing listing{pbxgw::v1::Query::KIND_CALLS, request.parent(), request.page_size(),
                  request.page_token(), request.device_id()};
  auto page = co_await list(core, std::move(listing), std::move(caller));
  if (!page) co_return page.error();
  ListCallsResponse response;
  response.mutable_calls()->Swap(page->found.mutable_calls());
  response.set_next_page_token(std::move(page->next_page_token));
  response.mutable_unreachable()->Add(page->unreachable.begin(), page->unreachable.end());
  co_return response;
}

}  // namespace control::rpc
