#include "unit/control/scripted_owners.h"

#include <stdexcept>

#include "control/answer.h"
#include "wire/events.h"
#include "wire/names.h"
#include "wire/subjects.h"
#include "wire/token.h"

namespace control {

namespace asio = boost::asio;
using base::TenantId;
using namespace pbxgw::v1;

namespace {

template <class T>
T checked(base::Result<T> result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class Things>
auto begin_after(const Things& things, const Query& query) {
  if (!query.id().empty()) return things.lower_bound(query.id());
  return things.upper_bound(query.after_id());
}

// The things asked for, in order, and whether there are more.
template <class Things, class Passes, class Add>
bool page(const Things& things, const Query& query, int most, Passes passes, Add add) {
  int count = 0;
  for (auto it = begin_after(things, query); it != things.end(); ++it) {
    if (!query.id().empty() && it->first != query.id()) break;
    if (!passes(it->second)) continue;
    if (count++ == most) return true;
    add(it->second);
  }
  return false;
}

bool concerns(const Call& call, const std::string& device) {
  if (device.empty()) return true;
  for (const auto& connection : call.connections()) {
    if (connection.party().device_id() == device) return true;
  }
  return false;
}

QueryResult result_of(const ScriptedOwners::Tenant& tenant, const Query& query) {
  QueryResult result;
  const int most = std::min(query.limit() > 0 ? query.limit() : 1, tenant.page_max);
  if (query.kind() == Query::KIND_CALLS) {
    result.set_more(page(
        tenant.calls, query, most,
        [&](const Call& call) { return concerns(call, query.device_id()); },
        [&](const Call& call) { *result.add_calls() = call; }));
  } else {
    result.set_more(page(
        tenant.devices, query, most, [](const Device&) { return true; },
        [&](const Device& device) { *result.add_devices() = device; }));
  }
  return result;
}

}  // namespace

ScriptedOwners::ScriptedOwners(const std::string& nats_url, std::int64_t events_per_subject)
    : events_per_subject_(events_per_subject) {
  bus::Options options;
  options.urls = {nats_url};
  options.name = "scripted owners";
  std::string why;
  connection_ = checked(bus::Connection::open(io_.get_executor(), options, why), "connect");
  requests_ = std::make_shared<bus::Requests>(connection_);
  jetstream_ = std::make_unique<bus::JetStream>(connection_);
  tenant_bucket_ = std::make_unique<bus::KvBucket>(requests_, wire::kTenantBucket);
  lease_bucket_ = std::make_unique<bus::KvBucket>(requests_, wire::kLeaseBucket);
  thread_ = std::thread([this] { io_.run(); });

  for (auto* bucket : {tenant_bucket_.get(), lease_bucket_.get()}) {
    bus::BucketConfig config;
    config.name = bucket->name();
    checked(await(bucket->ensure(config, why)), bucket->name());
  }
  make_stream();
}

ScriptedOwners::~ScriptedOwners() {
  on_thread([this] { tenants_.clear(); });
  await(connection_->close(bus::Duration(1'000)));
  work_.reset();
  io_.stop();
  thread_.join();
}

void ScriptedOwners::make_stream() {
  bus::StreamConfig config;
  config.name = wire::kEventStream;
  config.subjects = {wire::all_events()};
  config.storage = bus::Storage::memory;
  config.max_messages_per_subject = events_per_subject_;
  std::string why;
  checked(await(jetstream_->ensure_stream(config, why)), "stream");
}

void ScriptedOwners::delete_stream() {
  checked(await(jetstream_->delete_stream(wire::kEventStream)), "delete stream");
}

void ScriptedOwners::add(const std::string& tenant, bool owned) {
  TenantRecord record;
  record.mutable_tenant()->set_name(wire::tenant_name(TenantId(tenant)));
  record.mutable_tenant()->set_vendor("innova360");
  record.mutable_tenant()->set_owner("scripted");
  record.mutable_tenant()->mutable_link()->set_state(LINK_STATE_UP);
  auto& capability = *record.add_capabilities();
  capability.set_service(SERVICE_MAKE_CALL);
  capability.set_confirmation(CONFIRMATION_OBSERVED);
  checked(await(tenant_bucket_->put(wire::to_token(tenant), record.SerializeAsString())), "record");
  with(tenant, [](Tenant&) {});
  if (owned) own(tenant);
}

void ScriptedOwners::own(const std::string& tenant) {
  on_thread([&] {
    auto handler = [this, tenant](bus::Request request) { answer(tenant, std::move(request)); };
    tenants_[tenant].serving =
        checked(bus::serve(connection_, wire::command_subject(TenantId(tenant)), io_.get_executor(),
                           std::move(handler)),
                "serve");
  });
  // NATS handles what comes from one connection in order: once this is stored, the subscription
  // above is known.
  const auto revision = checked(
      await(lease_bucket_->put("tenant." + wire::to_token(tenant), "scripted/0123")), "lease");
  with(tenant, [=](Tenant& it) { it.lease_revision = revision; });
}

void ScriptedOwners::disown(const std::string& tenant) {
  const auto revision = with(tenant, [](Tenant& it) {
    it.serving = {};
    return it.lease_revision;
  });
  checked(await(lease_bucket_->erase("tenant." + wire::to_token(tenant), revision)), "release");
}

std::uint64_t ScriptedOwners::publish(const std::string& tenant, call::Event event) {
  with(tenant, [&](Tenant& it) {
    event.epoch = it.epoch;
    event.sequence = ++it.sequence;
  });
  publish_as_is(tenant, event);
  return event.sequence;
}

void ScriptedOwners::publish(const std::string& tenant, const std::vector<call::Event>& events) {
  std::vector<std::future<base::Result<std::string>>> acks;
  wire::EventEncoder encoder(TenantId(tenant), "test", wire::Format::protobuf);
  for (call::Event event : events) {
    with(tenant, [&](Tenant& it) {
      event.epoch = it.epoch;
      event.sequence = ++it.sequence;
    });
    std::string bytes(encoder.encode(event));
    acks.push_back(asio::co_spawn(io_,
                                  requests_->request(wire::event_subject(TenantId(tenant), event),
                                                     std::move(bytes), bus::Duration(20'000)),
                                  asio::use_future));
  }
  for (auto& ack : acks) checked(ack.get(), "publish");
}

void ScriptedOwners::publish_as_is(const std::string& tenant, const call::Event& event) {
  wire::EventEncoder encoder(TenantId(tenant), "test", wire::Format::protobuf);
  std::string bytes(encoder.encode(event));
  checked(await(requests_->request(wire::event_subject(TenantId(tenant), event), std::move(bytes),
                                   bus::Duration(20'000))),
          "publish");
}

void ScriptedOwners::answer_late(const std::string& tenant) {
  on_thread([&] {
    for (auto& request : std::exchange(tenants_[tenant].unanswered, {})) {
      answer(tenant, std::move(request));
    }
  });
}

void ScriptedOwners::answer(const std::string& name, bus::Request request) {
  Tenant& tenant = tenants_[name];
  OwnerRequest asked;
  const auto payload = request.payload();
  if (!asked.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
  tenant.heard.push_back(asked);
  if (tenant.silent) return tenant.unanswered.push_back(std::move(request));
  if (asked.has_signal() && tenant.on_signal) {
    return tenant.on_signal(asked.signal(), std::move(request));
  }
  OwnerReply reply;
  if (asked.has_query()) {
    if (const auto before = std::exchange(tenant.before_query, nullptr)) before(tenant);
    *reply.mutable_query_result() = result_of(tenant, asked.query());
    const bool found = reply.query_result().calls_size() + reply.query_result().devices_size() > 0;
    if (!asked.query().id().empty() && !found) {
      const bool is_call = asked.query().kind() == Query::KIND_CALLS;
      *reply.mutable_error() =
          refuse(is_call ? base::Errc::call_not_found : base::Errc::device_not_found);
    }
  } else if (tenant.on_command) {
    reply = tenant.on_command(asked);
  } else {
    reply.mutable_command_result();
  }
  reply.set_epoch(tenant.epoch);
  reply.set_sequence(tenant.sequence);
  request.respond(reply.SerializeAsString());
}

Call a_call(const std::string& tenant, const std::string& id,
            const std::vector<std::string>& devices) {
  Call call;
  call.set_name(wire::call_name(TenantId(tenant), base::CallId(id)));
  unsigned number = 0;
  for (const auto& device : devices) {
    auto& connection = *call.add_connections();
    connection.set_name(wire::connection_name(TenantId(tenant), base::CallId(id), ++number));
    connection.mutable_party()->set_device_id(device);
  }
  return call;
}

Device a_device(const std::string& tenant, const std::string& id) {
  Device device;
  device.set_name(wire::device_name(TenantId(tenant), base::DeviceId(id)));
  device.set_device_id(id);
  return device;
}

call::Event call_event(const std::string& call, const std::string& device,
                       call::CallEventType type) {
  call::Connection connection;
  connection.number = 1;
  connection.party.device = base::DeviceId(device);
  connection.party.kind = call::DeviceKind::extension;
  connection.state = call::ConnectionState::connected;
  connection.cause = call::Cause::normal;
  call::CallEvent body;
  body.type = type;
  body.call.id = base::CallId(call);
  body.call.connections.push_back(std::move(connection));
  body.connection = 1;
  call::Event event;
  event.body = std::move(body);
  return event;
}

call::Event device_event(const std::string& device, const std::string& name) {
  call::DeviceEvent body;
  body.device.id = base::DeviceId(device);
  body.device.name = name;
  call::Event event;
  event.body = std::move(body);
  return event;
}

call::Event link_event(call::LinkState state) {
  call::LinkEvent body;
  body.state = state;
  call::Event event;
  event.body = std::move(body);
  return event;
}

}  // namespace control
