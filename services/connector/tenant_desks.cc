#include <string>
#include <utility>

#include "connector/tenant_owner.h"
#include "wire/names.h"

// What the desks need of the tenant: its session of just now, its settings, and why it cannot
// serve.
namespace connector {

using base::Errc;

// ---- Media clients.

SignalDesk::Owner TenantOwner::signal_owner() {
  SignalDesk::Owner owner;
  owner.tenant = tenant_->id;
  owner.obstacle = [this] { return obstacle(); };
  owner.refusal = [this](const call::DeviceId& device) { return no_signal_for(device); };
  owner.open = [this](call::SignalId id, const call::SignalOptions& options) {
    if (link_) link_->open_signal(id, options);
  };
  owner.say = [this](call::SignalId id, const call::FromClient& message) {
    if (link_) link_->signal(id, message);
  };
  owner.close = [this](call::SignalId id) {
    if (link_) link_->close_signal(id);
  };
  return owner;
}

std::optional<wire::Failure> TenantOwner::no_signal_for(const call::DeviceId& device) {
  const auto& row = tenant_->vendor->capabilities[static_cast<std::size_t>(call::Service::signal)];
  if (row.confirmation == call::Confirmation::none) {
    return wire::Failure{
        Errc::feature_not_supported, std::string(name_of(row.service)) + ": " + row.note, "", {}};
  }
  if (auto obstacle = this->obstacle()) return obstacle;
  if (tracker_->find(device)) return std::nullopt;
  const std::string name = wire::device_name(tenant_->id, device);
  return wire::Failure{Errc::device_not_found,
                       "The PBX has no device " + name + '.',
                       "",
                       {{"device", name}, {"resource", name}}};
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
  auto trusted = tls(why);
  if (trusted.has_error()) return trusted.error();
  way.tls = std::move(*trusted);
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

// ---- What the PBX is set up with.

ProvisioningDesk::Owner TenantOwner::provisioning_owner() {
  return {.tenant = tenant_->id,
          .epoch = lease_->lease().epoch,
          .capabilities = tenant_->vendor->capabilities,
          .obstacle = [this] { return obstacle(); },
          .order =
              [this](const call::Order& wanted, TimePoint limit,
                     std::function<void(call::OrderReply)> done) {
                return order(wanted, limit, std::move(done));
              }};
}

bool TenantOwner::order(const call::Order& order, TimePoint limit,
                        std::function<void(call::OrderReply)> done) {
  const auto id = ++last_order_;
  orders_[id] = std::move(done);
  if (link_->order(id, order, limit)) return true;
  orders_.erase(id);
  return false;
}

}  // namespace connector
