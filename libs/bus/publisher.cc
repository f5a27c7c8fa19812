#include "bus/publisher.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bus/inbox.h"
#include "bus/jetstream.h"
#include "bus/link.h"
#include "bus/pub_ack.h"
#include "bus/status.h"

namespace bus {

namespace asio = boost::asio;
using base::Errc;
using std::chrono::milliseconds;

namespace {

TimePoint now() { return std::chrono::steady_clock::now(); }

struct Queued {
  Message message;
  std::chrono::system_clock::time_point since;
};

std::size_t size_of(const Message& message) {
  return message.subject.size() + message.id.size() + message.payload.size() + sizeof(Queued);
}

// Trying again would not help.
bool is_final(base::Error error) {
  return error == Errc::message_too_big || error == Errc::invalid_argument;
}

// Whoever waits for a queue to become empty.
using Waiters = std::vector<std::shared_ptr<asio::steady_timer>>;

void wake(const Waiters& waiters) {
  for (const auto& it : waiters) it->cancel();
}

}  // namespace

// A lane is idle (empty), ready (has its turn when there is room in flight and a connection), in
// flight (sent, unanswered), looking up (asking whether an old attempt was stored), or waiting (to
// try again). An acknowledgement is taken in any of these: it may be that of an earlier attempt.
struct Lane::State : std::enable_shared_from_this<State> {
  enum class Phase { idle, ready, in_flight, looking_up, waiting };

  std::weak_ptr<Publisher::Impl> publisher;
  std::uint64_t id = 0;
  std::shared_ptr<const Handlers> handlers;
  std::deque<Queued> queue;
  std::size_t bytes = 0;
  Phase phase = Phase::idle;
  std::uint64_t front_number = 0;  // counts the messages, so that an answer finds its own
  unsigned attempts = 0;           // of the front message, as are the next two
  TimePoint first_sent{};
  TimePoint due{};  // in flight: give up; waiting: try again
  bool starved = false;
  Waiters waiters;
};

// All members on the connection's executor.
struct Publisher::Impl : std::enable_shared_from_this<Impl> {
  using LaneState = Lane::State;
  using Phase = LaneState::Phase;
  using LanePointer = std::shared_ptr<LaneState>;

  const std::shared_ptr<Connection> connection;
  const PublisherOptions options;
  const std::string inbox = connection->new_inbox() + ".";
  std::unique_ptr<Inbox> answers;
  SpentMessages spent;
  std::uint64_t listener = 0;
  std::unordered_map<std::uint64_t, LanePointer> lanes;
  std::uint64_t last_lane = 0;
  std::deque<LanePointer> ready;  // may hold lanes that are not ready any more
  std::set<std::pair<TimePoint, LaneState*>> dues;
  asio::steady_timer due_timer, age_timer;
  PublisherStatistics counts;
  Waiters waiters;
  std::uint64_t random = 0x9e3779b97f4a7c15;
  bool pumping = false;

  Impl(std::shared_ptr<Connection> with, PublisherOptions how)
      : connection(std::move(with)),
        options(std::move(how)),
        due_timer(connection->executor()),
        age_timer(connection->executor()) {
    due_timer.expires_at(TimePoint::max());
  }

  void start() {
    Inbox::Handlers handlers;
    handlers.on_message = [weak = weak_from_this()](MessageHandle message) {
      const auto self = weak.lock();
      if (!self) return;
      self->on_answer(message.get());
      self->spent.add(std::move(message));
    };
    handlers.on_no_responders = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->on_no_responders();
    };
    auto opened = Inbox::open(connection, inbox + "*.*", std::move(handlers));
    if (opened) answers = std::move(*opened);  // or the connection is closed for good
    listener = connection->listen([weak = weak_from_this()](ConnectionEvent event, const auto&) {
      const auto self = weak.lock();
      if (!self) return;
      const bool renewed = event == ConnectionEvent::renewed;
      if (event == ConnectionEvent::disconnected || renewed) self->on_disconnected();
      if (event == ConnectionEvent::connected || renewed) self->on_connected();
    });
    if (options.lane.age_max.count() > 0) watch_age();
  }

  void end() {
    answers.reset();
    connection->forget(listener);
    due_timer.cancel();
    age_timer.cancel();
    ready.clear();
    dues.clear();
    for (const auto& [id, lane] : lanes) lane->publisher.reset();
    lanes.clear();
    wake(waiters);
  }

  // In and out of the queues.

  bool offer(LaneState& lane, Message message) {
    const auto size = size_of(message);
    if (lane.queue.size() >= options.lane.messages_max ||
        lane.bytes + size > options.lane.bytes_max || counts.bytes + size > options.bytes_max) {
      ++counts.refused;
      lane.starved = true;
      return false;
    }
    lane.queue.push_back({std::move(message), std::chrono::system_clock::now()});
    lane.bytes += size;
    counts.bytes += size;
    ++counts.depth;
    if (lane.phase == Phase::idle) {
      make_ready(lane);
      pump();
    }
    return true;
  }

  Message pop(LaneState& lane) {
    Message message = std::move(lane.queue.front().message);
    lane.queue.pop_front();
    const auto size = size_of(message);
    const auto before = counts.bytes;
    lane.bytes -= size;
    counts.bytes -= size;
    --counts.depth;
    ++lane.front_number;
    lane.attempts = 0;
    tell_space(lane);
    if (before > options.bytes_max / 2 && counts.bytes <= options.bytes_max / 2) {
      for (const auto& [id, other] : lanes) tell_space(*other);
    }
    if (lane.queue.empty()) wake(lane.waiters);
    if (counts.depth == 0) wake(waiters);
    return message;
  }

  void tell_space(LaneState& lane) {
    if (!lane.starved || lane.queue.size() > options.lane.messages_max / 2 ||
        lane.bytes > options.lane.bytes_max / 2 || counts.bytes > options.bytes_max / 2) {
      return;
    }
    lane.starved = false;
    asio::post(connection->executor(), [weak = lane.weak_from_this()] {
      const auto it = weak.lock();
      const auto handlers = it ? it->handlers : nullptr;
      if (handlers && handlers->on_space) handlers->on_space();
    });
  }

  // Between the phases.

  void leave_phase(LaneState& lane) {
    if (lane.phase == Phase::in_flight || lane.phase == Phase::looking_up) --counts.in_flight;
    if (lane.phase == Phase::in_flight || lane.phase == Phase::waiting) {
      dues.erase({lane.due, &lane});
    }
    lane.phase = Phase::idle;
  }

  void make_ready(LaneState& lane) {
    leave_phase(lane);
    if (lane.queue.empty()) return;
    lane.phase = Phase::ready;
    ready.push_back(lane.shared_from_this());
  }

  void set_due(LaneState& lane, Phase phase, milliseconds after) {
    lane.phase = phase;
    lane.due = now() + after;
    dues.emplace(lane.due, &lane);
    if (lane.due < due_timer.expiry()) watch_dues();
  }

  void pump() {
    // A lane that is lost here (see send()) makes the next one ready: not by recursion.
    if (std::exchange(pumping, true)) return;
    while (!ready.empty() && counts.in_flight < options.in_flight_max && connection->connected()) {
      const auto lane = std::move(ready.front());
      ready.pop_front();
      if (lane->phase != Phase::ready) continue;
      leave_phase(*lane);
      if (lane->handlers->may_send && !lane->handlers->may_send()) continue;
      if (lane->attempts > 0 && now() - lane->first_sent >= options.duplicate_window / 2) {
        look_up(*lane);
      } else {
        send(*lane);
      }
    }
    pumping = false;
  }

  void send(LaneState& lane) {
    const Message& message = lane.queue.front().message;
    ++counts.attempts;
    if (lane.attempts++ == 0) {
      lane.first_sent = now();
    } else {
      ++counts.retries;
    }
    const auto status = publish(lane, message);
    ++counts.in_flight;
    set_due(lane, Phase::in_flight, options.ack_timeout);
    if (status == NATS_OK) return;
    ++counts.failures.not_sent;
    fail(lane, to_error(status));
  }

  natsStatus publish(const LaneState& lane, const Message& message) {
    const auto reply = inbox + std::to_string(lane.id) + '.' + std::to_string(lane.front_number);
    natsMsg* raw = nullptr;
    auto status = natsMsg_Create(&raw, message.subject.c_str(), reply.c_str(),
                                 message.payload.data(), static_cast<int>(message.payload.size()));
    MessageHandle handle(raw);
    if (status == NATS_OK) status = natsMsgHeader_Set(raw, "Nats-Msg-Id", message.id.c_str());
    if (status == NATS_OK && message.content_type != nullptr) {
      status = natsMsgHeader_Set(raw, "content-type", message.content_type);
    }
    if (status == NATS_OK) status = natsConnection_PublishMsg(connection->handle(), raw);
    if (handle) spent.add(std::move(handle));
    return status;
  }

  // The stream may have forgotten the message's id, so that sending it again could store it twice.
  void look_up(LaneState& lane) {
    ++counts.lookups;
    ++counts.in_flight;
    lane.phase = Phase::looking_up;
    const Message& message = lane.queue.front().message;
    auto job = [link = connection->link(), stream = options.stream, subject = message.subject] {
      return last_message_now(link.get(), stream, subject);
    };
    auto done = [weak = weak_from_this(), executor = connection->executor(), lane = lane.id,
                 number = lane.front_number](base::Result<StoredMessage> found) {
      asio::post(executor, [weak, lane, number, found = std::move(found)] {
        if (const auto self = weak.lock()) self->on_found(lane, number, found);
      });
    };
    connection->worker().submit(std::move(job), std::move(done));
  }

  // What came of it.

  LanePointer find(std::uint64_t id, std::uint64_t number) const {
    const auto found = lanes.find(id);
    if (found == lanes.end() || found->second->queue.empty()) return nullptr;
    return found->second->front_number == number ? found->second : nullptr;
  }

  void on_answer(natsMsg* message) {
    const std::string_view subject = natsMsg_GetSubject(message);
    const char* const end = subject.data() + subject.size();
    std::uint64_t id = 0, number = 0;
    const auto dot = std::from_chars(subject.data() + inbox.size(), end, id).ptr;
    if (dot != end) std::from_chars(dot + 1, end, number);
    const auto lane = find(id, number);
    if (!lane) return;  // an attempt whose message was settled by another's answer
    Refusal refusal;
    const auto ack = parse_pub_ack(
        {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))},
        refusal);
    if (ack) return acknowledge(*lane, {ack->sequence, ack->duplicate});
    ++counts.failures.rejected;
    fail(*lane, ack.error());
  }

  // There is no stream, or it has no leader. Whose answer this is is not said; the longest waiting
  // is taken for it. If it was another's, its message is sent once more, and stored once.
  void on_no_responders() {
    ++counts.failures.no_responders;
    const auto due = std::find_if(dues.begin(), dues.end(), [](const auto& it) {
      return it.second->phase == Phase::in_flight;
    });
    if (due != dues.end()) fail(*due->second, Errc::bus_unavailable);
  }

  void on_found(std::uint64_t id, std::uint64_t number, const base::Result<StoredMessage>& found) {
    const auto lane = find(id, number);
    if (!lane || lane->phase != Phase::looking_up) return;
    if (found && found->id == lane->queue.front().message.id) {
      return acknowledge(*lane, {found->sequence, true});
    }
    if (!found && found.error() != Errc::key_not_found) return fail(*lane, found.error());
    // It was not stored, so the window begins anew with the next attempt.
    lane->first_sent = now();
    make_ready(*lane);
    pump();
  }

  void acknowledge(LaneState& lane, Ack ack) {
    ++counts.acks;
    if (ack.duplicate) ++counts.duplicates;
    const auto keep = lane.shared_from_this();  // the handler may destroy the lane
    leave_phase(lane);
    const Message message = pop(lane);
    make_ready(lane);
    pump();
    const auto handlers = lane.handlers;
    if (handlers && handlers->on_ack) handlers->on_ack(message, ack);
  }

  void fail(LaneState& lane, base::Error why) {
    if (is_final(why)) return lose(lane, 1, why);
    if (lane.phase == Phase::waiting || lane.phase == Phase::ready) return;
    leave_phase(lane);
    set_due(lane, Phase::waiting, retry_delay(lane.attempts));
    lose_old(lane);
    pump();
  }

  milliseconds retry_delay(unsigned attempts) {
    if (attempts <= 2) return options.retry_wait;
    random = random * 6364136223846793005u + 1442695040888963407u;
    return base::delay_of(options.backoff, attempts - 3, random >> 33);
  }

  void lose(LaneState& lane, std::size_t count, base::Error why) {
    const auto keep = lane.shared_from_this();
    Loss loss;
    loss.why = why;
    loss.count = count;
    loss.first_may_be_stored = lane.attempts > 0 && !is_final(why);
    leave_phase(lane);
    for (std::size_t i = 0; i < count; ++i) {
      const Message message = pop(lane);
      if (i == 0) loss.first_number = message.number, loss.first_id = message.id;
      if (i + 1 == count) loss.last_number = message.number, loss.last_id = message.id;
    }
    counts.lost += count;
    make_ready(lane);
    pump();
    const auto handlers = lane.handlers;
    if (handlers && handlers->on_loss) handlers->on_loss(loss);
  }

  // Messages on their way are left alone: their answers decide.
  void lose_old(LaneState& lane) {
    if (options.lane.age_max.count() == 0) return;
    if (lane.phase == Phase::in_flight || lane.phase == Phase::looking_up) return;
    const auto oldest = std::chrono::system_clock::now() - options.lane.age_max;
    const auto young = std::find_if(lane.queue.begin(), lane.queue.end(),
                                    [&](const Queued& it) { return it.since > oldest; });
    const auto count = static_cast<std::size_t>(young - lane.queue.begin());
    if (count > 0) lose(lane, count, Errc::timed_out);
  }

  // Time and the connection.

  void watch_dues() {
    due_timer.expires_at(dues.empty() ? TimePoint::max() : dues.begin()->first);
    if (dues.empty()) return;
    due_timer.async_wait([weak = weak_from_this()](base::Error error) {
      const auto self = weak.lock();
      if (error || !self) return;
      self->on_due();
    });
  }

  void on_due() {
    const auto time = now();
    while (!dues.empty() && dues.begin()->first <= time) {
      const auto lane = dues.begin()->second->shared_from_this();
      if (lane->phase == Phase::in_flight) {
        ++counts.failures.timed_out;
        fail(*lane, Errc::timed_out);
      } else {
        make_ready(*lane);
        pump();
      }
    }
    watch_dues();
  }

  void on_disconnected() {
    for (const auto& lane : all_lanes()) {
      if (lane->phase == Phase::in_flight) {
        ++counts.failures.disconnected;
        make_ready(*lane);
      }
      lose_old(*lane);
    }
    pump();
  }

  void on_connected() {
    for (const auto& lane : all_lanes()) {
      if (lane->phase == Phase::waiting) make_ready(*lane);
    }
    pump();
  }

  void watch_age() {
    age_timer.expires_after(
        std::clamp(options.lane.age_max / 8, milliseconds(10), milliseconds(1'000)));
    age_timer.async_wait([weak = weak_from_this()](base::Error error) {
      const auto self = weak.lock();
      if (error || !self) return;
      for (const auto& lane : self->all_lanes()) self->lose_old(*lane);
      self->watch_age();
    });
  }

  // A copy: handlers may open and close lanes.
  std::vector<LanePointer> all_lanes() const {
    std::vector<LanePointer> all;
    all.reserve(lanes.size());
    for (const auto& [id, lane] : lanes) all.push_back(lane);
    return all;
  }

  void close(LaneState& lane) {
    leave_phase(lane);
    counts.depth -= lane.queue.size();
    counts.bytes -= lane.bytes;
    lane.queue.clear();
    lane.bytes = 0;
    lanes.erase(lane.id);
    for (const auto& [id, other] : lanes) tell_space(*other);
    if (counts.depth == 0) wake(waiters);
    pump();
  }
};

namespace {

// `empty` and `waiters` are those of an object that the caller keeps alive.
asio::awaitable<bool> wait_empty(asio::any_io_executor executor, std::function<bool()> empty,
                                 Waiters& waiters, milliseconds deadline) {
  const auto end = now() + deadline;
  const auto timer = std::make_shared<asio::steady_timer>(executor);
  waiters.push_back(timer);
  while (!empty() && now() < end) {
    timer->expires_at(end);
    co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
  }
  std::erase(waiters, timer);
  co_return empty();
}

}  // namespace

Lane::~Lane() {
  state_->handlers.reset();
  if (const auto publisher = state_->publisher.lock()) publisher->close(*state_);
  wake(state_->waiters);
}

bool Lane::offer(Message message) {
  const auto publisher = state_->publisher.lock();
  return publisher && publisher->offer(*state_, std::move(message));
}

std::size_t Lane::depth() const { return state_->queue.size(); }
std::size_t Lane::bytes() const { return state_->bytes; }

asio::awaitable<bool> Lane::drained(milliseconds deadline) {
  const auto publisher = state_->publisher.lock();
  const auto state = state_;
  if (!publisher) co_return state->queue.empty();
  std::function<bool()> empty = [&state] { return state->queue.empty(); };
  auto pending =
      wait_empty(publisher->connection->executor(), std::move(empty), state->waiters, deadline);
  co_return co_await std::move(pending);
}

Publisher::Publisher(std::shared_ptr<Connection> connection, PublisherOptions options)
    : impl_(std::make_shared<Impl>(std::move(connection), std::move(options))) {
  impl_->start();
}

Publisher::~Publisher() { impl_->end(); }

std::unique_ptr<Lane> Publisher::open_lane(Lane::Handlers handlers) {
  auto state = std::make_shared<Lane::State>();
  state->publisher = impl_;
  state->id = ++impl_->last_lane;
  state->handlers = std::make_shared<const Lane::Handlers>(std::move(handlers));
  impl_->lanes.emplace(state->id, state);
  return std::unique_ptr<Lane>(new Lane(std::move(state)));
}

PublisherStatistics Publisher::statistics() const {
  PublisherStatistics result = impl_->counts;
  result.lanes = impl_->lanes.size();
  for (const auto& [id, lane] : impl_->lanes) {
    if (lane->queue.empty()) continue;
    const auto since = lane->queue.front().since;
    if (result.oldest.time_since_epoch().count() == 0 || since < result.oldest) {
      result.oldest = since;
    }
  }
  return result;
}

asio::awaitable<bool> Publisher::drained(milliseconds deadline) {
  const auto impl = impl_;
  std::function<bool()> empty = [&impl] { return impl->counts.depth == 0; };
  auto pending =
      wait_empty(impl->connection->executor(), std::move(empty), impl->waiters, deadline);
  co_return co_await std::move(pending);
}

}  // namespace bus
