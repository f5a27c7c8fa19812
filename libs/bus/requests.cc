#include "bus/requests.h"

#include <atomic>
#include <charconv>
#include <cstring>
#include <set>
#include <unordered_map>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bus/await.h"
#include "bus/status.h"

namespace bus {

namespace asio = boost::asio;
using base::Errc;

namespace {

// How services answer with an error, by the convention of NATS' micro services.
constexpr const char* kErrorCodeHeader = "Nats-Service-Error-Code";
constexpr const char* kErrorHeader = "Nats-Service-Error";
constexpr const char* kTooManyRequests = "429";

std::string_view payload_of(const natsMsg* message) {
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

base::Result<std::string> read_reply(natsMsg* message) {
  if (natsMsg_IsNoResponders(message)) return Errc::owner_moving;
  const char* code = nullptr;
  if (natsMsgHeader_Get(message, kErrorCodeHeader, &code) == NATS_OK) {
    return std::strcmp(code, kTooManyRequests) == 0 ? Errc::too_many_requests : Errc::internal;
  }
  return std::string(payload_of(message));
}

base::Error publish(const Connection& connection, const Outgoing& request,
                    const std::string& reply) {
  natsMsg* raw = nullptr;
  natsStatus status =
      natsMsg_Create(&raw, request.subject.c_str(), reply.c_str(), request.payload.data(),
                     static_cast<int>(request.payload.size()));
  const MessageHandle message(raw);
  for (const auto& [name, value] : request.headers) {
    if (status == NATS_OK) status = natsMsgHeader_Set(raw, name, value.c_str());
  }
  if (status == NATS_OK) status = natsConnection_PublishMsg(connection.handle(), raw);
  return to_error(status);
}

}  // namespace

// All members on the connection's executor, but for the constants and the atomic.
struct Requests::Impl : std::enable_shared_from_this<Impl> {
  struct Pending {
    Done done;
    TimePoint due;
  };

  const std::shared_ptr<Connection> connection;
  const std::size_t pending_max;
  const std::string inbox = connection->new_inbox() + ".";
  std::atomic<std::size_t> count = 0;
  std::unordered_map<std::uint64_t, Pending> pending;
  std::set<std::pair<TimePoint, std::uint64_t>> dues;
  std::uint64_t last_id = 0;
  asio::steady_timer timer;
  std::unique_ptr<Feed> feed;
  bool ended = false;

  Impl(std::shared_ptr<Connection> with, std::size_t max)
      : connection(std::move(with)), pending_max(max), timer(connection->executor()) {}

  void start() {
    Feed::Handlers handlers;
    handlers.on_message = [weak = weak_from_this()](MessageHandle message) {
      if (const auto self = weak.lock()) self->on_reply(message.get());
    };
    auto made =
        Feed::subscribe(connection, connection->executor(), inbox + "*", std::move(handlers));
    // Fails only on a connection that is closed already; then requests fail as well.
    if (made) feed = std::move(*made);
  }

  void begin(const Outgoing& request, Duration timeout, Done done) {
    if (ended) return fail(std::move(done), Errc::shutting_down);
    if (!connection->connected()) return fail(std::move(done), Errc::bus_unavailable);
    const auto id = ++last_id;
    if (const auto error = publish(*connection, request, inbox + std::to_string(id))) {
      return fail(std::move(done), error);
    }
    const auto due = std::chrono::steady_clock::now() + timeout;
    pending.emplace(id, Pending{std::move(done), due});
    dues.emplace(due, id);
    if (dues.begin()->second == id) wait();
  }

  void fail(Done done, base::Error error) {
    asio::post(connection->executor(), [self = shared_from_this(), done = std::move(done), error] {
      --self->count;
      done(error);
    });
  }

  void on_reply(natsMsg* message) {
    const std::string_view subject = natsMsg_GetSubject(message);
    std::uint64_t id = 0;
    std::from_chars(subject.data() + inbox.size(), subject.data() + subject.size(), id);
    finish(id, read_reply(message));
  }

  void finish(std::uint64_t id, base::Result<std::string> reply) {
    const auto found = pending.find(id);
    if (found == pending.end()) return;  // too late
    const Done done = std::move(found->second.done);
    dues.erase({found->second.due, id});
    pending.erase(found);
    --count;
    done(std::move(reply));
  }

  void wait() {
    if (dues.empty()) return;
    timer.expires_at(dues.begin()->first);
    timer.async_wait([weak = weak_from_this()](base::Error error) {
      const auto self = weak.lock();
      if (error || !self) return;
      const auto now = std::chrono::steady_clock::now();
      while (!self->dues.empty() && self->dues.begin()->first <= now) {
        self->finish(self->dues.begin()->second, Errc::timed_out);
      }
      self->wait();
    });
  }

  void end() {
    ended = true;
    feed.reset();
    timer.cancel();
    while (!pending.empty()) finish(pending.begin()->first, Errc::shutting_down);
  }
};

Requests::Requests(std::shared_ptr<Connection> connection, std::size_t pending_max)
    : impl_(std::make_shared<Impl>(std::move(connection), pending_max)) {
  impl_->start();
}

Requests::~Requests() { impl_->end(); }

void Requests::close() { impl_->end(); }

void Requests::request(Outgoing request, Duration timeout, Done done) {
  if (impl_->count.fetch_add(1) >= impl_->pending_max) {
    return impl_->fail(std::move(done), Errc::too_many_requests);
  }
  asio::dispatch(impl_->connection->executor(), [impl = impl_, request = std::move(request),
                                                 timeout, done = std::move(done)]() mutable {
    impl->begin(request, timeout, std::move(done));
  });
}

asio::awaitable<base::Result<std::string>> Requests::request(std::string subject,
                                                             std::string payload,
                                                             Duration timeout) {
  Outgoing outgoing{std::move(subject), std::move(payload), {}};
  auto pending = request(std::move(outgoing), timeout);
  co_return co_await std::move(pending);
}

asio::awaitable<base::Result<std::string>> Requests::request(Outgoing outgoing, Duration timeout) {
  std::function<void(Done)> start = [this, &outgoing, timeout](Done done) {
    request(std::move(outgoing), timeout, std::move(done));
  };
  auto pending = await_callback<base::Result<std::string>>(std::move(start));
  co_return co_await std::move(pending);
}

std::size_t Requests::pending() const { return impl_->count; }

const std::shared_ptr<Connection>& Requests::connection() const { return impl_->connection; }

std::string_view Request::payload() const { return payload_of(message_.get()); }

std::string_view Request::reply_subject() const {
  const char* reply = natsMsg_GetReply(message_.get());
  return reply ? reply : std::string_view{};
}

void Request::respond(std::string bytes) const {
  const auto to = reply_subject();
  if (to.empty()) return;
  asio::dispatch(connection_->executor(),
                 [connection = connection_, to = std::string(to), bytes = std::move(bytes)] {
                   if (!connection->connected()) return;
                   natsConnection_Publish(connection->handle(), to.c_str(), bytes.data(),
                                          static_cast<int>(bytes.size()));
                 });
}

base::Result<Subscription> serve(const std::shared_ptr<Connection>& connection,
                                 const std::string& subject, asio::any_io_executor executor,
                                 std::function<void(Request)> handler, FeedLimits limits) {
  Feed::Handlers handlers;
  handlers.on_message = [weak = std::weak_ptr(connection),
                         handler = std::move(handler)](MessageHandle message) {
    if (auto self = weak.lock()) handler(Request(std::move(message), std::move(self)));
  };
  handlers.on_overflow = [](natsConnection* handle, const natsMsg& message) {
    const char* reply = natsMsg_GetReply(&message);
    natsMsg* raw = nullptr;
    if (!reply || natsMsg_Create(&raw, reply, nullptr, nullptr, 0) != NATS_OK) return;
    const MessageHandle refusal(raw);
    natsMsgHeader_Set(raw, kErrorCodeHeader, kTooManyRequests);
    natsMsgHeader_Set(raw, kErrorHeader, "too many requests");
    natsConnection_PublishMsg(handle, raw);
  };
  auto feed =
      Feed::subscribe(connection, std::move(executor), subject, std::move(handlers), limits);
  if (!feed) return feed.error();
  return Subscription(std::move(*feed));
}

}  // namespace bus
