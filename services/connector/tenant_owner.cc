#include "connector/tenant_owner.h"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "telemetry/log.h"
#include "wire/commands.h"
#include "wire/events.h"
#include "wire/names.h"
#include "wire/subjects.h"
#include "wire/time.h"
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
// Of quick ends in a row (see TenantConfig::quick_end).
constexpr unsigned kQuickEndsMax = 3;
constexpr auto kDuplicateRetry = 30s;
constexpr auto kRetry = 1s;  // of what needs NATS
constexpr auto kHealEvery = 100ms;

TenantOwner::TimePoint now() { return std::chrono::steady_clock::now(); }
call::Time wall() { return std::chrono::system_clock::now(); }

call::Time wall_at(TenantOwner::TimePoint when) {
  return wall() + std::chrono::duration_cast<call::Time::duration>(when - now());
}

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
    if (renewed.has_value()) {
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

// ---- The link.

asio::awaitable<void> TenantOwner::keep_link() {
  while (!stopping_) {
    reconfigured_ = false;
    auto linking = link_once();
    Ending ending = co_await std::move(linking);
    if (stopping_) {
      ending.why = *stopping_;
      ending.detail.clear();
    }
    const bool was_up = up_since_.has_value();
    const auto up_for = was_up ? now() - *up_since_ : TimePoint::duration::zero();
    up_since_.reset();
    if (was_up) last_up_ = wall();
    if (was_up && up_for >= tenant_->quick_end) attempt_ = quick_ends_ = 0;
    // A PBX that dials us cannot be thrown out by another login, and decides itself when to try
    // again: nothing to wait for.
    const bool again = stopping_ || reconfigured_ || (is_inbound() && adopted_);
    if (was_up && up_for < tenant_->quick_end && !again && ++quick_ends_ >= kQuickEndsMax) {
      ending.why = Errc::login_duplicated;
      ending.retry_after =
          std::max(ending.retry_after.value_or(0ms), std::chrono::milliseconds(kDuplicateRetry));
    }
    auto delay = delay_of(tenant_->backoff, attempt_++, random_());
    delay = std::max(delay, ending.retry_after.value_or(0ms));
    if (again) {
      delay = 0ms;
      attempt_ = 0;
    }
    if (!stopping_ && !reconfigured_) {
      shard_.commons.metrics.link_reconnects.at({tenant_->vendor->name, base::name_of(ending.why)})
          .add();
    }
    kLog.info("link ended", {{"tenant", tenant_->id},
                             {"reason", ending.why},
                             {"detail", ending.detail},
                             {"retry_in", delay}});
    const auto retry_at = now() + delay;
    if (again && is_inbound() && !stopping_) {
      set_link(call::LinkState::awaiting_pbx, &ending);
    } else {
      set_link(call::LinkState::backing_off, &ending, retry_at);
    }
    while (!stopping_ && !reconfigured_ && now() < retry_at) {
      auto waiting = sleep(wake_, retry_at);
      co_await std::move(waiting);
    }
  }
}

// From the first attempt to connect to the end of one session.
asio::awaitable<Ending> TenantOwner::link_once() {
  const auto tenant = tenant_;  // of this link, whatever comes after
  adopted_ = false;
  if (!is_inbound()) {
    metrics_.attempts.add();
    set_link(call::LinkState::connecting);
  } else if (link_status_.state != call::LinkState::awaiting_pbx) {
    set_link(call::LinkState::awaiting_pbx);
  }

  LinkOptions options;
  options.limits = tenant->limits;
  options.commands_max = shard_.commons.config.commands_max;
  std::string why;
  auto tls = shard_.commons.tls.get(tenant->tls, why);
  if (tls.has_error()) {
    Ending unusable;
    unusable.why = tls.error();
    unusable.detail = why;
    co_return unusable;
  }
  options.tls = std::move(*tls);
  if (unverified_ != !tenant->tls.verify) {
    unverified_ = !tenant->tls.verify;
    metrics_.unverified.add(unverified_ ? 1 : -1);
  }
  if (unverified_) {
    kLog.warning("the PBX's certificate is not verified, as configured", {{"tenant", tenant->id}});
  }

  tracker_->begin_resync();
  link_ = std::make_unique<TenantLink>(shard_.executor(),
                                       tenant->vendor->make_session(tenant->settings, random_()),
                                       std::move(options), outlets());
  auto running = link_->run();
  Ending ending = co_await std::move(running);
  link_.reset();
  desk_->end_all(Errc::pbx_disconnected, ending.detail);
  co_return ending;
}

Outlets TenantOwner::outlets() {
  Outlets outlets;
  outlets.heard = [this] {
    received_ = now();
    metrics_.frames.add();
  };
  outlets.stage = [this](call::LinkState state) {
    if (state != call::LinkState::awaiting_pbx || state != link_status_.state) set_link(state);
  };
  outlets.ready = [this] {
    tell([this] { return tracker_->end_resync({wall(), {}, ""}); });
    up_since_ = now();
    set_link(call::LinkState::up);
  };
  outlets.observe = [this](const pbx::Observe& it) {
    call::Context context{wall(), {}, ""};
    if (it.caused_by) {
      if (const auto asked = asked_.find(*it.caused_by); asked != asked_.end()) {
        context.request_id = asked->second.request_id;
      }
    }
    tell([&] { return tracker_->apply(it.seen, context); });
  };
  outlets.answer = [this](call::CommandId id, call::Reply reply) {
    auto asked = asked_.extract(id);
    if (!asked.empty()) asked.mapped().done(std::move(reply));
  };
  outlets.note = [this](const pbx::Note& note) {
    shard_.commons.metrics.frame_errors.at({tenant_->vendor->name, base::name_of(note.what)}).add();
    if (const auto suppressed = shard_.commons.notes.pass(tenant_->id.str(), now())) {
      kLog.warning("note", {{"tenant", tenant_->id},
                            {"error", note.what},
                            {"detail", note.detail},
                            {"suppressed", *suppressed}});
    }
  };
  outlets.inform = [this](call::InquiryId id, pbx::Inform::Answer answer) {
    auto asked = inquiries_.extract(id);
    if (!asked.empty()) asked.mapped()(std::move(answer));
  };
  outlets.crowded = [this] { return publisher_->depth() >= kCrowdedDepth; };
  outlets.pace = [this] { return pace(); };
  outlets.signal = [this](const pbx::Signal& it) { desk_->said(it); };
  outlets.end_signal = [this](const pbx::EndSignal& it) { desk_->ended(it); };
  outlets.receives = [this](bool receives) { receive(receives); };
  outlets.linked = [this](std::set<std::string> pbxs) {
    if (handlers_.linked) handlers_.linked(std::move(pbxs));
  };
  return outlets;
}

void TenantOwner::receive(bool receives) {
  if (!receives) {
    shard_.lobby.leave(tenant_->id);
  } else if (is_inbound()) {
    shard_.lobby.serve(tenant_->id, [this](Arrived& it) { return adopt(it); });
  }
}

// Not one that was let in by other settings than ours: either it or we are late.
bool TenantOwner::adopt(Arrived& arrived) {
  if (arrived.digest != tenant_->digest) return false;
  adopted_ = true;
  metrics_.attempts.add();
  link_->adopt(std::move(arrived.socket), std::move(arrived.arrival), std::move(arrived.guest));
  return true;
}

void TenantOwner::set_link(call::LinkState state, const Ending* ending,
                           std::optional<TimePoint> retry_at) {
  metrics_.link_moved(link_status_.state, state);
  received_ = now();  // not from the PBX
  if (state != link_status_.state) link_since_ = wall();
  link_status_.state = state;
  // While it is tried again, the reason of the last failure stays the one worth knowing.
  if (ending) {
    link_status_.reason = base::name_of(ending->why);
    link_status_.detail = ending->detail.empty() ? ending->why.message() : ending->detail;
  } else if (state == call::LinkState::up) {
    link_status_.reason.clear();
    link_status_.detail.clear();
    kLog.info("link up", {{"tenant", tenant_->id}});
  }
  link_status_.retry_at.reset();
  if (retry_at) link_status_.retry_at = wall_at(*retry_at);
  tell([this] { return tracker_->link(link_status_, {wall(), {}, ""}); });
  if (gap_) gap_->link = true;
  record_changed_ = true;
  record_timer_.cancel();
}

pbxgw::v1::TenantRecord TenantOwner::record() const {
  pbxgw::v1::TenantRecord record;
  auto& tenant = *record.mutable_tenant();
  tenant.set_name(wire::tenant_name(tenant_->id));
  tenant.set_display_name(tenant_->title);
  tenant.set_vendor(tenant_->vendor->name);
  tenant.set_owner(shard_.commons.config.instance);
  tenant.set_epoch(lease_->lease().epoch);
  *tenant.mutable_link() = wire::to_proto(link_status_, link_since_);
  if (last_up_ != call::Time{} || up_since_) {
    wire::to_proto(up_since_ ? wall() : last_up_, *tenant.mutable_link()->mutable_last_up_time());
  }
  *record.mutable_capabilities() =
      wire::to_proto(tenant_->id, tenant_->vendor->name, tenant_->vendor->capabilities)
          .capabilities();
  return record;
}

// Keeps the tenant's record in the KV bucket as it is here: what GetTenant tells.
asio::awaitable<void> TenantOwner::keep_record() {
  while (!stopping_) {
    if (!record_changed_) {
      auto waiting = sleep(record_timer_, TimePoint::max());
      co_await std::move(waiting);
      continue;
    }
    record_changed_ = false;
    auto putting =
        shard_.tenants->put(wire::to_token(tenant_->id.str()), record().SerializeAsString());
    const auto put = co_await std::move(putting);
    if (put.has_error()) {
      record_changed_ = true;
      auto waiting = sleep(record_timer_, now() + kRetry);
      co_await std::move(waiting);
    }
  }
}

// ---- Events.

// What `make` returns is published, or is part of a gap.
template <class Make>
void TenantOwner::tell(Make make) {
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
  shard_.commons.metrics.gaps.at({gap.reason}).add();
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

// ---- The past.

HistoryDesk::Owner TenantOwner::history_owner() {
  return {.tenant = tenant_->id,
          .epoch = lease_->lease().epoch,
          .capabilities = tenant_->vendor->capabilities,
          .obstacle = [this] { return obstacle(); },
          .ask =
              [this](call::Inquiry inquiry, TimePoint limit,
                     std::function<void(pbx::Inform::Answer)> done) {
                return inquire(std::move(inquiry), limit, std::move(done));
              },
          .way = [this](std::string& why) { return way_to_recordings(why); }};
}

bool TenantOwner::inquire(call::Inquiry inquiry, TimePoint limit,
                          std::function<void(pbx::Inform::Answer)> done) {
  const auto id = ++last_inquiry_;
  inquiries_[id] = std::move(done);
  if (link_->inquire(id, std::move(inquiry), limit)) return true;
  inquiries_.erase(id);
  return false;
}

base::Result<HistoryDesk::Way> TenantOwner::way_to_recordings(std::string& why) {
  HistoryDesk::Way way;
  static_cast<net::DialLimits&>(way.limits) = tenant_->limits;
  way.limits.body_bytes_max = shard_.commons.config.recording_bytes_max;
  way.limits.total = shard_.commons.config.recording_time_max;
  auto tls = shard_.commons.tls.get(tenant_->tls, why);
  if (tls.has_error()) return tls.error();
  way.tls = std::move(*tls);
  return way;
}

// ---- Logins for browsers.

LoginDesk::Owner TenantOwner::login_owner() {
  return {.tenant = tenant_->id,
          .vendor = tenant_->vendor,
          .settings = [this]() -> const pbx::Settings& { return tenant_->settings; },
          .obstacle = [this]() -> std::optional<wire::Failure> {
            if (!fenced()) return std::nullopt;
            return wire::Failure{Errc::owner_moving, "", "", {}};
          }};
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
