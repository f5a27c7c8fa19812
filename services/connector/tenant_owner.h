#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bus/lease.h"
#include "call/tracker.h"
#include "connector/command_inbox.h"
#include "connector/event_publisher.h"
#include "connector/history_desk.h"
#include "connector/login_desk.h"
#include "connector/provisioning_desk.h"
#include "connector/shard.h"
#include "connector/signal_desk.h"
#include "connector/tenant_link.h"
#include "wire/checkpoint.h"

namespace connector {

// One tenant, from taking its lease to letting it go: keeps the link to the PBX up, makes events of
// what it says, publishes them, has commands carried out, and leaves a checkpoint for the next
// owner. All members are called on the shard's executor. Start reading at run().
class TenantOwner {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Handlers {
    std::function<void()> held;  // the lease was got
    // Which PBXs are connected that have dialled us, whenever that changes.
    std::function<void(std::set<std::string>)> linked = nullptr;
  };
  TenantOwner(Shard& shard, std::shared_ptr<const TenantConfig> tenant, Handlers handlers);
  ~TenantOwner();

  // Until stop(), or the lease is lost, or was not to be had. Once only.
  boost::asio::awaitable<void> run();

  // Ends run() in good order: the outbox flushed, a checkpoint left, the lease released. `why` is
  // what consumers read as the link's reason: shutting_down, lease_lost (moved for balance), or
  // link_not_needed (no longer configured: the tenant's record is erased too).
  void stop(base::Errc why);

  // Other settings from now on: the link is made anew, the lease and all that is known stay. Not if
  // keys or certificates of theirs are of no use, as they are while somebody replaces one after the
  // other: then those before go on.
  void reconfigure(std::shared_ptr<const TenantConfig> tenant);

 private:
  struct Gap {
    call::Book published;  // what consumers believe
    call::Time since;
    const char* reason;
    bool link;  // its state has changed since
  };
  struct Asked {
    std::string request_id;
    std::function<void(call::Reply)> done;
  };

  // The lease.
  boost::asio::awaitable<bool> take_lease();
  boost::asio::awaitable<void> keep_lease();
  bool fenced();
  void lose();

  // What was, from the checkpoint and the stream: tenant_restore.cc.
  boost::asio::awaitable<void> restore();
  boost::asio::awaitable<std::optional<wire::Checkpoint>> read_checkpoint();
  boost::asio::awaitable<base::Result<call::Book>> replay(wire::Checkpoint from);
  boost::asio::awaitable<void> keep_checkpoint();
  void stored_checkpoint(const EventPublisher::Stored& stored);
  boost::asio::awaitable<void> write_checkpoint(wire::Checkpoint checkpoint);

  // The link: tenant_linking.cc.
  boost::asio::awaitable<void> keep_link();
  boost::asio::awaitable<Ending> link_once();
  base::Result<std::shared_ptr<net::TlsContext>> tls(std::string& why);
  Outlets outlets();
  bool is_inbound() const { return !tenant_->path.empty(); }
  void receive(bool receives);
  bool adopt(Arrived& arrived);
  void set_link(call::LinkState state, const Ending* ending = nullptr,
                std::optional<TimePoint> retry_at = {});
  boost::asio::awaitable<void> keep_record();
  pbxgw::v1::TenantRecord record() const;

  // Events.
  void tell(const std::function<std::vector<call::Event>()>& make);
  void stored(const EventPublisher::Stored& stored);
  boost::asio::awaitable<void> heal();
  void count_gap(const call::StreamGap& gap);
  bool crowded() const;
  boost::asio::awaitable<void> pace();

  // Commands.
  bool submit(call::Command command, TimePoint limit, const std::string& request_id,
              std::function<void(call::Reply)> done);
  std::optional<wire::Failure> obstacle();

  // What the desks need: tenant_desks.cc.
  SignalDesk::Owner signal_owner();
  std::optional<wire::Failure> no_signal_for(const call::DeviceId& device);
  HistoryDesk::Owner history_owner();
  bool inquire(call::Inquiry inquiry, TimePoint limit,
               std::function<void(pbx::Inform::Answer)> done);
  base::Result<HistoryDesk::Way> way_to_recordings(std::string& why);
  LoginDesk::Owner login_owner();
  ProvisioningDesk::Owner provisioning_owner();
  bool order(const call::Order& order, TimePoint limit, std::function<void(call::OrderReply)> done);

  boost::asio::awaitable<void> let_go();
  boost::asio::awaitable<void> sleep(boost::asio::steady_timer& timer, TimePoint until);
  void spawn(boost::asio::awaitable<void> work);

  Shard& shard_;
  std::shared_ptr<const TenantConfig> tenant_;
  Handlers handlers_;
  VendorMetrics metrics_;
  std::minstd_rand random_;  // a few bytes: there is one for each tenant

  std::optional<bus::HeldLease> lease_;
  std::optional<call::Tracker> tracker_;
  std::unique_ptr<EventPublisher> publisher_;
  std::unique_ptr<SignalDesk> desk_;
  std::unique_ptr<CommandInbox> inbox_;
  std::unique_ptr<TenantLink> link_;
  std::shared_ptr<Redactor> redactor_;    // of the link there is, or of the last one
  std::shared_ptr<net::TlsContext> tls_;  // of tenant_, once it was to be had

  std::optional<base::Errc> stopping_;
  bool lost_ = false;     // the lease, for certain
  bool leaving_ = false;  // all that the lease was for is done
  bool reconfigured_ = false;
  unsigned running_ = 0;  // coroutines beside run()

  call::LinkEvent link_status_;
  call::Time link_since_{}, last_up_{};
  std::optional<TimePoint> up_since_;
  unsigned attempt_ = 0, quick_ends_ = 0;
  bool adopted_ = false;  // a PBX has dialled since the session began
  bool unverified_ = false;
  bool record_changed_ = false;

  TimePoint received_{};  // when the frame being handled arrived
  std::optional<Gap> gap_;
  EventPublisher::Stored last_stored_{};
  std::optional<wire::Checkpoint> pending_checkpoint_;
  std::uint64_t checkpointed_ = 0;  // sequence

  call::CommandId last_command_ = 0;
  std::map<call::CommandId, Asked> asked_;
  std::unique_ptr<HistoryDesk> history_desk_;
  call::InquiryId last_inquiry_ = 0;
  std::map<call::InquiryId, std::function<void(pbx::Inform::Answer)>> inquiries_;
  std::unique_ptr<LoginDesk> login_desk_;
  std::unique_ptr<ProvisioningDesk> provisioning_desk_;
  call::OrderId last_order_ = 0;
  std::map<call::OrderId, std::function<void(call::OrderReply)>> orders_;

  boost::asio::steady_timer wake_;  // the link loop: stop, or new settings
  boost::asio::steady_timer lease_timer_, record_timer_, checkpoint_timer_, heal_timer_,
      room_timer_;
  boost::asio::steady_timer idle_;  // cancelled when running_ changes
};

}  // namespace connector
