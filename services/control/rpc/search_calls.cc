#include "control/opaque.h"
#include "control/rpc/handlers.h"
#include "wire/names.h"
#include "wire/time.h"

namespace control::rpc {

using base::Errc;
using pbxgw::v1::SearchCallsRequest;
using pbxgw::v1::SearchCallsResponse;

namespace {

constexpr char kEveryTenant[] = "tenants/-";

std::string context_of(const SearchCallsRequest& request) {
  return Packer()
      .add("SearchCalls")
      .add(request.parent())
      .add(request.start_time().SerializeAsString())
      .add(request.end_time().SerializeAsString())
      .add(request.device_id())
      .text();
}

// What is wrong with the fields that stand for themselves.
std::optional<wire::Failure> mistake_in(const SearchCallsRequest& request) {
  const auto tenant = wire::parse_tenant(request.parent());
  if (!tenant || tenant->empty() || request.parent() == kEveryTenant) {
    return not_of_form("parent", request.parent(), "tenants/{tenant}, for one tenant");
  }
  const auto is_wrong = [](bool present, const google::protobuf::Timestamp& time) {
    return present && !wire::from_proto(time);
  };
  if (is_wrong(request.has_start_time(), request.start_time())) {
    return wrong("start_time", "is no time between the years 1678 and 2261");
  }
  if (is_wrong(request.has_end_time(), request.end_time())) {
    return wrong("end_time", "is no time between the years 1678 and 2261");
  }
  if (request.has_start_time() && request.has_end_time() &&
      *wire::from_proto(request.end_time()) < *wire::from_proto(request.start_time())) {
    return wrong("end_time", "is before start_time");
  }
  if (request.device_id().size() > kDestinationMax) {
    return wrong("device_id", "is too long: expected at most " + std::to_string(kDestinationMax) +
                                  " characters");
  }
  if (!page_size_of(request.page_size())) {
    return wrong("page_size", "is negative: expected 0 to 1000",
                 std::to_string(request.page_size()));
  }
  return std::nullopt;
}

}  // namespace

Answering<SearchCallsResponse> search_calls(Core& core, SearchCallsRequest request, Caller caller) {
  if (const auto failure = mistake_in(request)) co_return wire::to_status(*failure);
  const base::TenantId tenant = *wire::parse_tenant(request.parent());

  pbxgw::v1::OwnerRequest question;
  question.set_tenant(request.parent());
  question.set_traceparent(std::move(caller.traceparent));
  auto& search = *question.mutable_history()->mutable_search();
  if (request.has_start_time()) *search.mutable_start_time() = request.start_time();
  if (request.has_end_time()) *search.mutable_end_time() = request.end_time();
  search.set_device_id(request.device_id());
  search.set_limit(*page_size_of(request.page_size()));
  if (!request.page_token().empty()) {
    auto place = unseal(request.page_token(), context_of(request));
    if (!place) co_return wire::to_status(wrong_page_token());
    search.set_after(std::move(*place));
  }
  auto asking = core.gateway.ask(caller.right, tenant, std::move(question), caller.deadline);
  auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  if (!answer->history_result().has_page()) {
    co_return refuse(Errc::internal, "The connector answered another question.");
  }
  auto& page = *answer->mutable_history_result()->mutable_page();
  SearchCallsResponse response;
  response.mutable_calls()->Swap(page.mutable_calls());
  if (!page.next().empty()) {
    response.set_next_page_token(seal(page.next(), context_of(request)));
  }
  co_return response;
}

}  // namespace control::rpc
