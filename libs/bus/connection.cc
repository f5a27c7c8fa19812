#include "bus/connection.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bus/await.h"
#include "bus/status.h"

namespace bus {

namespace asio = boost::asio;
using base::Errc;

namespace {

// The outboxes are ours. This only has to hold what is published in the moment in which the
// connection breaks, and that is sent again in any case.
constexpr int kReconnectBuffer = 256 * 1024;
constexpr unsigned kUnansweredMax = 2;

const char* c_str_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

natsStatus set_tls(natsOptions* options, const Tls& tls) {
  natsStatus status = natsOptions_SetSecure(options, true);
  if (status == NATS_OK && !tls.ca_file.empty()) {
    status = natsOptions_LoadCATrustedCertificates(options, tls.ca_file.c_str());
  }
  if (status == NATS_OK && !tls.certificate_file.empty()) {
    status = natsOptions_LoadCertificatesChain(options, tls.certificate_file.c_str(),
                                               tls.key_file.c_str());
  }
  if (status == NATS_OK && !tls.verify) status = natsOptions_SkipServerVerification(options, true);
  return status;
}

natsStatus set_login(natsOptions* to, const Options& from) {
  if (!from.creds_file.empty()) {
    return natsOptions_SetUserCredentialsFromFiles(to, from.creds_file.c_str(), nullptr);
  }
  if (!from.nkey_seed_file.empty()) {
    return natsOptions_SetNKeyFromSeed(to, from.nkey_public.c_str(), from.nkey_seed_file.c_str());
  }
  if (!from.token.empty()) return natsOptions_SetToken(to, from.token.c_str());
  if (!from.user.empty()) {
    return natsOptions_SetUserInfo(to, from.user.c_str(), c_str_or_null(from.password));
  }
  return NATS_OK;
}

natsStatus set_all(natsOptions* to, const Options& from) {
  std::vector<const char*> urls;
  for (const auto& url : from.urls) urls.push_back(url.c_str());
  natsStatus status = NATS_OK;
  const auto then = [&status](auto set, auto... arguments) {
    if (status == NATS_OK) status = set(arguments...);
  };
  then(natsOptions_SetServers, to, urls.data(), static_cast<int>(urls.size()));
  then(natsOptions_SetName, to, from.name.c_str());
  then(natsOptions_SetTimeout, to, std::int64_t{from.connect_timeout.count()});
  then(natsOptions_SetMaxReconnect, to, -1);
  then(natsOptions_SetReconnectWait, to, std::int64_t{from.reconnect_wait.count()});
  then(natsOptions_SetReconnectJitter, to, std::int64_t{from.reconnect_jitter.count()},
       std::int64_t{from.reconnect_jitter.count()});
  then(natsOptions_SetReconnectBufSize, to, kReconnectBuffer);
  // cnats would ping from a thread of its own, and break the connection under the executor's hands.
  then(natsOptions_SetPingInterval, to, std::int64_t{0});
  then(natsOptions_SetSendAsap, to, true);               // no flusher thread: EventLoop flushes
  then(natsOptions_UseGlobalMessageDelivery, to, true);  // one thread, not one a subscription
  if (from.tls) then(set_tls, to, std::cref(*from.tls));
  then(set_login, to, std::cref(from));
  return status;
}

}  // namespace

std::string new_inbox() {
  natsInbox* inbox = nullptr;
  if (natsInbox_Create(&inbox) != NATS_OK) return {};
  std::string text = inbox;
  natsInbox_Destroy(inbox);
  return text;
}

// What cnats calls back, on its own threads; none of it after `closed` was reported.
struct Connection::Callbacks {
  Connection* owner = nullptr;  // it waits for `closed` before it goes
  std::mutex mutex;
  std::condition_variable changed;
  bool closed = false;

  void report(ConnectionEvent event, std::string why = {}) const {
    owner->report(event, std::move(why));
  }

  static Callbacks& of(void* closure) { return *static_cast<Callbacks*>(closure); }

  natsStatus bind(natsOptions* options) {
    const auto connected = [](natsConnection* connection, void* closure) {
      char url[256] = "";
      natsConnection_GetConnectedUrl(connection, url, sizeof(url));
      of(closure).report(ConnectionEvent::connected, url);
    };
    natsStatus status = natsOptions_SetRetryOnFailedConnect(options, true, connected, this);
    if (status == NATS_OK) status = natsOptions_SetReconnectedCB(options, connected, this);
    if (status == NATS_OK) {
      status = natsOptions_SetDisconnectedCB(
          options,
          [](natsConnection*, void* closure) { of(closure).report(ConnectionEvent::disconnected); },
          this);
    }
    if (status == NATS_OK) {
      status = natsOptions_SetLameDuckModeCB(
          options,
          [](natsConnection*, void* closure) { of(closure).report(ConnectionEvent::lame_duck); },
          this);
    }
    if (status == NATS_OK) {
      status = natsOptions_SetErrorHandler(
          options,
          [](natsConnection*, natsSubscription*, natsStatus what, void* closure) {
            of(closure).report(ConnectionEvent::failed, natsStatus_GetText(what));
          },
          this);
    }
    if (status == NATS_OK) {
      status = natsOptions_SetClosedCB(
          options,
          [](natsConnection* connection, void* closure) {
            auto& self = of(closure);
            const char* last = nullptr;
            natsConnection_GetLastError(connection, &last);
            self.report(ConnectionEvent::closed, last ? last : "");
            const std::lock_guard lock(self.mutex);
            self.closed = true;
            self.changed.notify_all();
          },
          this);
    }
    return status;
  }

  void wait_closed() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return closed; });
  }
};

base::Result<std::shared_ptr<Connection>> Connection::open(asio::any_io_executor executor,
                                                           const Options& options,
                                                           std::string& why) {
  natsOptions* raw = nullptr;
  natsStatus status = natsOptions_Create(&raw);
  const OptionsHandle handle(raw);
  if (status == NATS_OK) status = set_all(raw, options);
  if (status != NATS_OK) {
    why = detail_of(status);
    return Errc::invalid_argument;
  }
  std::shared_ptr<Connection> self(new Connection(std::move(executor), options));
  self->callbacks_->owner = self.get();
  status = self->loop_->bind(raw);
  if (status == NATS_OK) status = self->callbacks_->bind(raw);
  if (status == NATS_OK) status = natsConnection_Connect(&self->handle_, raw);
  if (status == NATS_OK) {
    ++self->connects_;
  } else if (status != NATS_NOT_YET_CONNECTED) {
    why = detail_of(status);
    return Errc::invalid_argument;
  }
  self->ping_inbox_ = new_inbox();
  status = natsConnection_Subscribe(
      &self->ping_, self->handle_, self->ping_inbox_.c_str(),
      [](natsConnection*, natsSubscription*, natsMsg* echo, void*) { natsMsg_Destroy(echo); },
      nullptr);
  if (status != NATS_OK) {
    why = detail_of(status);
    return to_error(status);
  }
  self->watch_silence();
  return self;
}

Connection::Connection(asio::any_io_executor executor, const Options& options)
    : executor_(std::move(executor)),
      ping_interval_(options.ping_interval),
      loop_(std::make_shared<EventLoop>(executor_)),
      callbacks_(std::make_unique<Callbacks>()),
      silence_(executor_) {}

Connection::~Connection() {
  shut();
  worker_.finish();
  natsSubscription_Destroy(ping_);
  natsConnection_Destroy(handle_);
}

void Connection::shut() {
  if (shut_.exchange(true)) return;
  loop_->stop();
  if (handle_ == nullptr) return;
  natsConnection_Close(handle_);
  callbacks_->wait_closed();
}

asio::awaitable<void> Connection::close(Duration deadline) {
  const auto self = shared_from_this();
  // The job must not own `self`; this coroutine does, until the job is done.
  auto job = [this, deadline]() -> base::Result<void> {
    if (connected()) natsConnection_FlushTimeout(handle_, deadline.count());
    shut();
    asio::post(executor_, [weak = weak_from_this()] {
      if (const auto it = weak.lock()) it->silence_.cancel();
    });
    return {};
  };
  auto pending = worker_.run(std::move(job));
  (void)co_await std::move(pending);
}

ConnectionStatistics Connection::statistics() const {
  return {.connects = connects_, .disconnects = disconnects_, .failures = failures_};
}

std::uint64_t Connection::listen(OnEvent listener) {
  listeners_.emplace(++last_listener_, std::move(listener));
  return last_listener_;
}

void Connection::forget(std::uint64_t listener) { listeners_.erase(listener); }

void Connection::report(ConnectionEvent event, std::string why) {
  if (event == ConnectionEvent::connected) ++connects_;
  if (event == ConnectionEvent::disconnected) ++disconnects_;
  if (event == ConnectionEvent::failed) ++failures_;
  asio::post(executor_, [weak = weak_from_this(), event, why = std::move(why)] {
    const auto self = weak.lock();
    if (!self) return;
    // A listener may come or go while one is called.
    const auto listeners = self->listeners_;
    for (const auto& [id, listener] : listeners) {
      if (self->listeners_.contains(id)) listener(event, why);
    }
  });
}

void Connection::watch_silence() {
  silence_.expires_after(ping_interval_);
  silence_.async_wait([weak = weak_from_this()](base::Error error) {
    const auto self = weak.lock();
    if (error || !self || self->shut_) return;
    if (self->loop_->heard() || !self->connected()) {
      self->unanswered_ = 0;
    } else if (++self->unanswered_ >= kUnansweredMax) {
      self->unanswered_ = 0;
      self->loop_->drop();
    } else {
      natsConnection_Publish(self->handle_, self->ping_inbox_.c_str(), nullptr, 0);
    }
    self->watch_silence();
  });
}

}  // namespace bus
