// The link to the PBX: one session after the other, what each tells, and how consumers and
// operators see it.
#include <algorithm>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "connector/tenant_owner.h"
#include "telemetry/log.h"
#include "wire/commands.h"
#include "wire/events.h"
#include "wire/names.h"
#include "wire/time.h"
#include "wire/token.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;
using namespace std::chrono_literals;

namespace {

constexpr auto kLog = telemetry::log::Logger("tenant");
// Of quick ends in a row (see TenantConfig::quick_end).
constexpr unsigned kQuickEndsMax = 3;
constexpr auto kDuplicateRetry = 30s;
constexpr auto kRetry = 1s;  // of what needs NATS

TenantOwner::TimePoint now() { return std::chrono::steady_clock::now(); }
call::Time wall() { return std::chrono::system_clock::now(); }

call::Time wall_at(TenantOwner::TimePoint when) {
  return wall() + std::chrono::duration_cast<call::Time::duration>(when - now());
}

}  // namespace

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
  auto trusted = tls(why);
  if (trusted.has_error()) {
    Ending unusable;
    unusable.why = trusted.error();
    unusable.detail = why;
    co_return unusable;
  }
  options.tls = std::move(*trusted);
  redactor_ = redactor_ ? std::make_shared<Redactor>(tenant, *redactor_)
                        : std::make_shared<Redactor>(tenant);
  options.redactor = redactor_;
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

// Read once: its files may be gone for a moment when the link is lost.
base::Result<std::shared_ptr<net::TlsContext>> TenantOwner::tls(std::string& why) {
  if (tls_) return tls_;
  auto made = shard_.commons.tls.get(tenant_->tls, tenant_->tls_files, why);
  if (made.has_value()) tls_ = *made;
  return made;
}

Outlets TenantOwner::outlets() {
  Outlets outlets;
  outlets.heard = [this] {
    received_ = now();
    metrics_.frames.add();
    metrics_.frame_last.set(wall());
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
  outlets.fulfil = [this](call::OrderId id, call::OrderReply reply) {
    auto asked = orders_.extract(id);
    if (!asked.empty()) asked.mapped()(std::move(reply));
  };
  outlets.crowded = [this] { return crowded(); };
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

}  // namespace connector
