#include "connector/tenant_owner.h"
#include "wire/names.h"

// Media clients: between their streams at the desk and the session that the link has just now.
namespace connector {

using base::Errc;

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

}  // namespace connector
