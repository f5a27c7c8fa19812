#include "bus/kv.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bus/pub_ack.h"

namespace bus {

namespace asio = boost::asio;
using base::Errc;

namespace {

constexpr std::chrono::nanoseconds kDuplicateWindow = std::chrono::minutes(2);
constexpr std::size_t kKeysMax = 10'000;
constexpr Duration kKeysTimeout{5'000};

bool is_erased(std::string_view operation) { return operation == "DEL" || operation == "PURGE"; }

// The stream that other clients make of such a bucket.
StreamConfig stream_of(const BucketConfig& bucket) {
  StreamConfig stream;
  stream.name = "KV_" + bucket.name;
  stream.subjects = {"$KV." + bucket.name + ".>"};
  stream.max_age = bucket.ttl;
  stream.max_bytes = bucket.max_bytes;
  stream.max_messages_per_subject = bucket.history;
  stream.replicas = bucket.replicas;
  stream.discard = Discard::newest;
  stream.duplicate_window =
      bucket.ttl.count() > 0 ? std::min(bucket.ttl, kDuplicateWindow) : kDuplicateWindow;
  stream.storage = bucket.storage;
  stream.allow_rollup = true;
  stream.deny_delete = true;
  stream.allow_direct = true;
  return stream;
}

}  // namespace

bool is_key(std::string_view key) {
  if (key.empty() || key.front() == '.' || key.back() == '.') return false;
  if (key.find("..") != std::string_view::npos) return false;
  return std::all_of(key.begin(), key.end(), [](char it) {
    return (it >= 'A' && it <= 'Z') || (it >= 'a' && it <= 'z') || (it >= '0' && it <= '9') ||
           std::string_view("-_/=.").find(it) != std::string_view::npos;
  });
}

KvBucket::KvBucket(std::shared_ptr<Requests> requests, std::string name, Duration timeout)
    : requests_(std::move(requests)),
      name_(std::move(name)),
      stream_("KV_" + name_),
      prefix_("$KV." + name_ + "."),
      timeout_(timeout),
      jetstream_(requests_->connection()) {}

asio::awaitable<base::Result<void>> KvBucket::ensure(const BucketConfig& config, std::string& why) {
  const auto stream = stream_of(config);
  auto pending = jetstream_.ensure_stream(stream, why);
  co_return co_await std::move(pending);
}

// `condition`: the revision that the key's last write must have, or none.
asio::awaitable<base::Result<std::uint64_t>> KvBucket::write(std::string key, std::string value,
                                                             std::vector<std::string> condition,
                                                             bool erase) {
  if (!is_key(key)) co_return Errc::invalid_argument;
  Outgoing request{prefix_ + key, std::move(value), {}};
  if (erase) request.headers.emplace_back("KV-Operation", "DEL");
  for (auto& it : condition) {
    request.headers.emplace_back("Nats-Expected-Last-Subject-Sequence", std::move(it));
  }
  auto pending = requests_->request(std::move(request), timeout_);
  const auto reply = co_await std::move(pending);
  if (!reply) {
    // "No responders" means here that there is no such bucket, or that JetStream is off.
    if (reply.error() == Errc::owner_moving) co_return Errc::bus_unavailable;
    co_return reply.error();
  }
  Refusal refusal;
  const auto ack = parse_pub_ack(*reply, refusal);
  if (!ack) co_return ack.error();
  co_return ack->sequence;
}

asio::awaitable<base::Result<std::uint64_t>> KvBucket::create(std::string key, std::string value) {
  std::uint64_t expected = 0;
  for (;;) {
    std::vector<std::string> condition;
    condition.push_back(std::to_string(expected));
    auto writing = write(key, value, std::move(condition), false);
    const auto written = co_await std::move(writing);
    if (written || written.error() != Errc::revision_differs) co_return written;
    // An erased key leaves a marker, whose revision is the one to expect.
    auto asking = last(key);
    const auto found = co_await std::move(asking);
    if (!found && found.error() != Errc::key_not_found) co_return found.error();
    if (found && !is_erased(found->operation)) co_return Errc::key_exists;
    const auto now_expected = found ? found->sequence : 0;
    if (now_expected == expected) co_return Errc::key_exists;  // it came and went in between
    expected = now_expected;
  }
}

asio::awaitable<base::Result<std::uint64_t>> KvBucket::update(std::string key, std::string value,
                                                              std::uint64_t last) {
  std::vector<std::string> condition;
  condition.push_back(std::to_string(last));
  auto pending = write(std::move(key), std::move(value), std::move(condition), false);
  co_return co_await std::move(pending);
}

asio::awaitable<base::Result<std::uint64_t>> KvBucket::put(std::string key, std::string value) {
  std::vector<std::string> none;
  auto pending = write(std::move(key), std::move(value), std::move(none), false);
  co_return co_await std::move(pending);
}

asio::awaitable<base::Result<void>> KvBucket::erase(std::string key, std::uint64_t last) {
  std::vector<std::string> condition;
  condition.push_back(std::to_string(last));
  auto pending = write(std::move(key), {}, std::move(condition), true);
  const auto erased = co_await std::move(pending);
  if (!erased) co_return erased.error();
  co_return base::Result<void>{};
}

asio::awaitable<base::Result<StoredMessage>> KvBucket::last(std::string key) {
  if (!requests_->connection()->connected()) co_return Errc::bus_unavailable;
  auto pending = jetstream_.last_message(stream_, prefix_ + key);
  co_return co_await std::move(pending);
}

asio::awaitable<base::Result<KvEntry>> KvBucket::get(std::string key) {
  if (!is_key(key)) co_return Errc::invalid_argument;
  auto pending = last(key);
  auto found = co_await std::move(pending);
  if (!found) co_return found.error();
  if (is_erased(found->operation)) co_return Errc::key_not_found;
  KvEntry entry;
  entry.key = std::move(key);
  entry.value = std::move(found->payload);
  entry.revision = found->sequence;
  entry.written = found->stored;
  co_return entry;
}

asio::awaitable<base::Result<std::vector<std::string>>> KvBucket::keys() {
  const auto executor = co_await asio::this_coro::executor;
  std::set<std::string> found;
  std::optional<base::Error> ended;
  asio::steady_timer done(executor, kKeysTimeout);
  WatchHandlers handlers;
  handlers.on_entry = [&](const KvEntry& entry) {
    if (entry.erased) {
      found.erase(entry.key);
    } else {
      found.insert(entry.key);
    }
    if (found.size() <= kKeysMax) return;
    ended = Errc::overloaded;
    done.cancel();
  };
  handlers.on_initial_done = [&] {
    if (!ended) ended = base::Error{};
    done.cancel();
  };
  handlers.on_end = [&](base::Error why, const std::string&) {
    ended = why;
    done.cancel();
  };
  std::string why;
  auto watching = watch(">", executor, std::move(handlers), why);
  const auto watched = co_await std::move(watching);
  if (!watched) co_return watched.error();
  if (!ended) co_await done.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!ended) co_return Errc::timed_out;
  if (*ended) co_return *ended;
  co_return std::vector<std::string>(found.begin(), found.end());
}

asio::awaitable<base::Result<std::unique_ptr<KvWatch>>> KvBucket::watch(
    std::string filter, asio::any_io_executor executor, WatchHandlers handlers, std::string& why) {
  ConsumerOptions options;
  options.stream = stream_;
  options.filter = prefix_ + filter;
  options.start.kind = Start::Kind::last_per_subject;
  OrderedConsumer::Handlers to;
  to.on_message = [prefix = prefix_.size(),
                   on_entry = std::move(handlers.on_entry)](const Delivery& delivery) {
    KvEntry entry;
    entry.key = delivery.subject().substr(prefix);
    entry.value = delivery.payload();
    entry.revision = delivery.sequence();
    entry.written = delivery.stored();
    entry.erased = is_erased(delivery.header("KV-Operation"));
    on_entry(entry);
  };
  to.on_caught_up = std::move(handlers.on_initial_done);
  to.on_end = std::move(handlers.on_end);
  auto opening =
      OrderedConsumer::open(requests_, std::move(executor), std::move(options), std::move(to), why);
  auto opened = co_await std::move(opening);
  if (!opened) co_return opened.error();
  co_return std::make_unique<KvWatch>(std::move(*opened));
}

}  // namespace bus
