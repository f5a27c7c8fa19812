#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "base/ids.h"
#include "call/history.h"
#include "connector/config.h"
#include "connector/metrics.h"
#include "net/http_download.h"
#include "pbx/session.h"
#include "pbxgw/v1/command.pb.h"
#include "wire/status.h"

namespace connector {

// Answers what control asks about one tenant's past: searches go to the PBX through the link, and
// recordings are fetched over HTTP, part by part, as control asks for them. Nothing is read ahead:
// a caller who does not read slows the PBX down, and costs one part of memory. Fetching goes on
// while the link is away.
//
// Lives while the tenant's lease is held, on its owner's executor.
class HistoryDesk {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // How recordings are to be fetched.
  struct Way {
    net::HttpDownloadLimits limits;  // `step` is the adapter's
    std::shared_ptr<net::TlsContext> tls;
  };
  // What it needs of the tenant's owner.
  struct Owner {
    base::TenantId tenant;
    std::uint64_t epoch = 0;
    std::span<const call::Capability> capabilities;
    // Why the PBX cannot be asked now; nothing: it can.
    std::function<std::optional<wire::Failure>()> obstacle;
    // False if too many wait already; else `done` is called exactly once.
    std::function<bool(call::Inquiry, TimePoint limit,
                       std::function<void(pbx::Inform::Answer)> done)>
        ask;
    std::function<base::Result<Way>(std::string& why)> way;
  };
  struct Limits {
    std::size_t transfers_max = 8;  // at a time; another one is refused
    std::size_t part_bytes_max = 256 << 10;
    std::size_t page_bytes_max = 900 << 10;  // a NATS message takes 1 MB
    // A transfer that nobody asks for is over.
    std::chrono::milliseconds idle{30'000};
  };

  HistoryDesk(boost::asio::any_io_executor executor, Owner owner, Limits limits,
              const Metrics& metrics);
  // As close().
  ~HistoryDesk();
  HistoryDesk(const HistoryDesk&) = delete;
  HistoryDesk& operator=(const HistoryDesk&) = delete;

  // `done` is called exactly once, perhaps at once; `limit`: when the caller stops waiting.
  void take(const pbxgw::v1::HistoryRequest& request, TimePoint limit,
            std::function<void(pbxgw::v1::OwnerReply)> done);
  // Ends all transfers, and answers what waits for them. Nothing is taken any more.
  void close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

HistoryDesk::Limits history_limits(const Config& config);

}  // namespace connector
