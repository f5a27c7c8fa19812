#include "bus/connection.h"

#include <algorithm>
#include <random>
#include <utility>

#include <boost/asio/post.hpp>

#include "bus/link.h"
#include "bus/status.h"

namespace bus {

namespace asio = boost::asio;
using base::Errc;

namespace {

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
  then(natsOptions_SetAllowReconnect, to, false);  // see EventLoop
  // cnats would ping from a thread of its own, and break the connection under the executor's hands.
  then(natsOptions_SetPingInterval, to, std::int64_t{0});
  then(natsOptions_SetSendAsap, to, true);               // no flusher thread: EventLoop flushes
  then(natsOptions_UseGlobalMessageDelivery, to, true);  // one thread, not one a subscription
  if (from.tls) then(set_tls, to, std::cref(*from.tls));
  then(set_login, to, std::cref(from));
  return status;
}

}  // namespace

base::Result<std::shared_ptr<Connection>> Connection::open(asio::any_io_executor executor,
                                                           const Options& options,
                                                           std::string& why) {
  natsOptions* raw = nullptr;
  natsStatus status = natsOptions_Create(&raw);
  OptionsHandle handle(raw);
  if (status == NATS_OK) status = set_all(raw, options);
  if (status != NATS_OK) {
    why = detail_of(status);
    return Errc::invalid_argument;
  }
  std::shared_ptr<Connection> self(new Connection(std::move(executor), options, std::move(handle)));
  auto first = self->attempt(status);
  why = first.why;
  if (status == NATS_CONNECTION_AUTH_FAILED) return Errc::permission_denied;
  asio::post(self->executor_, [weak = std::weak_ptr(self), first = std::move(first)] {
    if (const auto it = weak.lock()) it->on_attempt(first);
  });
  return self;
}

Connection::Connection(asio::any_io_executor executor, const Options& options, OptionsHandle handle)
    : executor_(std::move(executor)),
      options_(options),
      cnats_options_(std::move(handle)),
      silence_(executor_),
      retry_(executor_) {}

Connection::~Connection() {
  closing_ = true;
  if (const auto last = link()) last->shut();
  worker_.finish();
}

std::shared_ptr<Link> Connection::link() const {
  const std::lock_guard lock(mutex_);
  return link_;
}

// Never two at a time: at first by open(), then by the worker.
Connection::Attempt Connection::attempt(natsStatus& status) {
  const auto id = ++links_;
  auto on_event = [weak = weak_from_this(), where = executor_, id](ConnectionEvent event,
                                                                   std::string why) {
    asio::post(where, [weak, id, event, why = std::move(why)] {
      if (const auto self = weak.lock()) self->on_link_event(id, event, why);
    });
  };
  Attempt result;
  auto after_read = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->poll();
  };
  result.link = Link::connect(id, executor_, up_, cnats_options_.get(), std::move(on_event),
                              std::move(after_read), status, result.why);
  return result;
}

void Connection::try_again() {
  const auto jitter = std::max<Duration::rep>(options_.reconnect_jitter.count(), 1);
  thread_local std::minstd_rand random{std::random_device{}()};
  retry_.expires_after(options_.reconnect_wait + Duration(random() % jitter));
  retry_.async_wait([weak = weak_from_this()](base::Error error) {
    const auto self = weak.lock();
    if (error || !self || self->closing_) return;
    // `it` outlives its worker's jobs, which must not own it.
    self->worker_.post([it = self.get(), where = self->executor_, weak] {
      if (it->closing_) return;
      natsStatus status = NATS_OK;
      asio::post(where, [weak, made = it->attempt(status)] {
        if (const auto owner = weak.lock()) owner->on_attempt(made);
      });
    });
  });
}

void Connection::on_attempt(Attempt made) {
  if (closing_) return;
  // A link may have broken since it was made; then it has said so when nobody listened.
  if (!made.link || !made.link->loop().polling()) {
    report(ConnectionEvent::failed, made.why);
    return try_again();
  }
  std::map<std::uint64_t, std::shared_ptr<const Restore>> restorers;
  {
    const std::lock_guard lock(mutex_);
    link_ = made.link;
    restorers = restorers_;
  }
  handle_ = made.link->handle();
  for (const auto& [id, restore] : restorers) (*restore)(*made.link);
  *up_ = true;
  ++connects_;
  unanswered_ = 0;
  watch_silence();
  report(ConnectionEvent::connected, made.link->url());
}

void Connection::on_link_event(std::uint64_t id, ConnectionEvent event, const std::string& why) {
  const auto current = link();
  if (!current || current->id() != id) return;
  if (event != ConnectionEvent::disconnected) return report(event, why);
  {
    const std::lock_guard lock(mutex_);
    link_.reset();
  }
  handle_ = nullptr;
  silence_.cancel();
  if (closing_) return report(ConnectionEvent::closed, {});
  ++disconnects_;
  report(ConnectionEvent::disconnected, why);
  try_again();
}

asio::awaitable<void> Connection::close(Duration deadline) {
  const auto self = shared_from_this();
  auto job = [link = link(), deadline, this]() -> base::Result<void> {
    if (link && connected()) natsConnection_FlushTimeout(link->handle(), deadline.count());
    closing_ = true;
    if (link) link->shut();
    asio::post(executor_, [weak = weak_from_this()] {
      const auto it = weak.lock();
      if (!it) return;
      it->silence_.cancel();
      it->retry_.cancel();
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

void Connection::report(ConnectionEvent event, const std::string& why) {
  if (event == ConnectionEvent::failed) ++failures_;
  // A listener may come or go while one is called.
  const auto listeners = listeners_;
  for (const auto& [id, listener] : listeners) {
    if (listeners_.contains(id)) listener(event, why);
  }
}

std::uint64_t Connection::add_restorer(Restore restore) {
  const std::lock_guard lock(mutex_);
  restorers_.emplace(++last_restorer_, std::make_shared<const Restore>(std::move(restore)));
  return last_restorer_;
}

void Connection::drop_restorer(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  restorers_.erase(id);
}

std::uint64_t Connection::add_poller(Poll poll) {
  pollers_.emplace_back(++last_poller_, std::make_shared<const Poll>(std::move(poll)));
  return last_poller_;
}

void Connection::drop_poller(std::uint64_t id) {
  for (auto& [added, poll] : pollers_) {
    if (added == id) poll.reset();
  }
}

void Connection::poll() {
  // By index: a poller may add others and drop any, itself too.
  for (std::size_t i = 0; i < pollers_.size(); ++i) {
    if (const auto poll = pollers_[i].second) (*poll)();
  }
  std::erase_if(pollers_, [](const auto& it) { return it.second == nullptr; });
}

void Connection::drop() {
  if (const auto current = link()) current->loop().drop();
}

void Connection::watch_silence() {
  silence_.expires_after(options_.ping_interval);
  silence_.async_wait([weak = weak_from_this()](base::Error error) {
    const auto self = weak.lock();
    const auto current = self ? self->link() : nullptr;
    if (error || !current || !self->connected()) return;
    if (current->loop().heard()) {
      self->unanswered_ = 0;
    } else if (++self->unanswered_ >= kUnansweredMax) {
      return current->loop().drop();
    }
    if (self->unanswered_ > 0) current->ping();
    self->watch_silence();
  });
}

}  // namespace bus
