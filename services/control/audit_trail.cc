#include "control/audit_trail.h"

#include <array>
#include <random>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include "telemetry/log.h"
#include "wire/audit.h"
#include "wire/events.h"
#include "wire/names.h"

namespace control {

namespace asio = boost::asio;
using base::Errc;
using pbxgw::v1::AuditRecord;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

namespace {

constexpr telemetry::log::Logger kLog("audit");
constexpr milliseconds kRetry{1'000};
constexpr std::size_t kLanes = 16;
// Records are mostly a quarter of that: so what one subject may hold, be it a tenant's or the
// strangers', is about a quarter of the stream.
constexpr std::int64_t kBytesPerSubjectsMessage = 4 << 10;

// Told apart from every other process on any machine, and readable.
std::string name_of_instance() {
  std::array<char, 128> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return std::string(host.data()) + '.' + std::to_string(getpid());
}

// Records of processes that had the same name one after another must not be taken for copies.
std::string chance() {
  std::random_device device;
  std::string out;
  for (int word = 0; word < 2; ++word) {
    auto bits = device();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4) out += "0123456789abcdef"[bits & 15];
  }
  return out + '.';
}

bus::PublisherOptions publisher_options(const AuditOptions& options) {
  bus::PublisherOptions out;
  out.stream = options.stream;
  out.lane = options.lane;
  out.bytes_max = options.bytes_max;
  return out;
}

void log_record(const AuditRecord& record) {
  kLog.info("audit", {{"principal", record.principal()},
                      {"subject", record.subject()},
                      {"credential", record.credential()},
                      {"address", record.address()},
                      {"rpc", record.rpc()},
                      {"tenant", record.tenant()},
                      {"resource", record.resource()},
                      {"request_id", record.request_id()},
                      {"action", record.action()},
                      {"destination", record.destination()},
                      {"app", record.app()},
                      {"user", record.user()},
                      {"begun", record.begun()},
                      {"code", record.code()},
                      {"reason", record.reason()},
                      {"admitted", record.admitted()},
                      {"left_out", record.left_out()},
                      {"traceparent", record.traceparent()}});
}

}  // namespace

AuditTrail::AuditTrail(bus::JetStream& jetstream, const Directory& directory,
                       const Metrics& metrics, AuditOptions options)
    : jetstream_(jetstream),
      directory_(directory),
      metrics_(metrics),
      options_(std::move(options)),
      executor_(jetstream.connection()->executor()),
      instance_(name_of_instance()),
      id_prefix_(chance()),
      publisher_(jetstream.connection(), publisher_options(options_)),
      wake_(executor_),
      refusals_(options_.refusals, options_.strangers_refusals) {
  for (std::size_t i = 0; i < kLanes; ++i) {
    bus::Lane::Handlers handlers;
    handlers.on_loss = [this](const bus::Loss& loss) { lose(loss.count, base::name_of(loss.why)); };
    lanes_.push_back(publisher_.open_lane(std::move(handlers)));
  }
}

AuditTrail::~AuditTrail() = default;

void AuditTrail::start(std::function<void()> on_mismatch) {
  asio::co_spawn(executor_, keep_stream(std::move(on_mismatch)), asio::detached);
}

void AuditTrail::stop() {
  stopped_ = true;
  wake_.cancel();
}

asio::awaitable<void> AuditTrail::keep_stream(std::function<void()> on_mismatch) {
  bus::StreamConfig config;
  config.name = options_.stream;
  config.subjects = {wire::all_audit()};
  config.max_age = options_.max_age;
  config.max_bytes = options_.max_bytes;
  config.max_messages_per_subject = options_.max_bytes / kBytesPerSubjectsMessage;
  config.replicas = options_.replicas;
  while (!stopped_) {
    std::string why;
    auto adapting = jetstream_.adapt_stream(config, why);
    const auto done = co_await std::move(adapting);
    if (stopped_) co_return;
    if (done.has_value()) {
      if (*done == bus::Fit::adapted) {
        kLog.warning("the stream of audit records has our limits now",
                     {{"stream", config.name}, {"detail", why}});
      }
      if (*done == bus::Fit::other) {
        kLog.warning(
            "the stream of audit records keeps other limits than our settings say: an operator has "
            "to edit it (nats stream edit)",
            {{"stream", config.name}, {"detail", why}});
      }
      co_return;
    }
    if (done.error() == Errc::config_mismatch) {
      kLog.error(
          "NATS holds a stream of audit records that cannot be made ours: back it up and delete it "
          "there",
          {{"stream", config.name}, {"detail", why}});
      on_mismatch();
      co_return;
    }
    kLog.warning("waiting for JetStream", {{"error", done.error()}, {"detail", why}});
    wake_.expires_after(kRetry);
    co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void AuditTrail::tick(steady_clock::time_point now) {
  std::vector<AuditRecord> records;
  {
    const std::lock_guard lock(mutex_);
    records = refusals_.take(now);
  }
  for (AuditRecord& record : records) write(std::move(record));
}

asio::awaitable<void> AuditTrail::drained(milliseconds limit) {
  // Whatever was noted before is in its lane once this is done.
  co_await asio::post(executor_, asio::use_awaitable);
  auto draining = publisher_.drained(limit);
  const bool is_empty = co_await std::move(draining);
  if (!is_empty) lose(publisher_.statistics().depth, "stopped");
}

void AuditTrail::note(const Asker& who, std::string_view rpc, const Asked& what, bool admitted,
                      const google::rpc::Status& result) {
  if (admitted && !is_audited(rpc)) return;
  const auto tenant = tenant_of(what.resource);
  const bool is_known = tenant && directory_.knows(*tenant);
  auto record = record_of(who, rpc, what, is_known, admitted, result, system_clock::now());
  record.set_instance(instance_);
  if (!admitted) {
    const std::lock_guard lock(mutex_);
    if (!refusals_.pass(record, steady_clock::now())) return;
  }
  write(std::move(record));
}

void AuditTrail::write(AuditRecord record) {
  log_record(record);
  metrics_.audit_records.at({wire::outcome_of(record)}).add();
  // Into a tenant's own subject comes only what somebody did whom we know.
  base::TenantId tenant;
  if (!record.principal().empty()) {
    if (auto named = tenant_of(record.tenant())) tenant = std::move(*named);
  }
  bus::Message message;
  message.subject = wire::audit_subject(tenant);
  message.id = id_prefix_ + std::to_string(++last_id_);
  message.payload = wire::encode_audit(record, message.id);
  message.content_type = wire::content_type(wire::Format::json);
  const std::size_t lane = std::hash<std::string>()(message.subject) % lanes_.size();
  asio::post(executor_, [this, lane, message = std::move(message)]() mutable {
    if (!lanes_[lane]->offer(std::move(message))) lose(1, "overloaded");
  });
}

void AuditTrail::lose(std::uint64_t count, std::string_view why) {
  metrics_.audit_lost.add(static_cast<double>(count));
  kLog.warning("audit records are in the log only", {{"count", count}, {"error", why}});
}

}  // namespace control
