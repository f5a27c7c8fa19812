#include "unit/connector/scripted_pbx.h"

#include <array>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

namespace connector {

namespace asio = boost::asio;

std::span<const call::Capability> every_capability() {
  static const auto kAll = [] {
    std::array<call::Capability, call::kServiceCount> all;
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = {static_cast<call::Service>(i), call::Confirmation::observed, ""};
    }
    return all;
  }();
  return kAll;
}

ScriptedPbx* ScriptedPbx::current_ = nullptr;

ScriptedPbx::ScriptedPbx() {
  current_ = this;
  const auto answer = [](const net::HttpRequest&) -> asio::awaitable<net::HttpServer::Answer> {
    co_return net::HttpServer::Accept{};
  };
  server_ = std::make_unique<net::HttpServer>(
      std::vector<asio::any_io_executor>{io_.get_executor()}, net::HttpServerOptions{}, answer,
      [this](net::HttpRequest, net::WebSocket socket) { return serve(std::move(socket)); });
  script_.port = std::to_string(server_->port());
  script_.on_open = [this](pbx::LinkId) {
    ++links_;
    if (stalled_) return pbx::Effects{pbx::Stage{call::LinkState::logging_in}};
    auto effects = snapshot();
    effects.insert(effects.begin(), pbx::Stage{call::LinkState::synchronizing});
    effects.push_back(pbx::Ready{});
    return effects;
  };
  script_.on_text = [this](pbx::LinkId, std::string_view text) {
    const std::lock_guard lock(mutex_);
    return said_.at(std::string(text));
  };
  script_.on_command = [this](call::CommandId id) {
    ++commands_;
    std::function<pbx::Effects(call::CommandId)> act;
    {
      const std::lock_guard lock(mutex_);
      act = act_;
    }
    return act ? act(id) : pbx::Effects{};
  };
  script_.on_inquiry = [this](call::InquiryId id, const call::Inquiry& inquiry) {
    Inquired act;
    {
      const std::lock_guard lock(mutex_);
      act = inquired_;
    }
    return act ? act(id, inquiry) : pbx::Effects{};
  };
  script_.on_order = [this](call::OrderId id, const call::Order& order) {
    Ordered act;
    {
      const std::lock_guard lock(mutex_);
      act = ordered_;
    }
    return act ? act(id, order) : pbx::Effects{};
  };
  thread_ = std::thread([this] { io_.run(); });
}

ScriptedPbx::~ScriptedPbx() {
  server_->stop();
  work_.reset();
  thread_.join();
  current_ = nullptr;
}

const pbx::Vendor& ScriptedPbx::vendor() const {
  static const pbx::Vendor kVendor{"scripted", "Scripted", {}, every_capability(), &make_session};
  return kVendor;
}

const pbx::Vendor& ScriptedPbx::other_vendor() const {
  static const pbx::Vendor kVendor{"other", "Other", {}, every_capability(), &make_session};
  return kVendor;
}

std::unique_ptr<pbx::Session> ScriptedPbx::make_session(const pbx::Settings&, std::uint64_t) {
  return std::make_unique<FakeSession>(current_->script_);
}

void ScriptedPbx::has(call::CallView call) {
  const std::lock_guard lock(mutex_);
  calls_.insert_or_assign(call.key, call);
}

void ScriptedPbx::has(const call::Device& device) {
  const std::lock_guard lock(mutex_);
  devices_.insert_or_assign(device.id, device);
}

void ScriptedPbx::lost(const std::string& call_key) {
  const std::lock_guard lock(mutex_);
  calls_.erase(call_key);
}

pbx::Effects ScriptedPbx::snapshot() {
  call::DevicesSeen devices;
  call::CallsSeen calls;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, device] : devices_) devices.devices.push_back(device);
  for (const auto& [key, call] : calls_) calls.calls.push_back(call);
  return {pbx::Observe{std::move(devices), {}}, pbx::Observe{std::move(calls), {}}};
}

void ScriptedPbx::tell() { say(snapshot()); }

void ScriptedPbx::say(pbx::Effects effects) {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    name = std::to_string(++last_said_);
    said_[name] = std::move(effects);
  }
  // In order, since one is written before the next can be said.
  auto write = [this, name]() -> asio::awaitable<void> {
    const auto sockets = sockets_;
    for (const auto& socket : sockets) co_await socket->write(name);
  };
  asio::co_spawn(io_, write(), asio::use_future).get();
}

void ScriptedPbx::on_command(std::function<pbx::Effects(call::CommandId)> act) {
  const std::lock_guard lock(mutex_);
  act_ = std::move(act);
}

void ScriptedPbx::on_inquiry(Inquired act) {
  const std::lock_guard lock(mutex_);
  inquired_ = std::move(act);
}

void ScriptedPbx::on_order(Ordered act) {
  const std::lock_guard lock(mutex_);
  ordered_ = std::move(act);
}

void ScriptedPbx::hang_up() {
  auto close = [this]() -> asio::awaitable<void> {
    const auto sockets = sockets_;
    for (const auto& socket : sockets) co_await socket->close();
  };
  asio::co_spawn(io_, close(), asio::use_future).get();
}

asio::awaitable<void> ScriptedPbx::serve(net::WebSocket opened) {
  // Shared with what is writing to it, or closing it, when it ends.
  const auto socket = std::make_shared<net::WebSocket>(std::move(opened));
  sockets_.push_back(socket);
  for (;;) {
    const auto text = co_await socket->read();
    if (text.has_error()) break;
  }
  sockets_.remove(socket);
}

call::CallView a_call(const std::string& key, const std::string& from, const std::string& to,
                      call::ConnectionState state) {
  call::CallView view;
  view.key = key;
  for (const auto& [device, role] :
       {std::pair(from, call::Role::calling), std::pair(to, call::Role::called)}) {
    call::Leg leg;
    leg.id = key + "/" + device;
    leg.party.device = base::DeviceId(device);
    leg.party.kind = call::DeviceKind::extension;
    leg.role = role;
    leg.state = state;
    view.legs.push_back(std::move(leg));
  }
  return view;
}

call::Device a_device(const std::string& id, const std::string& name) {
  call::Device device;
  device.id = base::DeviceId(id);
  device.name = name;
  device.controllable = true;
  return device;
}

}  // namespace connector
