#include "control/watch.h"

#include <algorithm>
#include <random>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "control/fields.h"
#include "control/gather.h"
#include "control/grpc_status.h"
#include "control/listing.h"
#include "control/slow_watcher.h"
#include "telemetry/log.h"
#include "wire/events.h"
#include "wire/names.h"
#include "wire/subjects.h"
#include "wire/token.h"

namespace control {

namespace asio = boost::asio;
using base::Errc;
using pbxgw::v1::Event;
using pbxgw::v1::WatchRequest;
using pbxgw::v1::WatchResponse;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr telemetry::log::Logger kLog("watch");
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr milliseconds kReopenWait{250};
constexpr milliseconds kGoodbyeWait{30'000};
// With more owed, a marker would be longer than kMarkerMax: it is not even tried.
constexpr std::size_t kOwedMax = 100;

wire::Failure wrong_marker() {
  wire::Failure failure =
      wrong("resume_marker",
            "is not of this watch: send the last one received with the same parent and filters, or "
            "none to start anew");
  failure.why = Errc::marker_invalid;
  return failure;
}

google::rpc::Status expired() {
  return refuse(Errc::marker_expired,
                "What follows the resume marker is no longer stored: watch again without one.");
}

google::rpc::Status too_slow() {
  return refuse(Errc::watcher_too_slow, "Nothing was read for too long: resume from the marker.");
}

google::rpc::Status too_old() {
  return refuse(
      Errc::shutting_down,
      "This watch is as old as one may be: resume from the marker, over a new connection.");
}

// When a watch ends that begins now. Not all that began together end together.
steady_clock::time_point end_of(milliseconds age) {
  if (age.count() == 0) return steady_clock::time_point::max();
  std::random_device chance;
  const auto tenth = age / 10;
  return steady_clock::now() + age - tenth * chance() / std::random_device::max();
}

google::rpc::Status unknown_tenant(const base::TenantId& tenant) {
  const std::string name = wire::tenant_name(tenant);
  return refuse(Errc::tenant_not_found, "No connector has " + name + '.',
                {{"tenant", name}, {"resource", name}});
}

}  // namespace

Watch::Watch(WatchTools tools, std::shared_ptr<WatchStream> stream, WatchRequest request,
             Caller caller)
    : tools_(std::move(tools)),
      executor_(tools_.jetstream.connection()->executor()),
      stream_(std::move(stream)),
      request_(std::move(request)),
      caller_(std::move(caller)),
      filter_(request_),
      ends_(end_of(tools_.age)),
      wake_(executor_),
      patience_(executor_) {
  wake_.expires_at(asio::steady_timer::time_point::max());
}

asio::awaitable<void> Watch::run() {
  const auto self = shared_from_this();
  tools_.metrics.watchers_opened.add();
  WatchStream::Handlers handlers;
  handlers.on_space = [weak = weak_from_this(), executor = executor_] {
    asio::post(executor, [weak] {
      const auto watch = weak.lock();
      if (!watch) return;
      watch->pump();
      watch->wake_.cancel();
    });
  };
  handlers.on_gone = [weak = weak_from_this(), executor = executor_] {
    asio::post(executor, [weak] {
      const auto watch = weak.lock();
      if (!watch) return;
      watch->gone_ = true;
      watch->over_ = true;
      watch->wake_.cancel();
    });
  };
  stream_->handle(std::move(handlers));
  watch_patience();

  auto beginning = begin();
  const Refused refused = co_await std::move(beginning);
  if (refused) end(*refused);
  while (!over_) {
    auto following = follow();
    co_await std::move(following);
  }
  consumer_.reset();
  while (!gone_) {
    wake_.expires_after(kGoodbyeWait);
    const auto [cancelled] = co_await wake_.async_wait(kTuple);
    // A caller who has stopped reading does not even read the status.
    if (!cancelled) stream_->break_off();
  }
}

void Watch::abandon(const google::rpc::Status& why) {
  stream_->finish(to_grpc(resumable(why, marker())));
  asio::post(executor_, [self = shared_from_this()] {
    self->over_ = true;
    self->wake_.cancel();
  });
}

// ---- The beginning ----

asio::awaitable<Watch::Refused> Watch::begin() {
  const Directory& directory = tools_.core.directory;
  if (!directory.is_complete()) {
    co_return refuse(Errc::bus_unavailable, "The tenants are not known yet: NATS was not reached.");
  }
  std::vector<base::TenantId> tenants;
  if (filter_.tenant()) {
    if (!directory.knows(*filter_.tenant())) co_return unknown_tenant(*filter_.tenant());
    tenants.push_back(*filter_.tenant());
  } else {
    tenants = directory.tenants();
    std::erase_if(tenants, [this](const base::TenantId& it) { return !caller_.right->may(it); });
  }
  if (!request_.resume_marker().empty()) {
    auto resuming = resume();
    co_return co_await std::move(resuming);
  }
  auto beginning = begin_anew(std::move(tenants));
  co_return co_await std::move(beginning);
}

asio::awaitable<base::Result<bus::StreamState>> Watch::stream_state(google::rpc::Status& why) {
  auto asking = tools_.jetstream.stream_state(tools_.stream);
  auto state = co_await std::move(asking);
  if (!state) {
    const bool missing = state.error() == Errc::key_not_found;
    why = missing ? refuse(Errc::bus_unavailable,
                           "There is no stream of events yet: no connector was ever started.")
                  : refuse(Errc::bus_unavailable, "The stream of events cannot be read right now.");
  }
  co_return state;
}

asio::awaitable<Watch::Refused> Watch::begin_anew(std::vector<base::TenantId> tenants) {
  google::rpc::Status why;
  auto asking = stream_state(why);
  const auto state = co_await std::move(asking);
  if (!state) co_return why;
  place_.created = static_cast<std::uint64_t>(state->created);
  place_.sequence = state->last_sequence;
  stream_->greet();

  if (!request_.skip_snapshot()) {
    auto sending = send_states(std::move(tenants));
    co_await std::move(sending);
  }
  initial_ = false;
  WatchResponse complete;
  complete.mutable_snapshot_complete();
  push(std::move(complete));
  co_return std::nullopt;
}

asio::awaitable<Watch::Refused> Watch::resume() {
  auto place = place_of(request_.resume_marker(), filter_.canonical());
  if (!place) co_return wire::to_status(wrong_marker());
  place_ = std::move(*place);
  // Whoever makes up a marker, or may see less than when he got it, is owed nothing of others.
  std::erase_if(place_.owed, [this](const std::string& token) {
    const auto id = wire::from_token(token);
    if (!id) return true;
    const base::TenantId tenant(*id);
    return filter_.tenant() ? tenant != *filter_.tenant() : !caller_.right->may(tenant);
  });
  initial_ = false;

  google::rpc::Status why;
  auto asking = stream_state(why);
  const auto state = co_await std::move(asking);
  if (!state) co_return why;
  const bool same = static_cast<std::uint64_t>(state->created) == place_.created;
  if (!same || place_.sequence > state->last_sequence ||
      place_.sequence + 1 < state->first_sequence) {
    co_return expired();
  }
  stream_->greet();
  co_return std::nullopt;
}

asio::awaitable<std::vector<Answer<TenantState>>> Watch::ask(std::vector<base::TenantId> tenants) {
  std::vector<asio::awaitable<Answer<TenantState>>> questions;
  for (const base::TenantId& tenant : tenants) {
    Caller caller = caller_;
    caller.deadline = steady_clock::now() + tools_.snapshot_wait;
    questions.push_back(snapshot_of(tools_.core, filter_, tenant, std::move(caller)));
  }
  auto asking = gather(std::move(questions));
  co_return co_await std::move(asking);
}

asio::awaitable<void> Watch::send_states(std::vector<base::TenantId> tenants) {
  const auto owe = [this](const base::TenantId& tenant) {
    place_.owed.push_back(wire::to_token(tenant.str()));
    WatchResponse response;
    *response.mutable_snapshot() = unreachable_part(tools_.core, tenant);
    push(std::move(response));
  };
  auto next = tenants.begin();
  while (next != tenants.end() && !over_) {
    std::vector<base::TenantId> batch;
    for (; next != tenants.end() && batch.size() < kFanOutMax; ++next) {
      if (tools_.core.directory.is_owned(*next, steady_clock::now())) {
        batch.push_back(*next);
      } else {
        owe(*next);
      }
    }
    auto asking = ask(batch);
    auto answers = co_await std::move(asking);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (!answers[i]) {
        owe(batch[i]);
        continue;
      }
      note(*answers[i]);
      for (auto& part : answers[i]->parts) {
        auto waiting = wait_for_space();
        co_await std::move(waiting);
        WatchResponse response;
        response.mutable_snapshot()->Swap(&part);
        push(std::move(response));
      }
    }
  }
}

// ---- The changes ----

// Reads the stream, settles what is owed, until something has to be done anew.
asio::awaitable<void> Watch::follow() {
  bool failed = false;
  if (wants_to_read()) {
    consumer_.reset();
    auto opening = open_consumer();
    failed = !co_await std::move(opening);
  }
  if (!over_ && !place_.owed.empty()) {
    auto settling = settle_debts();
    co_await std::move(settling);
  }
  if (over_ || (wants_to_read() && !failed)) co_return;
  if (failed) {
    wake_.expires_after(kReopenWait);
  } else if (!place_.owed.empty()) {
    wake_.expires_after(tools_.owed_wait);
  }
  co_await wake_.async_wait(kTuple);
  wake_.expires_at(asio::steady_timer::time_point::max());
}

bool Watch::wants_to_read() const {
  return !reading_ && waiting_.size() * 2 <= tools_.queue.responses_max &&
         waiting_bytes_ * 2 <= tools_.queue.bytes_max;
}

// False if that failed, and may be tried again.
asio::awaitable<bool> Watch::open_consumer() {
  bus::ConsumerOptions options;
  options.stream = tools_.stream;
  options.filter = filter_.tenant() ? wire::events_of(*filter_.tenant()) : wire::all_events();
  options.start.kind = bus::Start::Kind::sequence;
  options.start.sequence = (waiting_.empty() ? place_.sequence : waiting_.back().sequence) + 1;
  bus::OrderedConsumer::Handlers handlers;
  // They are not called any more once consumer_ is gone, so never without this object.
  handlers.on_message = [this](const bus::Delivery& delivery) { on_delivery(delivery); };
  handlers.on_end = [this](base::Error why, const std::string& detail) {
    reading_ = false;
    if (why == Errc::marker_expired) return end(expired());
    kLog.warning("reading events begins again", {{"error", why}, {"detail", detail}});
    wake_.cancel();
  };
  reading_ = true;
  unsure_.clear();
  std::string detail;
  auto opening = bus::OrderedConsumer::open(tools_.requests, executor_, std::move(options),
                                            std::move(handlers), detail);
  auto opened = co_await std::move(opening);
  if (opened) {
    consumer_ = std::move(*opened);
    for (Waiting& message : unsure_) {
      waiting_bytes_ += message.bytes.size();
      waiting_.push_back(std::move(message));
    }
    unsure_.clear();
    pump();
    co_return true;
  }
  reading_ = false;
  unsure_.clear();
  // Whether the stream is gone or only what we need of it makes no difference to the caller.
  if (opened.error() == Errc::marker_expired || opened.error() == Errc::key_not_found) {
    end(expired());
  } else {
    kLog.info("events cannot be read right now", {{"error", opened.error()}, {"detail", detail}});
  }
  co_return false;
}

// Sends the state of those tenants that can be asked by now.
asio::awaitable<void> Watch::settle_debts() {
  std::vector<base::TenantId> tenants;
  for (const std::string& token : place_.owed) {
    const auto id = wire::from_token(token);
    if (!id || tenants.size() == kFanOutMax) continue;
    if (tools_.core.directory.is_owned(base::TenantId(*id), steady_clock::now())) {
      tenants.emplace_back(*id);
    }
  }
  auto asking = ask(tenants);
  auto answers = co_await std::move(asking);
  for (std::size_t i = 0; i < answers.size() && !over_; ++i) {
    auto waiting = wait_for_space();
    co_await std::move(waiting);
    // Events may have gone out while the owner answered: a state that does not take them in would
    // bring back what they ended. It is asked again.
    if (!answers[i] || !takes_in_all_told(*answers[i])) continue;
    std::erase(place_.owed, wire::to_token(tenants[i].str()));
    note(*answers[i]);
    for (auto& part : answers[i]->parts) {
      WatchResponse response;
      response.mutable_snapshot()->Swap(&part);
      push(std::move(response));
    }
  }
}

asio::awaitable<void> Watch::wait_for_space() {
  while (!over_ && !stream_->has_space()) co_await wake_.async_wait(kTuple);
}

void Watch::on_delivery(const bus::Delivery& delivery) {
  if (over_ || !reading_) return;
  if (consumer_ && waiting_.empty() && stream_->has_space()) {
    return pass_on(delivery.payload(), delivery.sequence());
  }
  if (waiting_.size() + unsure_.size() >= tools_.queue.responses_max ||
      waiting_bytes_ >= tools_.queue.bytes_max) {
    // Not an error: what is left out here is read again once there is space.
    reading_ = false;
    tools_.metrics.watch_pauses.add();
    wake_.cancel();
    return;
  }
  Waiting message{std::string(delivery.payload()), delivery.sequence()};
  if (!consumer_) return unsure_.push_back(std::move(message));
  waiting_bytes_ += message.bytes.size();
  waiting_.push_back(std::move(message));
}

void Watch::pump() {
  while (!over_ && !waiting_.empty() && stream_->has_space()) {
    const Waiting message = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= message.bytes.size();
    pass_on(message.bytes, message.sequence);
  }
}

void Watch::pass_on(std::string_view bytes, std::uint64_t sequence) {
  place_.sequence = sequence;
  auto event = wire::decode_event(bytes);
  if (!event) {
    tools_.metrics.unreadable_events.add();
    return;
  }
  if (!may_see(event->tenant()) || !is_news(*event) || !filter_.passes(*event)) return;
  WatchResponse response;
  response.mutable_event()->Swap(&*event);
  tools_.metrics.watch_events.add();
  push(std::move(response));
}

bool Watch::may_see(const std::string& tenant_name) const {
  if (filter_.tenant()) return true;  // the gate has seen to it, and the consumer gets no other
  const auto tenant = wire::parse_tenant(tenant_name);
  return tenant && caller_.right->may(*tenant);
}

bool Watch::is_news(const Event& event) {
  const Position position{event.epoch(), event.sequence()};
  Told& told = told_[event.tenant()];
  if (position <= told.last) return false;  // twice, or from a former owner
  told.last = position;
  switch (event.body_case()) {
    case Event::kCallEvent: return position > told.calls;
    case Event::kDeviceEvent: return position > told.devices;
    default: return position.epoch >= std::max(told.calls, told.devices).epoch;
  }
}

bool Watch::takes_in_all_told(const TenantState& state) const {
  const auto found = told_.find(wire::tenant_name(state.tenant));
  if (found == told_.end()) return true;
  const Position& last = found->second.last;
  return (!filter_.wants_calls() || last <= state.calls) &&
         (!filter_.wants_devices() || last <= state.devices);
}

void Watch::note(const TenantState& state) {
  Told& told = told_[wire::tenant_name(state.tenant)];
  told.calls = state.calls;
  told.devices = state.devices;
}

void Watch::push(WatchResponse response) {
  if (!initial_ && place_.owed.size() <= kOwedMax) {
    std::string marker = marker_of(place_, filter_.canonical());
    if (marker.size() <= kMarkerMax) response.set_resume_marker(std::move(marker));
  }
  stream_->push(std::move(response));
}

// ---- The end ----

void Watch::watch_patience() {
  patience_.expires_at(std::min(steady_clock::now() + tools_.patience / 4, ends_));
  patience_.async_wait([weak = weak_from_this()](base::Error cancelled) {
    const auto watch = weak.lock();
    if (cancelled || !watch || watch->over_) return;
    const auto now = steady_clock::now();
    if (now >= watch->ends_) return watch->end(resumable(too_old(), watch->marker()));
    const auto idle = now - watch->stream_->progress();
    if (!watch->stream_->has_space() && idle > watch->tools_.patience) {
      watch->tools_.metrics.watchers_too_slow.add();
      log_slow_watcher(watch->caller_, watch->filter_, idle);
      return watch->end(resumable(too_slow(), watch->marker()));
    }
    watch->watch_patience();
  });
}

// Where the caller can go on: what is not on its way to him by now is not counted.
std::string Watch::marker() const {
  std::string last = stream_->last_marker();
  return last.empty() ? request_.resume_marker() : last;
}

void Watch::end(const google::rpc::Status& status) {
  if (over_) return;
  over_ = true;
  stream_->finish(to_grpc(status));
  wake_.cancel();
}

}  // namespace control
