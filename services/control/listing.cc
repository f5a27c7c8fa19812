#include "control/listing.h"

#include <algorithm>
#include <utility>

#include "control/fields.h"
#include "control/gather.h"
#include "control/opaque.h"
#include "wire/names.h"
#include "wire/token.h"

namespace control {

namespace asio = boost::asio;
using base::Errc;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::Query;
using pbxgw::v1::QueryResult;

namespace {

constexpr char kEveryTenant[] = "tenants/-";
// A page that is bigger takes nothing more in: with one more tenant's reply, which NATS limits, it
// is still below gRPC's 4 MiB.
constexpr std::size_t kPageBytes = 2u << 20;

// Where a page begins: after `after` of `tenant`; from the very first thing if both are empty.
struct Place {
  std::string tenant;
  std::string after;
};

std::string context_of(const Listing& listing) {
  return Packer()
      .add(Query::Kind_Name(listing.kind))
      .add(listing.parent)
      .add(listing.device_id)
      .text();
}

std::string token_of(const Place& place, const Listing& listing) {
  return seal(Packer().add(place.tenant).add(place.after).text(), context_of(listing));
}

std::optional<Place> place_of(const Listing& listing) {
  if (listing.page_token.empty()) return Place{};
  const auto payload = unseal(listing.page_token, context_of(listing));
  if (!payload) return std::nullopt;
  auto parts = unpack(*payload);
  if (!parts || parts->size() != 2) return std::nullopt;
  return Place{std::move((*parts)[0]), std::move((*parts)[1])};
}

Query query_of(const Listing& listing, std::string after, int limit) {
  Query query;
  query.set_kind(listing.kind);
  query.set_device_id(listing.device_id);
  query.set_after_id(std::move(after));
  query.set_limit(limit);
  return query;
}

int size_of(const QueryResult& found) { return found.calls_size() + found.devices_size(); }

// Moves at most `limit` things over.
void take(QueryResult& from, int limit, QueryResult& to) {
  for (int i = 0; i < std::min(limit, from.calls_size()); ++i) {
    to.add_calls()->Swap(from.mutable_calls(i));
  }
  for (int i = 0; i < std::min(limit, from.devices_size()); ++i) {
    to.add_devices()->Swap(from.mutable_devices(i));
  }
}

asio::awaitable<Answer<ListingPage>> list_one(Core& core, const Listing& listing, Place place,
                                              base::TenantId tenant, Caller caller) {
  auto answer =
      co_await query(core, std::move(tenant),
                     query_of(listing, std::move(place.after), listing.page_size), caller);
  if (!answer) co_return answer.error();
  ListingPage page;
  page.found.Swap(answer->mutable_query_result());
  if (page.found.more()) {
    Place next;
    next.after = last_id_of(page.found);
    page.next_page_token = token_of(next, listing);
  }
  co_return page;
}

// The tenants from `place` on that the caller may see, in order of their names.
std::vector<base::TenantId> tenants_from(const Core& core, const Place& place,
                                         const Admitted& right) {
  auto tenants = core.directory.tenants();
  std::erase_if(tenants, [&](const base::TenantId& id) { return !right.may(id); });
  const auto first = std::find_if(tenants.begin(), tenants.end(), [&](const base::TenantId& id) {
    return wire::to_token(id.str()) >= place.tenant;
  });
  tenants.erase(tenants.begin(), first);
  return tenants;
}

// One tenant of many: nobody waits long for it.
asio::awaitable<Answer<OwnerReply>> ask_one(Core& core, base::TenantId tenant, Query what,
                                            Caller caller) {
  const auto now = std::chrono::steady_clock::now();
  if (core.directory.is_complete() && !core.directory.is_owned(tenant, now)) {
    co_return refuse(Errc::owner_moving);
  }
  caller.deadline = std::min(caller.deadline, now + kFanOutWait);
  co_return co_await query(core, std::move(tenant), std::move(what), std::move(caller));
}

asio::awaitable<Answer<ListingPage>> list_all(Core& core, const Listing& listing, Place place,
                                              Caller caller) {
  ListingPage page;
  std::vector<base::TenantId> tenants = tenants_from(core, place, *caller.right);
  std::size_t next = 0;
  while (next < tenants.size()) {
    // Better a short page than none: a caller who waits for silent tenants gets it in time.
    const bool hurry = std::chrono::steady_clock::now() + kFanOutWait > caller.deadline;
    if (next > 0 && hurry) {
      place.tenant = wire::to_token(tenants[next].str());
      place.after.clear();
      page.next_page_token = token_of(place, listing);
      co_return page;
    }
    const std::size_t end = std::min(tenants.size(), next + kFanOutMax);
    std::vector<asio::awaitable<Answer<OwnerReply>>> questions;
    for (std::size_t i = next; i < end; ++i) {
      const bool resumed = wire::to_token(tenants[i].str()) == place.tenant;
      Query what = query_of(listing, resumed ? place.after : std::string(), listing.page_size);
      questions.push_back(ask_one(core, tenants[i], std::move(what), caller));
    }
    auto answers = co_await gather(std::move(questions));

    for (std::size_t i = 0; i < answers.size(); ++i, ++next) {
      if (!answers[i]) {
        const std::string reason = reason_of(answers[i].error());
        if (reason == "BUS_UNAVAILABLE" || reason == "SHUTTING_DOWN") co_return answers[i].error();
        if (reason != "TENANT_NOT_FOUND") {
          page.unreachable.push_back(wire::tenant_name(tenants[next]));
        }
        continue;
      }
      QueryResult& found = *answers[i]->mutable_query_result();
      const bool is_big = page.found.ByteSizeLong() > kPageBytes;
      const int space = is_big ? 0 : listing.page_size - size_of(page.found);
      const bool more = found.more() || size_of(found) > space;
      const bool any = size_of(found) > 0;
      if (space > 0) take(found, space, page.found);
      if (!more || !any) continue;
      // The page ends within this tenant; with no space left, before its first thing.
      place.tenant = wire::to_token(tenants[next].str());
      place.after = space > 0 ? last_id_of(page.found) : std::string();
      page.next_page_token = token_of(place, listing);
      co_return page;
    }
  }
  co_return page;
}

}  // namespace

asio::awaitable<Answer<ListingPage>> list(Core& core, Listing listing, Caller caller) {
  const auto tenant = wire::parse_tenant(listing.parent);
  if (!tenant || tenant->empty()) {
    co_return wire::to_status(
        listing.parent.empty()
            ? wrong("parent", "is missing: expected tenants/{tenant} or tenants/-")
            : wrong("parent", "is not of the form tenants/{tenant} or tenants/-", listing.parent));
  }
  const auto size = page_size_of(listing.page_size);
  if (!size) {
    co_return wire::to_status(
        wrong("page_size", "is negative: expected 0 to 1000", std::to_string(listing.page_size)));
  }
  listing.page_size = *size;
  auto place = place_of(listing);
  if (!place) co_return wire::to_status(wrong_page_token());
  if (listing.parent != kEveryTenant) {
    co_return co_await list_one(core, listing, std::move(*place), *tenant, std::move(caller));
  }
  if (!core.directory.is_complete()) {
    co_return refuse(Errc::bus_unavailable, "The tenants are not known yet: NATS was not reached.");
  }
  co_return co_await list_all(core, listing, std::move(*place), std::move(caller));
}

asio::awaitable<Answer<OwnerReply>> query(Core& core, base::TenantId tenant, Query what,
                                          Caller caller) {
  pbxgw::v1::OwnerRequest request;
  request.set_tenant(wire::tenant_name(tenant));
  request.set_traceparent(std::move(caller.traceparent));
  *request.mutable_query() = std::move(what);
  auto answer = co_await core.gateway.ask(caller.right, std::move(tenant), std::move(request),
                                          caller.deadline);
  if (answer && !answer->has_query_result()) {
    co_return refuse(Errc::internal, "The connector answered another question.");
  }
  co_return answer;
}

std::string last_id_of(const QueryResult& found) {
  if (found.devices_size() > 0) return found.devices(found.devices_size() - 1).device_id();
  if (found.calls_size() == 0) return {};
  const auto name = wire::parse_call(found.calls(found.calls_size() - 1).name());
  return name ? name->call.str() : std::string();
}

}  // namespace control
