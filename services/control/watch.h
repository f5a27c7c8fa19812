#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bus/consumer.h"
#include "bus/jetstream.h"
#include "control/admission.h"
#include "control/core.h"
#include "control/event_filter.h"
#include "control/metrics.h"
#include "control/resume_marker.h"
#include "control/snapshot.h"
#include "control/watch_stream.h"
#include "wire/subjects.h"

namespace control {

// What all watches work with; the executor is the bus connection's.
struct WatchTools {
  Core& core;
  bus::JetStream& jetstream;
  std::shared_ptr<bus::Requests> requests;
  const Metrics& metrics;
  std::string stream = wire::kEventStream;
  WatchStream::Limits queue{};  // also of what was delivered and waits for space
  // How long a caller may take nothing while something waits for him.
  std::chrono::milliseconds patience{10'000};
  // How long the owners have for the initial state of one tenant, and between attempts for one that
  // is owed.
  std::chrono::milliseconds snapshot_wait{5'000};
  std::chrono::milliseconds owed_wait{1'000};
};

// Feeds one watcher: what is true first, then what changes.
//
// The story: it notes the end of the stream of events, S. Then it asks the owners for their state,
// and each says up to which event of its own (epoch and sequence) that goes. The state is sent,
// then everything in the stream from S + 1 on, except what the state had in it already, what comes
// twice, and what a former owner still says. A tenant that cannot be asked is marked, and its state
// is owed: its events are passed on in the meantime, and the state follows once it takes in all of
// those.
//
// The marker of each response says how far it is in the stream, and what is still owed, so that
// another watch, at another control, can go on from there.
//
// Of all tenants, it is those that the caller may see: of others he gets neither state nor event.
//
// The stream is read only as fast as the caller reads: when the queue to him is full, reading
// stops, and begins again after the last event taken. Only a caller who takes nothing at all is
// sent away.
//
// Lives until its stream is finished. All members are for the bus connection's executor, but for
// abandon().
class Watch final : public Pending, public std::enable_shared_from_this<Watch> {
 public:
  // `request` has to be one that EventFilter::check() has nothing against.
  Watch(WatchTools tools, std::shared_ptr<WatchStream> stream, pbxgw::v1::WatchRequest request,
        Caller caller);

  // Runs until the stream is finished, whoever finishes it.
  boost::asio::awaitable<void> run();
  // The process is draining, or the caller's right has ended: after the response that is being
  // written, so that he can go on from its marker.
  void abandon(const google::rpc::Status& why) override;

 private:
  struct Told {
    Position calls, devices;  // by the state that was sent
    Position last;            // by events
  };
  struct Waiting {
    std::string bytes;
    std::uint64_t sequence;
  };
  using Refused = std::optional<google::rpc::Status>;

  boost::asio::awaitable<Refused> begin();
  boost::asio::awaitable<Refused> begin_anew(std::vector<base::TenantId> tenants);
  boost::asio::awaitable<Refused> resume();
  boost::asio::awaitable<base::Result<bus::StreamState>> stream_state(google::rpc::Status& why);
  boost::asio::awaitable<void> send_states(std::vector<base::TenantId> tenants);
  boost::asio::awaitable<void> follow();
  boost::asio::awaitable<bool> open_consumer();
  boost::asio::awaitable<void> settle_debts();
  boost::asio::awaitable<void> wait_for_space();
  boost::asio::awaitable<std::vector<Answer<TenantState>>> ask(std::vector<base::TenantId> tenants);

  bool may_see(const std::string& tenant_name) const;
  bool wants_to_read() const;
  void on_delivery(const bus::Delivery& delivery);
  void pump();
  void pass_on(std::string_view bytes, std::uint64_t sequence);
  bool is_news(const pbxgw::v1::Event& event);
  bool takes_in_all_told(const TenantState& state) const;
  void note(const TenantState& state);
  void push(pbxgw::v1::WatchResponse response);
  void watch_patience();
  void end(const google::rpc::Status& status);

  const WatchTools tools_;
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<WatchStream> stream_;
  const pbxgw::v1::WatchRequest request_;
  const Caller caller_;
  const EventFilter filter_;

  Place place_;          // the last message passed on or left out, and whose state is owed
  bool initial_ = true;  // the initial state is not complete: no markers yet
  std::unordered_map<std::string, Told> told_;  // by the tenant's name

  std::unique_ptr<bus::OrderedConsumer> consumer_;
  bool reading_ = false;         // the consumer's deliveries are taken
  std::deque<Waiting> waiting_;  // delivered, but not passed on yet
  std::size_t waiting_bytes_ = 0;
  // Delivered before it was known whether there is a hole before them.
  std::vector<Waiting> unsure_;

  bool over_ = false;  // the status is decided
  bool gone_ = false;  // and the caller has it, or is not there any more
  boost::asio::steady_timer wake_, patience_;
};

}  // namespace control
