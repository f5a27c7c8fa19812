#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "control/answer.h"
#include "control/core.h"

namespace control {

// What ListCalls and ListDevices have in common.
struct Listing {
  pbxgw::v1::Query::Kind kind;
  std::string parent;  // tenants/{tenant} or tenants/-
  int page_size = 0;
  std::string page_token;
  std::string device_id;  // only what concerns it; empty: all
};
struct ListingPage {
  pbxgw::v1::QueryResult found;
  std::string next_page_token;
  std::vector<std::string> unreachable;  // names of tenants
};

// One page, in order of tenants and within them as their owners order things. Over all pages,
// everything that is there from the first to the last of them comes exactly once.
boost::asio::awaitable<Answer<ListingPage>> list(Core& core, Listing listing, Caller caller);

// One page from one owner: kind, id, device, place and limit are the query's.
boost::asio::awaitable<Answer<pbxgw::v1::OwnerReply>> query(Core& core, base::TenantId tenant,
                                                            pbxgw::v1::Query query, Caller caller);

// What the next page comes after: the id of the last thing found; empty if nothing was.
std::string last_id_of(const pbxgw::v1::QueryResult& found);

// How many tenants are asked at once, and how long each may take.
inline constexpr std::size_t kFanOutMax = 16;
inline constexpr std::chrono::milliseconds kFanOutWait{2'000};

}  // namespace control
