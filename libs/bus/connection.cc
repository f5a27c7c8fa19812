#include "bus/connection.h"

#include <algorithm>
#include <random>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>

#include "bus/identity.h"
#include "bus/link.h"
#include "bus/status.h"

namespace bus {

namespace asio = boost::asio;
using base::Errc;

namespace {

constexpr unsigned kUnansweredMax = 2;
// Each refusal of our login, or of new files, doubles the wait until we try again.
constexpr Duration kRefusedWaitMax{5'000}, kRenewalWaitMax{30'000};
constexpr unsigned kDoublingsMax = 10;

Duration doubled(Duration first, unsigned times, Duration most) {
  return std::min(first * (1u << std::min(times, kDoublingsMax)), std::max(first, most));
}

// How the server ends a connection whose login has become wrong: its user was removed or given
// another secret ("Authorization Violation"), or its JWT is too old ("Authentication Expired").
bool is_refusal_of_login(std::string_view why) {
  return why.find("uthorization") != why.npos || why.find("uthentication") != why.npos;
}

bool is_about_identity(natsStatus status) {
  // The last two: how a server's refusal of our certificate shows (see explain()).
  return status == NATS_CONNECTION_AUTH_FAILED || status == NATS_SSL_ERROR ||
         status == NATS_INVALID_ARG || status == NATS_PROTOCOL_ERROR || status == NATS_IO_ERROR;
}

}  // namespace

base::Result<std::shared_ptr<Connection>> Connection::open(asio::any_io_executor executor,
                                                           const Options& options,
                                                           std::string& why) {
  auto identity = read_identity(options, why);
  if (!identity) return identity.error();
  std::shared_ptr<Connection> self(new Connection(std::move(executor), options));
  self->identity_ = *identity;
  auto first = self->attempt(*identity);
  why = first.why;
  if (first.status == NATS_INVALID_ARG) return Errc::invalid_argument;
  if (first.status == NATS_CONNECTION_AUTH_FAILED) return Errc::permission_denied;
  asio::post(self->executor_, [weak = std::weak_ptr(self), first = std::move(first)] {
    if (const auto it = weak.lock()) it->on_attempt(first);
  });
  return self;
}

Connection::Connection(asio::any_io_executor executor, const Options& options)
    : executor_(std::move(executor)),
      options_(options),
      silence_(executor_),
      retry_(executor_),
      files_(executor_) {}

Connection::~Connection() {
  closing_ = true;
  if (const auto last = link()) last->shut();
  worker_.finish();
}

std::string Connection::new_inbox() const { return options_.inbox_prefix + "." + new_unique(); }

std::shared_ptr<Link> Connection::link() const {
  const std::lock_guard lock(mutex_);
  return link_;
}

// Never two at a time: at first by open(), then by the worker.
Connection::Attempt Connection::attempt(IdentityPointer identity) {
  const auto id = ++links_;
  auto on_event = [weak = weak_from_this(), where = executor_, id](ConnectionEvent event,
                                                                   std::string why) {
    asio::post(where, [weak, id, event, why = std::move(why)] {
      if (const auto self = weak.lock()) self->on_link_event(id, event, why);
    });
  };
  auto after_read = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->poll();
  };
  Attempt result;
  result.identity = identity;
  result.link =
      Link::connect(id, executor_, up_, options_, std::move(identity), std::move(on_event),
                    std::move(after_read), result.status, result.why);
  return result;
}

// With what stands in the files now; if they are of no use, with what was right before.
Connection::Attempt Connection::attempt_any() {
  IdentityPointer known;
  {
    const std::lock_guard lock(mutex_);
    known = identity_;
  }
  std::string why;
  const auto read = read_identity(options_, why);
  if (read && **read == *known) return attempt(known);
  if (read) {
    auto made = attempt(*read);
    if (made.link || !is_about_identity(made.status)) return made;
    why = made.why;
  }
  auto made = attempt(known);
  if (!made.link) made.why = "with new files: " + why + "; with the last good: " + made.why;
  return made;
}

void Connection::try_again() {
  const auto jitter = std::max<Duration::rep>(options_.reconnect_jitter.count(), 1);
  thread_local std::minstd_rand random{std::random_device{}()};
  retry_.expires_after(doubled(options_.reconnect_wait, refused_, kRefusedWaitMax) +
                       Duration(random() % jitter));
  retry_.async_wait([weak = weak_from_this()](base::Error error) {
    const auto self = weak.lock();
    if (error || !self || self->closing_) return;
    // `it` outlives its worker's jobs, which must not own it.
    self->worker_.post([it = self.get(), where = self->executor_, weak] {
      if (it->closing_) return;
      asio::post(where, [weak, made = it->attempt_any()] {
        if (const auto owner = weak.lock()) owner->on_attempt(made);
      });
    });
  });
}

void Connection::on_attempt(const Attempt& made) {
  if (closing_) return;
  // A link may have broken since it was made; then it has said so when nobody listened.
  if (!made.link || !made.link->loop().polling()) {
    const bool refused = made.status == NATS_CONNECTION_AUTH_FAILED;
    refused_ = refused ? refused_ + 1 : 0;
    if (refused) ++refusals_;
    report(ConnectionEvent::failed, made.why);
    return try_again();
  }
  adopt(made);
  ++connects_;
  report(ConnectionEvent::connected, made.link->url());
}

// Makes a link that was made just now the one that is used.
void Connection::adopt(const Attempt& made) {
  std::map<std::uint64_t, std::shared_ptr<const Restore>> restorers;
  {
    const std::lock_guard lock(mutex_);
    link_ = made.link;
    identity_ = made.identity;
    restorers = restorers_;
  }
  handle_ = made.link->handle();
  for (const auto& [id, restore] : restorers) (*restore)(*made.link);
  *up_ = made.link->id();
  // It may have broken just before that.
  if (!made.link->loop().polling()) *up_ = 0;
  unanswered_ = refused_ = 0;
  watch_silence();
  watch_files();
}

// Looked at rather than watched, because what counts is what is read in the end: mounted secrets
// are replaced behind links, in several steps.
void Connection::watch_files() {
  if (!reads_files(options_)) return;
  files_.expires_after(doubled(options_.files_interval, renewal_waits_, kRenewalWaitMax));
  files_.async_wait([weak = weak_from_this()](base::Error error) {
    const auto self = weak.lock();
    if (!error && self && self->connected() && !self->renewing_) self->look_at_files();
  });
}

void Connection::look_at_files() {
  renewing_ = true;
  worker_.post([it = this, where = executor_, weak = weak_from_this(), used = identity_] {
    if (it->closing_) return;
    Attempt made;
    const auto read = read_identity(it->options_, made.why);
    if (!read) {
      made.status = NATS_INVALID_ARG;
    } else if (**read == *used) {
      made.identity = used;
    } else {
      made = it->attempt(*read);
    }
    asio::post(where, [weak, made = std::move(made)] {
      if (const auto owner = weak.lock()) owner->on_renewal(made);
    });
  });
}

void Connection::on_renewal(const Attempt& made) {
  renewing_ = false;
  if (closing_) return;
  const auto old = link();
  if (!old) {
    // Broken meanwhile; attempt_any() looks at the files as well. Closing a link waits.
    worker_.post([unused = made.link] {
      if (unused) unused->shut();
    });
    return;
  }
  if (made.link && made.link->loop().polling()) {
    renewal_waits_ = 0;
    renewal_told_.clear();
    adopt(made);
    ++renewals_;
    report(ConnectionEvent::renewed, made.link->url());
    // Closing it waits, and nothing of it is needed any more.
    worker_.post([old] { old->shut(); });
    return;
  }
  if (made.status == NATS_OK && !made.link) {
    renewal_waits_ = 0;
    renewal_told_.clear();
    return watch_files();
  }
  ++renewal_failures_;
  if (made.status == NATS_CONNECTION_AUTH_FAILED) ++refusals_;
  // A file that is still of no use is no news.
  const bool is_news = renewal_told_ != made.why;
  renewal_waits_ = is_news ? 0 : renewal_waits_ + 1;
  renewal_told_ = made.why;
  if (is_news) {
    report(ConnectionEvent::failed,
           "new files cannot be used, going on with the last good: " + made.why);
  }
  watch_files();
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
  files_.cancel();
  if (closing_) return report(ConnectionEvent::closed, {});
  ++disconnects_;
  if (is_refusal_of_login(why)) ++refusals_;
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
      it->files_.cancel();
    });
    return {};
  };
  auto pending = worker_.run(std::move(job));
  (void)co_await std::move(pending);
}

ConnectionStatistics Connection::statistics() const {
  return {.connects = connects_,
          .disconnects = disconnects_,
          .failures = failures_,
          .refusals = refusals_,
          .violations = violations_,
          .renewals = renewals_,
          .renewal_failures = renewal_failures_};
}

std::string Connection::certificate() const {
  const std::lock_guard lock(mutex_);
  return identity_->certificate;
}

std::uint64_t Connection::listen(OnEvent listener) {
  listeners_.emplace(++last_listener_, std::move(listener));
  return last_listener_;
}

void Connection::forget(std::uint64_t listener) { listeners_.erase(listener); }

void Connection::report(ConnectionEvent event, const std::string& why) {
  if (event == ConnectionEvent::failed) ++failures_;
  if (event == ConnectionEvent::not_permitted) ++violations_;
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
