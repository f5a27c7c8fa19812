#include "connector/tenant_owner.h"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "telemetry/log.h"
#include "wire/token.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;
using namespace std::chrono_literals;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr auto kLog = telemetry::log::Logger("tenant");

// Events of one tenant that may wait before its PBX is slowed down; and for how long at most,
// because a PBX that is not read does not see its pings answered either.
constexpr std::size_t kCrowdedDepth = 1'000;
constexpr auto kPaceMax = 1s;
constexpr auto kHealEvery = 100ms;

TenantOwner::TimePoint now() { return std::chrono::steady_clock::now(); }
call::Time wall() { return std::chrono::system_clock::now(); }

std::string lease_name(const base::TenantId& tenant) {
  return "tenant." + wire::to_token(tenant.str());
}

}  // namespace

TenantOwner::TenantOwner(Shard& shard, std::shared_ptr<const TenantConfig> tenant,
                         Handlers handlers)
    : shard_(shard),
      tenant_(std::move(tenant)),
      handlers_(std::move(handlers)),
      metrics_(shard.commons.metrics, tenant_->vendor->name),
      random_(std::random_device{}()),
      wake_(shard.executor()),
      lease_timer_(shard.executor()),
      record_timer_(shard.executor()),
      checkpoint_timer_(shard.executor()),
      heal_timer_(shard.executor()),
      room_timer_(shard.executor()),
      idle_(shard.executor(), TimePoint::max()) {
  link_status_.state = call::LinkState::unowned;
}

TenantOwner::~TenantOwner() {
  metrics_.link_moved(link_status_.state, call::LinkState::unowned);
  if (unverified_) metrics_.unverified.add(-1);
}

asio::awaitable<void> TenantOwner::run() {
  auto taking = take_lease();
  if (!co_await std::move(taking)) co_return;
  handlers_.held();
  spawn(keep_lease());

  tracker_.emplace(tenant_->vendor->capabilities, lease_->lease().epoch);
  auto restoring = restore();
  co_await std::move(restoring);
  publisher_ = std::make_unique<EventPublisher>(
      *shard_.publisher, tenant_->id, shard_.commons.config, shard_.commons.outbox_bytes,
      EventPublisher::Handlers{
          .stored = [this](const EventPublisher::Stored& it) { stored(it); },
          .may_send = [this] { return !fenced(); },
          .refused =
              [this](std::uint64_t first, std::uint64_t last) {
                call::StreamGap gap{first, last, wall(), wall(), "event_too_big"};
                count_gap(gap);
                tell([&] { return tracker_->heal(tracker_->book(), gap, {wall(), {}, ""}); });
              }});
  SignalDesk::Limits signal_limits;
  signal_limits.streams_max = shard_.commons.config.signals_max;
  desk_ = std::make_unique<SignalDesk>(shard_.executor(), signal_owner(), signal_limits,
                                       shard_.commons.metrics);
  history_desk_ =
      std::make_unique<HistoryDesk>(shard_.executor(), history_owner(),
                                    history_limits(shard_.commons.config), shard_.commons.metrics);
  login_desk_ = std::make_unique<LoginDesk>(login_owner(), login_limits(shard_.commons.config),
                                            shard_.commons.metrics);
  provisioning_desk_ = std::make_unique<ProvisioningDesk>(
      shard_.executor(), provisioning_owner(), ProvisioningDesk::Limits(), *shard_.request_log,
      shard_.commons.metrics);
  inbox_ = std::make_unique<CommandInbox>(
      shard_.connection, shard_.executor(),
      CommandInbox::Owner{
          .tenant = tenant_->id,
          .epoch = lease_->lease().epoch,
          .tracker = &*tracker_,
          .obstacle = [this] { return obstacle(); },
          .submit =
              [this](call::Command command, TimePoint limit, const std::string& request_id,
                     std::function<void(call::Reply)> done) {
                return submit(std::move(command), limit, request_id, std::move(done));
              },
          .signal = [this](const pbxgw::v1::SignalCommand& asked,
                           SignalDesk::Done done) { desk_->take(asked, std::move(done)); },
          .history =
              [this](const pbxgw::v1::HistoryRequest& request, TimePoint limit,
                     std::function<void(pbxgw::v1::OwnerReply)> done) {
                history_desk_->take(request, limit, std::move(done));
              },
          .sign =
              [this](const pbxgw::v1::SignRequest& request) {
                return login_desk_->take(request, now());
              },
          .order =
              [this](const pbxgw::v1::OwnerRequest& request, TimePoint limit,
                     std::function<void(pbxgw::v1::OwnerReply)> done) {
                provisioning_desk_->take(request, limit, std::move(done));
              }},
      *shard_.request_log, shard_.commons.metrics);
  if (!stopping_) {
    if (const auto opened = inbox_->open(); opened.has_error()) {
      kLog.error("commands cannot be taken", {{"tenant", tenant_->id}, {"error", opened.error()}});
    }
    spawn(keep_record());
    spawn(keep_checkpoint());
    auto linking = keep_link();
    co_await std::move(linking);
  }
  auto leaving = let_go();
  co_await std::move(leaving);
}

void TenantOwner::stop(base::Errc why) {
  if (stopping_) return;
  stopping_ = why;
  reconfigured_ = false;
  if (inbox_) inbox_->close();
  if (desk_) desk_->end_all(why == Errc::shutting_down ? why : Errc::owner_moving, "");
  if (history_desk_) history_desk_->close();
  if (link_) link_->end({why, "", {}});
  wake_.cancel();
  for (auto* timer : {&record_timer_, &checkpoint_timer_, &heal_timer_, &room_timer_})
    timer->cancel();
}

void TenantOwner::reconfigure(std::shared_ptr<const TenantConfig> tenant) {
  if (tenant->vendor != tenant_->vendor) {
    // What it can do was learnt when the lease was taken: it has to be taken anew.
    stop(Errc::link_not_needed);
    reconfigured_ = true;
    return;
  }
  std::string why;
  auto tls = shard_.commons.tls.get(tenant->tls, tenant->tls_files, why);
  if (tls.has_error() && tls_ && tenant->path.empty()) {
    shard_.commons.metrics.config_reload_failures.add();
    shard_.commons.metrics.certificate_reloads.at({"pbx", "refused"}).add();
    kLog.error("keys or certificates cannot be used: going on with the settings before",
               {{"tenant", tenant_->id}, {"detail", why}});
    return;
  }
  tls_ = tls.has_value() ? std::move(*tls) : nullptr;
  tenant_ = std::move(tenant);
  reconfigured_ = true;
  record_changed_ = true;
  record_timer_.cancel();
  if (link_) link_->end({Errc::link_not_needed, "the configuration has changed", {}});
  wake_.cancel();
}

// Everything that run() began ends here, in the order in which consumers should see it end.
asio::awaitable<void> TenantOwner::let_go() {
  const bool lost = stopping_ == Errc::lease_lost && fenced();
  const auto until = now() + shard_.commons.config.drain_limit;
  // Even without the lease: whoever asked waits, and what answers them asks this owner.
  auto answering = inbox_->drained();
  co_await std::move(answering);
  auto fulfilling = provisioning_desk_->drained();
  co_await std::move(fulfilling);
  if (!lost) {
    // What was lost is said first. heal() does not wait for room any more.
    while (gap_ && !fenced()) co_await idle_.async_wait(kTuple);
    auto draining =
        publisher_->drained(std::chrono::duration_cast<std::chrono::milliseconds>(until - now()));
    const bool drained = co_await std::move(draining);
    if (!drained) {
      kLog.warning("events left unpublished",
                   {{"tenant", tenant_->id}, {"events", publisher_->depth()}});
    } else if (last_stored_.sequence > checkpointed_ && !gap_) {
      wire::Checkpoint last{tracker_->book(), last_stored_.stream_sequence};
      auto writing = write_checkpoint(std::move(last));
      co_await std::move(writing);
    }
    if (stopping_ == Errc::link_not_needed && !reconfigured_) {
      auto reading = shard_.tenants->get(wire::to_token(tenant_->id.str()));
      const auto entry = co_await std::move(reading);
      if (entry.has_value()) {
        auto erasing = shard_.tenants->erase(entry->key, entry->revision);
        co_await std::move(erasing);
      }
    }
  }
  // The coroutines beside: each looks at stopping_, or leaving_, when it wakes.
  leaving_ = true;
  lease_timer_.cancel();
  while (running_ > 0) co_await idle_.async_wait(kTuple);
  if (!lost) {
    auto releasing = shard_.lease_store->release(lease_name(tenant_->id), lease_->lease());
    co_await std::move(releasing);
  }
  kLog.info("tenant let go", {{"tenant", tenant_->id}, {"reason", *stopping_}});
}

// ---- The lease.

asio::awaitable<bool> TenantOwner::take_lease() {
  const auto asked = now();
  auto acquiring = shard_.lease_store->acquire(lease_name(tenant_->id));
  const auto lease = co_await std::move(acquiring);
  if (lease.has_error()) co_return false;
  lease_.emplace(*lease, lease_times(shard_.commons.config), asked, random_());
  shard_.commons.metrics.lease_taken.add();
  shard_.commons.metrics.lease_held.add(1);
  shard_.commons.metrics.lease_success.set(wall());
  kLog.info("tenant taken", {{"tenant", tenant_->id}, {"epoch", lease->epoch}});
  co_return true;
}

asio::awaitable<void> TenantOwner::keep_lease() {
  const std::string name = lease_name(tenant_->id);
  // Renewed until the very end: letting go may take its time too.
  while (!leaving_) {
    auto waiting = sleep(lease_timer_, std::min(lease_->renew_at(), lease_->fence_at()));
    co_await std::move(waiting);
    if (fenced()) break;
    if (now() < lease_->renew_at()) continue;  // woken to look at leaving_
    const auto asked = now();
    auto renewing = shard_.lease_store->renew(name, lease_->lease());
    const auto renewed = co_await std::move(renewing);
    shard_.commons.metrics.lease_renew.observe(now() - asked);
    if (renewed.has_error()) shard_.commons.metrics.lease_renew_failures.add();
    if (renewed.has_value()) {
      shard_.commons.metrics.lease_success.set(wall());
      if (!lease_->renewed(*renewed, asked, now(), random_())) break;
    } else if (renewed.error() == Errc::lease_lost) {
      lose();
      break;
    } else {
      lease_->failed(now(), random_());
    }
  }
  shard_.commons.metrics.lease_held.add(-1);
  if (fenced()) lose();
}

bool TenantOwner::fenced() { return lost_ || lease_->fenced(now()); }

void TenantOwner::lose() {
  if (lost_) return;
  lost_ = true;
  shard_.commons.metrics.lease_lost.add();
  kLog.warning("lease lost", {{"tenant", tenant_->id}, {"epoch", lease_->lease().epoch}});
  stop(Errc::lease_lost);
}

// ---- Events.

// What `make` returns is published, or is part of a gap.
void TenantOwner::tell(const std::function<std::vector<call::Event>()>& make) {
  if (!gap_) {
    if (const char* full = publisher_->full(now())) {
      gap_ = Gap{tracker_->book(), wall(), full, false};
      kLog.warning("outbox full: events are lost from here on",
                   {{"tenant", tenant_->id}, {"reason", full}, {"events", publisher_->depth()}});
      spawn(heal());
    }
  }
  const std::vector<call::Event> events = make();
  for (const call::Event& event : events) metrics_.count(event);
  if (!gap_) publisher_->publish(events, received_);
}

void TenantOwner::count_gap(const call::StreamGap& gap) {
  const Metrics& metrics = shard_.commons.metrics;
  metrics.gaps.at({gap.reason}).add();
  metrics.events_lost.at({gap.reason})
      .add(static_cast<double>(gap.last_sequence - gap.first_sequence + 1));
}

// Ends the gap once there is room: says what was lost, then what has become of the rest.
asio::awaitable<void> TenantOwner::heal() {
  while (!stopping_ && !publisher_->has_half(now())) {
    auto waiting = sleep(heal_timer_, now() + kHealEvery);
    co_await std::move(waiting);
  }
  if (fenced() || !gap_) co_return;
  const Gap gap = std::move(*gap_);
  gap_.reset();
  const auto lost = tracker_->book().sequence - gap.published.sequence;
  if (lost == 0) co_return;
  const call::StreamGap said{gap.published.sequence + 1, tracker_->book().sequence, gap.since,
                             wall(), gap.reason};
  auto events = tracker_->heal(gap.published, said, {wall(), {}, ""});
  if (gap.link) {
    for (auto& event : tracker_->link(link_status_, {wall(), {}, ""})) {
      events.push_back(std::move(event));
    }
  }
  for (const call::Event& event : events) metrics_.count(event);
  count_gap(said);
  kLog.warning(
      "events were lost",
      {{"tenant", tenant_->id}, {"first", said.first_sequence}, {"last", said.last_sequence}});
  publisher_->publish(events, now());
}

void TenantOwner::stored(const EventPublisher::Stored& it) {
  last_stored_ = it;
  shard_.commons.metrics.frame_to_ack.observe(now() - it.received);
  stored_checkpoint(it);
  if (publisher_->depth() == kCrowdedDepth / 2) room_timer_.cancel();
}

bool TenantOwner::crowded() const { return publisher_->depth() >= kCrowdedDepth; }

// Slows the PBX down while it talks faster than NATS listens. Not while NATS is away: then the
// outbox is what it is for.
asio::awaitable<void> TenantOwner::pace() {
  const auto until = now() + kPaceMax;
  while (!stopping_ && shard_.connection->connected() && publisher_->depth() > kCrowdedDepth / 2 &&
         now() < until) {
    auto waiting = sleep(room_timer_, until);
    co_await std::move(waiting);
  }
}

// ---- Commands.

std::optional<wire::Failure> TenantOwner::obstacle() {
  if (fenced()) return wire::Failure{Errc::owner_moving, "", "", {}};
  if (stopping_) return wire::Failure{Errc::shutting_down, "", "", {}};
  if (!link_ || !up_since_) {
    std::string detail = std::string("the link to the PBX is ") + name_of(link_status_.state);
    if (!link_status_.detail.empty()) detail += ": " + link_status_.detail;
    return wire::Failure{
        Errc::pbx_disconnected, detail, "", {{"link_reason", link_status_.reason}}};
  }
  return std::nullopt;
}

bool TenantOwner::submit(call::Command command, TimePoint limit, const std::string& request_id,
                         std::function<void(call::Reply)> done) {
  const auto id = ++last_command_;
  asked_[id] = {request_id, std::move(done)};
  received_ = now();
  if (link_->submit(id, std::move(command), limit)) return true;
  asked_.erase(id);
  return false;
}

// ---- Coroutines.

asio::awaitable<void> TenantOwner::sleep(asio::steady_timer& timer, TimePoint until) {
  timer.expires_at(until);
  co_await timer.async_wait(kTuple);
}

// Counts `work` in, so that run() outlives it.
void TenantOwner::spawn(asio::awaitable<void> work) {
  ++running_;
  asio::co_spawn(shard_.executor(), std::move(work), [this](std::exception_ptr thrown) {
    --running_;
    idle_.cancel();
    if (thrown) std::rethrow_exception(thrown);
  });
}

}  // namespace connector
