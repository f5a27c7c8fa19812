#include "control/snapshot.h"

#include <algorithm>
#include <utility>

#include "control/listing.h"
#include "wire/names.h"

namespace control {

namespace asio = boost::asio;
using pbxgw::v1::Query;
using pbxgw::v1::QueryResult;
using pbxgw::v1::Snapshot;

namespace {

constexpr int kPageSize = 500;

pbxgw::v1::Tenant described(const Core& core, const base::TenantId& tenant) {
  auto record = core.directory.find(tenant, std::chrono::steady_clock::now());
  if (record) return std::move(*record->mutable_tenant());
  pbxgw::v1::Tenant result;
  result.set_name(wire::tenant_name(tenant));
  return result;
}

struct Pages {
  std::vector<QueryResult> pages;
  Position first;
};

asio::awaitable<Answer<Pages>> all_pages(Core& core, base::TenantId tenant, Query what,
                                         Caller caller) {
  Pages result;
  what.set_limit(kPageSize);
  for (;;) {
    auto answer = co_await query(core, tenant, what, caller);
    if (!answer && !what.id().empty() && reason_of(answer.error()) == "DEVICE_NOT_FOUND") {
      // A watcher may wait for a device that is not there yet. An error has no position, so another
      // question has to tell it.
      what.clear_id();
      what.set_limit(1);
      answer = co_await query(core, tenant, what, caller);
      if (!answer) co_return answer.error();
      answer->clear_query_result();
    }
    if (!answer) co_return answer.error();
    const Position position{answer->epoch(), answer->sequence()};
    if (result.pages.empty() || position < result.first) result.first = position;
    result.pages.push_back(std::move(*answer->mutable_query_result()));
    if (!result.pages.back().more()) co_return result;
    std::string last = last_id_of(result.pages.back());
    if (last <= what.after_id()) co_return result;  // an owner that turns in circles
    what.set_after_id(std::move(last));
  }
}

}  // namespace

asio::awaitable<Answer<TenantState>> snapshot_of(Core& core, const EventFilter& filter,
                                                 base::TenantId tenant, Caller caller) {
  TenantState state;
  state.tenant = tenant;
  const std::string only_device = filter.only_device();
  if (filter.wants_calls()) {
    Query what;
    what.set_kind(Query::KIND_CALLS);
    what.set_device_id(only_device);
    auto found = co_await all_pages(core, tenant, std::move(what), caller);
    if (!found) co_return found.error();
    state.calls = found->first;
    for (QueryResult& page : found->pages) {
      Snapshot& part = state.parts.emplace_back();
      for (auto& call : *page.mutable_calls()) {
        if (filter.passes(call)) part.add_calls()->Swap(&call);
      }
    }
  }
  if (filter.wants_devices()) {
    Query what;
    what.set_kind(Query::KIND_DEVICES);
    what.set_id(only_device);
    auto found = co_await all_pages(core, tenant, std::move(what), caller);
    if (!found) co_return found.error();
    state.devices = found->first;
    for (QueryResult& page : found->pages) {
      Snapshot& part = state.parts.emplace_back();
      for (auto& device : *page.mutable_devices()) {
        if (filter.passes(device)) part.add_devices()->Swap(&device);
      }
    }
  }
  if (state.parts.empty()) state.parts.emplace_back();  // only links are wanted
  const auto useless = [](const Snapshot& part) {
    return part.calls_size() + part.devices_size() == 0;
  };
  state.parts.erase(std::remove_if(state.parts.begin() + 1, state.parts.end(), useless),
                    state.parts.end());
  const auto tenant_now = described(core, tenant);
  for (Snapshot& part : state.parts) *part.mutable_tenant() = tenant_now;
  co_return state;
}

Snapshot unreachable_part(const Core& core, const base::TenantId& tenant) {
  Snapshot part;
  *part.mutable_tenant() = described(core, tenant);
  part.set_unreachable(true);
  return part;
}

}  // namespace control
