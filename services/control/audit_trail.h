#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bus/jetstream.h"
#include "bus/publisher.h"
#include "control/audit.h"
#include "control/directory.h"
#include "control/metrics.h"
#include "wire/subjects.h"

namespace control {

struct AuditOptions {
  std::string stream = wire::kAuditStream;
  std::chrono::nanoseconds max_age = std::chrono::hours(24 * 90);
  std::int64_t max_bytes = 256 << 20;
  int replicas = 1;
  // Of principals a kind is one RPC; of strangers all that they try.
  RefusalLimit::Most refusals{10, 1'000}, strangers_refusals{200, 20};
  // Records that wait for NATS.
  bus::LaneLimits lane{10'000, 8u << 20, std::chrono::milliseconds(0)};
  std::size_t bytes_max = 16u << 20;  // of all lanes
};

// Where audit records go: a line of the log at once, and a message in the stream PBX_AUDIT, as soon
// as NATS takes it. What waits for NATS is bounded; a record for which there is no space is in the
// log only, and counted.
//
// Lives as long as the process, on the bus connection's executor, but for note().
class AuditTrail {
 public:
  AuditTrail(bus::JetStream& jetstream, const Directory& directory, const Metrics& metrics,
             AuditOptions options);
  ~AuditTrail();  // once stopped, or never started
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;

  // Makes the stream, or gives the one that is there our limits, as soon as NATS is there. If it
  // may not, it goes on with what there is. If the stream differs in more than limits:
  // `on_mismatch`, once. The log says what differs.
  void start(std::function<void()> on_mismatch);
  // Takes a turn or two of the executor, until which this has to live.
  void stop();
  // Once a second or so: tells what of a flood was left out.
  void tick(std::chrono::steady_clock::time_point now);
  // Waits until NATS has all records, but no longer than that.
  boost::asio::awaitable<void> drained(std::chrono::milliseconds limit);

  // An RPC is over, or was refused at the door (`admitted` is false). Any thread.
  void note(const Asker& who, std::string_view rpc, const Asked& what, bool admitted,
            const google::rpc::Status& result);

 private:
  boost::asio::awaitable<void> keep_stream(std::function<void()> on_mismatch);
  void write(pbxgw::v1::AuditRecord record);
  void lose(std::uint64_t count, std::string_view why);

  bus::JetStream& jetstream_;
  const Directory& directory_;
  const Metrics& metrics_;
  const AuditOptions options_;
  const boost::asio::any_io_executor executor_;
  const std::string instance_, id_prefix_;
  std::atomic<std::uint64_t> last_id_ = 0;
  bus::Publisher publisher_;
  // A lane sends one message at a time. A tenant's records are all in one, so in order.
  std::vector<std::unique_ptr<bus::Lane>> lanes_;
  boost::asio::steady_timer wake_;
  bool stopped_ = false;

  std::mutex mutex_;
  RefusalLimit refusals_;
};

}  // namespace control
