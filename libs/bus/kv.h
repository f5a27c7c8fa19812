#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "bus/consumer.h"
#include "bus/jetstream.h"
#include "bus/requests.h"

namespace bus {

// A key-value bucket as we want it.
struct BucketConfig {
  std::string name;                 // [A-Za-z0-9_-]
  std::int64_t history = 1;         // revisions kept of each key
  std::chrono::nanoseconds ttl{0};  // a key not written for so long vanishes; 0: never
  std::int64_t max_bytes = -1;
  std::int64_t replicas = 1;
  Storage storage = Storage::file;
};

struct KvEntry {
  std::string key;
  std::string value;
  std::uint64_t revision = 0;  // grows with every write to the bucket
  std::chrono::system_clock::time_point written{};
  bool erased = false;  // what watchers see of an erase(); the value is empty then
};

// Whether `key` may be one: [A-Za-z0-9-_/=.]+, not starting or ending with a dot (NATS ADR-8).
bool is_key(std::string_view key);

// The changes of a bucket, as they happen. Ends when destroyed, on its executor.
class KvWatch {
 public:
  explicit KvWatch(std::unique_ptr<OrderedConsumer> consumer) : consumer_(std::move(consumer)) {}

 private:
  std::unique_ptr<OrderedConsumer> consumer_;
};

// A key-value bucket of NATS (ADR-8), the same that `nats kv` sees. Writes and their
// acknowledgements go through `requests` and hold up no thread; reads are made by the connection's
// worker. Await on any executor; the object has to live until then.
//
// Errors: key_exists, revision_differs and key_not_found as below; invalid_argument for a malformed
// key; bus_unavailable, if it was not done; timed_out and, for writes, not known whether done.
class KvBucket {
 public:
  KvBucket(std::shared_ptr<Requests> requests, std::string name,
           Duration timeout = Duration(2'000));

  const std::string& name() const { return name_; }

  // As JetStream::ensure_stream(). `config.name` has to be this bucket's.
  boost::asio::awaitable<base::Result<void>> ensure(const BucketConfig& config, std::string& why);

  // All three return the new revision.
  // Writes a key that is not there: key_exists.
  boost::asio::awaitable<base::Result<std::uint64_t>> create(std::string key, std::string value);
  // Writes a key whose last revision is `last`: revision_differs.
  boost::asio::awaitable<base::Result<std::uint64_t>> update(std::string key, std::string value,
                                                             std::uint64_t last);
  boost::asio::awaitable<base::Result<std::uint64_t>> put(std::string key, std::string value);

  // key_not_found. Not more than a hint to who else could write: only a write with a condition
  // tells.
  boost::asio::awaitable<base::Result<KvEntry>> get(std::string key);
  // revision_differs, also if there is no such key.
  boost::asio::awaitable<base::Result<void>> erase(std::string key, std::uint64_t last);
  // Without those erased; empty if there are none. For small buckets: 10,000 keys at most, else
  // overloaded.
  boost::asio::awaitable<base::Result<std::vector<std::string>>> keys();

  struct WatchHandlers {
    std::function<void(const KvEntry&)> on_entry;
    std::function<void()> on_initial_done;  // once: what was there when it began has been shown
    std::function<void(base::Error why, const std::string& detail)> on_end;  // overloaded: too slow
  };
  // Shows the keys that match `filter` ("acme.*", ">") and are there, then every change, on
  // `executor`, on which this is to be awaited. A key that vanishes by its TTL is not shown to do
  // so.
  boost::asio::awaitable<base::Result<std::unique_ptr<KvWatch>>> watch(
      std::string filter, boost::asio::any_io_executor executor, WatchHandlers handlers,
      std::string& why);

 private:
  boost::asio::awaitable<base::Result<std::uint64_t>> write(std::string key, std::string value,
                                                            std::vector<std::string> condition,
                                                            bool erase);
  boost::asio::awaitable<base::Result<StoredMessage>> last(std::string key);

  std::shared_ptr<Requests> requests_;
  std::string name_, stream_, prefix_;
  Duration timeout_;
  JetStream jetstream_;
};

}  // namespace bus
