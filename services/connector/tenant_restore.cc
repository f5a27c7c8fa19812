// How a TenantOwner learns what was, and what it leaves for the next one: the checkpoint, and the
// events after it.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "bus/consumer.h"
#include "call/fold.h"
#include "connector/tenant_owner.h"
#include "telemetry/log.h"
#include "wire/events.h"
#include "wire/subjects.h"
#include "wire/token.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;
using namespace std::chrono_literals;

namespace {

constexpr auto kLog = telemetry::log::Logger("tenant");
constexpr auto kRetry = 1s;  // of what needs NATS

TenantOwner::TimePoint now() { return std::chrono::steady_clock::now(); }
call::Time wall() { return std::chrono::system_clock::now(); }

}  // namespace

asio::awaitable<void> TenantOwner::restore() {
  while (!stopping_) {
    auto reading = read_checkpoint();
    auto checkpoint = co_await std::move(reading);
    if (checkpoint) {
      auto replaying = replay(std::move(*checkpoint));
      auto book = co_await std::move(replaying);
      if (book.has_value()) {
        kLog.info("state restored", {{"tenant", tenant_->id},
                                     {"calls", book->calls.size()},
                                     {"devices", book->devices.size()}});
        tracker_->restore(std::move(*book));
        co_return;
      }
      kLog.warning("events cannot be replayed", {{"tenant", tenant_->id}, {"error", book.error()}});
    }
    auto waiting = sleep(wake_, now() + kRetry);
    co_await std::move(waiting);
  }
}

// An empty one if there is none, or none that can be read; nothing if it is not known.
asio::awaitable<std::optional<wire::Checkpoint>> TenantOwner::read_checkpoint() {
  const std::string key = wire::to_token(tenant_->id.str());
  std::vector<std::string> parts;
  unsigned wanted = 1;
  while (parts.size() < wanted) {
    auto getting =
        shard_.checkpoints->get(parts.empty() ? key : key + "." + std::to_string(parts.size()));
    auto entry = co_await std::move(getting);
    if (entry.has_error() && entry.error() != Errc::key_not_found) co_return std::nullopt;
    if (entry.has_error()) break;
    if (parts.empty()) {
      const auto count = wire::parts_of(entry->value);
      if (count.has_value()) wanted = *count;
    }
    parts.push_back(std::move(entry->value));
  }
  if (parts.empty()) co_return wire::Checkpoint();
  auto checkpoint = wire::decode(parts);
  if (checkpoint.has_value()) co_return std::move(*checkpoint);
  kLog.warning("checkpoint unreadable: replaying the whole stream", {{"tenant", tenant_->id}});
  co_return wire::Checkpoint();
}

asio::awaitable<base::Result<call::Book>> TenantOwner::replay(wire::Checkpoint from) {
  call::Fold fold(from.book);
  bus::ConsumerOptions options;
  options.stream = wire::kEventStream;
  options.filter = wire::events_of(tenant_->id);
  options.start = {bus::Start::Kind::sequence,
                   from.stream_sequence == 0 ? 0 : from.stream_sequence + 1};

  std::optional<base::Error> ended;  // default-constructed: caught up
  auto finish = [&](base::Error why) {
    if (!ended) ended = why;
    wake_.cancel();
  };
  auto take = [&](const bus::Delivery& delivery) {
    const auto event = wire::decode_event(delivery.payload());
    if (event.has_error()) return;
    const auto known = wire::from_proto(*event);
    if (known.has_value()) fold.apply(*known);
  };
  bus::OrderedConsumer::Handlers handlers{
      .on_message = take,
      .on_caught_up = [&] { finish({}); },
      .on_end = [&](base::Error why, const std::string&) { finish(why); }};
  std::string why;
  auto opening = bus::OrderedConsumer::open(shard_.requests, shard_.executor(), options,
                                            std::move(handlers), why);
  auto opened = co_await std::move(opening);
  if (opened.has_error() && opened.error() == Errc::marker_expired) {
    // The stream was purged, or made anew, beyond the checkpoint: that is all there is to know.
    co_return std::move(from.book);
  }
  if (opened.has_error()) co_return opened.error();
  while (!ended && !stopping_) {
    auto waiting = sleep(wake_, TimePoint::max());
    co_await std::move(waiting);
  }
  if (!ended) co_return *stopping_;
  if (*ended) co_return *ended;
  co_return fold.book();
}

asio::awaitable<void> TenantOwner::keep_checkpoint() {
  while (!stopping_) {
    auto waiting = sleep(checkpoint_timer_, now() + shard_.commons.config.checkpoint_interval);
    co_await std::move(waiting);
    if (stopping_ || gap_ || tracker_->book().sequence == checkpointed_) continue;
    // What is known now is ahead of what is stored. The checkpoint is of use only with the place in
    // the stream of its very last event: stored() fills that in when it comes by.
    pending_checkpoint_ = wire::Checkpoint{tracker_->book(), 0};
    if (last_stored_.sequence == tracker_->book().sequence) stored_checkpoint(last_stored_);
    while (!stopping_ && pending_checkpoint_ && pending_checkpoint_->stream_sequence == 0) {
      auto storing = sleep(checkpoint_timer_, TimePoint::max());
      co_await std::move(storing);
    }
    if (!pending_checkpoint_ || pending_checkpoint_->stream_sequence == 0) continue;
    wire::Checkpoint next = std::move(*pending_checkpoint_);
    pending_checkpoint_.reset();
    auto writing = write_checkpoint(std::move(next));
    co_await std::move(writing);
  }
}

void TenantOwner::stored_checkpoint(const EventPublisher::Stored& it) {
  if (!pending_checkpoint_ || pending_checkpoint_->stream_sequence != 0 ||
      it.sequence < pending_checkpoint_->book.sequence) {
    return;
  }
  if (it.sequence == pending_checkpoint_->book.sequence) {
    pending_checkpoint_->stream_sequence = it.stream_sequence;
  } else {
    pending_checkpoint_.reset();  // its last event was too big ever to be stored: try the next one
  }
  checkpoint_timer_.cancel();
}

asio::awaitable<void> TenantOwner::write_checkpoint(wire::Checkpoint checkpoint) {
  const std::string key = wire::to_token(tenant_->id.str());
  auto parts = wire::encode(tenant_->id, checkpoint);
  shard_.commons.metrics.checkpoints.add();
  // The first part last: it says which others belong to it.
  for (std::size_t i = parts.size(); i-- > 0;) {
    auto putting =
        shard_.checkpoints->put(i == 0 ? key : key + "." + std::to_string(i), std::move(parts[i]));
    const auto put = co_await std::move(putting);
    if (put.has_error()) {
      shard_.commons.metrics.checkpoint_failures.add();
      co_return;
    }
  }
  checkpointed_ = checkpoint.book.sequence;
  shard_.commons.metrics.checkpoint_success.set(wall());
}

}  // namespace connector
