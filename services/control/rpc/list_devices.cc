#include "control/listing.h"
#include "control/rpc/handlers.h"

namespace control::rpc {

using pbxgw::v1::ListDevicesRequest;
using pbxgw::v1::ListDevicesResponse;

Answering<ListDevicesResponse> list_devices(Core& core, ListDevicesRequest request, Caller caller) {
  Listing listing{pbxgw::v1::Query::KIND_DEVICES,
                  request.parent(),
                  request.page_size(),
                  request.page_token(),
                  {}};
  auto page = co_await list(core, std::move(listing), std::move(caller));
  if (!page) co_return page.error();
  ListDevicesResponse response;
  response.mutable_devices()->Swap(page->found.mutable_devices());
  response.set_next_page_token(std::move(page->next_page_token));
  response.mutable_unreachable()->Add(page->unreachable.begin(), page->unreachable.end());
  co_return response;
}

}  // namespace control::rpc
