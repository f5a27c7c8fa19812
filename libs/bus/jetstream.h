#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "bus/connection.h"

namespace bus {

enum class Storage { file, memory };
// What a full stream does with one more message.
enum class Discard {
  oldest,  // makes room
  newest,  // refuses it: the publisher keeps it and tries again
};

// A stream as we want it. 0 or -1, as in NATS, where a limit is not wanted.
struct StreamConfig {
  std::string name;
  std::vector<std::string> subjects;
  std::chrono::nanoseconds max_age{0};
  std::int64_t max_bytes = -1;
  std::int64_t max_messages_per_subject = -1;
  std::int64_t replicas = 1;
  Discard discard = Discard::oldest;
  std::chrono::nanoseconds duplicate_window = std::chrono::seconds(120);
  Storage storage = Storage::file;
  // Of key-value buckets:
  bool allow_rollup = false, deny_delete = false, allow_direct = false;
};

struct StreamState {
  std::uint64_t messages = 0, bytes = 0;
  std::uint64_t first_sequence = 0, last_sequence = 0;  // first is last + 1 if the stream is empty
  std::int64_t created = 0;  // in ns since 1970: a stream made anew has sequences of its own
};

// What became of a stream that JetStream::adapt_stream() was asked for.
enum class Fit {
  exact,    // it is as wanted, and perhaps was made just now
  adapted,  // it had other limits
  other,    // it has other limits, and the server does not let us change them
};

// A message as it is stored.
struct StoredMessage {
  std::string subject;
  std::string id;         // Nats-Msg-Id, if it has one
  std::string operation;  // KV-Operation, if it has one
  std::string payload;
  std::uint64_t sequence = 0;
  std::chrono::system_clock::time_point stored{};
};

// The management side of JetStream. Each call is made by the connection's worker and may wait up to
// 5 s for the server: timed_out. Errors otherwise: bus_unavailable (not connected, or JetStream is
// off), key_not_found (no such stream or message), and those named below. Where there is a `why`,
// it tells an operator more. Await on any executor; the object has to live until then.
class JetStream {
 public:
  explicit JetStream(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // Makes the stream if there is none of that name. If there is, compares every field of
  // StreamConfig: config_mismatch, and `why` names each that differs, wanted and found. Never
  // changes a stream: what it holds may be somebody's.
  boost::asio::awaitable<base::Result<void>> ensure_stream(const StreamConfig& config,
                                                           std::string& why);
  // The same, but limits of a stream that is there become those wanted: max_age, max_bytes,
  // max_messages_per_subject and duplicate_window. Other replicas are `other`: a server that is in
  // no cluster would take any number, and mean nothing by it. All else of it stays, also what
  // StreamConfig does not have; if that differs: config_mismatch, and nothing is changed. With
  // `adapted` and `other`, `why` names each limit, wanted and found. For streams that are ours
  // alone: smaller limits delete what is beyond them.
  boost::asio::awaitable<base::Result<Fit>> adapt_stream(const StreamConfig& config,
                                                         std::string& why);
  boost::asio::awaitable<base::Result<StreamState>> stream_state(std::string stream);
  // The last message with exactly that subject.
  boost::asio::awaitable<base::Result<StoredMessage>> last_message(std::string stream,
                                                                   std::string subject);
  boost::asio::awaitable<base::Result<void>> delete_stream(std::string stream);

  const std::shared_ptr<Connection>& connection() const { return connection_; }

 private:
  std::shared_ptr<Connection> connection_;
};

// last_message() itself, which waits: for the worker only. bus_unavailable without a link.
base::Result<StoredMessage> last_message_now(Link* link, const std::string& stream,
                                             const std::string& subject);

}  // namespace bus
