#include "bus/consumer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bus/json_fields.h"
#include "bus/link.h"
#include "bus/pub_ack.h"

namespace bus {

namespace asio = boost::asio;
using base::Errc;

namespace {

constexpr Duration kApiTimeout{5'000};
constexpr Duration kRetry{250};
constexpr const char* kNotTaken = "its messages were not taken in time";
// The server forgets a consumer whose subscription has been gone for so long.
constexpr std::chrono::nanoseconds kInactive = std::chrono::seconds(5);

// The request of JetStream's API for an ephemeral consumer that delivers to `inbox`.
Outgoing create_request(const ConsumerOptions& options, const Start& start,
                        const std::string& inbox) {
  std::string policy = R"("all")";
  if (start.kind == Start::Kind::last_per_subject) {
    policy = R"("last_per_subject")";
  } else if (start.sequence > 0) {
    policy = R"("by_start_sequence","opt_start_seq":)" + std::to_string(start.sequence);
  }
  const auto heartbeat = std::chrono::nanoseconds(options.heartbeat).count();
  std::string json = R"({"stream_name":")" + options.stream + R"(","config":{"deliver_subject":")" +
                     inbox + R"(","filter_subject":")" + options.filter +
                     R"(","ack_policy":"none","max_deliver":1,"replay_policy":"instant",)" +
                     R"("flow_control":true,"mem_storage":true,"num_replicas":1,)" +
                     R"("idle_heartbeat":)" + std::to_string(heartbeat) +
                     R"(,"inactive_threshold":)" + std::to_string(kInactive.count()) +
                     R"(,"deliver_policy":)" + policy + "}}";
  return {"$JS.API.CONSUMER.CREATE." + options.stream, std::move(json), {}};
}

// The reply of JetStream's API, or why there is none.
base::Result<std::string> check_reply(base::Result<std::string> reply, std::string& why) {
  if (!reply) {
    why = reply.error().message();
    // "No responders" means here that JetStream is off, or starting.
    return reply.error() == Errc::owner_moving ? Errc::bus_unavailable : reply.error();
  }
  Refusal refusal;
  if (!is_refusal(*reply, refusal)) return reply;
  why = refusal.description;
  return refusal.code == kStreamNotFound ? Errc::key_not_found : Errc::bus_unavailable;
}

bool is_plain(std::string_view subject) {
  return !subject.empty() && std::all_of(subject.begin(), subject.end(), [](char it) {
    return it > ' ' && it < 0x7f && it != '"' && it != '\\';
  });
}

const char* header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  return natsMsgHeader_Get(message, name, &value) == NATS_OK ? value : nullptr;
}

}  // namespace

std::optional<Delivery> Delivery::read(natsMsg* message) {
  // $JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<time>.<pending>, with
  // <domain>.<account> after ACK and something at the end by newer servers.
  const char* reply = natsMsg_GetReply(message);
  std::string_view rest = reply ? reply : "";
  if (!rest.starts_with("$JS.ACK.")) return std::nullopt;
  std::array<std::string_view, 13> tokens;
  std::size_t count = 0;
  while (!rest.empty() && count < tokens.size()) {
    const auto dot = std::min(rest.find('.'), rest.size());
    tokens[count++] = rest.substr(0, dot);
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  if (count < 9 || count == 10) return std::nullopt;
  const std::size_t first = count == 9 ? 5 : 7;
  std::array<std::uint64_t, 4> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto token = tokens[first + i];
    const auto parsed = std::from_chars(token.data(), token.data() + token.size(), numbers[i]);
    if (parsed.ec != std::errc{}) return std::nullopt;
  }
  Delivery delivery;
  delivery.message_ = message;
  delivery.sequence_ = numbers[0];
  delivery.consumer_sequence_ = numbers[1];
  delivery.stored_ = std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(numbers[2])));
  delivery.pending_ = numbers[3];
  return delivery;
}

std::string_view Delivery::payload() const {
  return {natsMsg_GetData(message_), static_cast<std::size_t>(natsMsg_GetDataLength(message_))};
}

std::string_view Delivery::header(const char* name) const {
  const char* value = header_of(message_, name);
  return value ? value : std::string_view{};
}

struct OrderedConsumer::Impl : std::enable_shared_from_this<Impl> {
  const std::shared_ptr<Requests> requests;
  const std::shared_ptr<Connection> connection;
  const asio::any_io_executor executor;
  const ConsumerOptions options;
  const Handlers handlers;
  std::unique_ptr<Feed> feed;
  asio::steady_timer silence;
  std::uint64_t listener = 0;           // on the connection's executor
  std::uint64_t next = 0;               // the lowest sequence not delivered yet; 0 at first
  std::uint64_t up_to = 0;              // the last there was for us when it was opened; 0: none
  std::uint64_t consumer_sequence = 0;  // of the last delivery
  unsigned opening = 0;                 // counts subscriptions; what an older one brings is ignored
  bool checking = false;                // whether nothing was removed that we have not seen
  std::vector<MessageHandle> held;      // what came meanwhile
  bool heard = false;                   // something, since the last look
  bool caught_up = false;
  bool ended = false;
  base::Error why_ended = Errc::shutting_down;

  Impl(std::shared_ptr<Requests> with, asio::any_io_executor where, ConsumerOptions what,
       Handlers whom)
      : requests(std::move(with)),
        connection(requests->connection()),
        executor(std::move(where)),
        options(std::move(what)),
        handlers(std::move(whom)),
        silence(executor) {}

  // A key-value bucket forgets old revisions all the time, which is no loss to who wants the last.
  bool wants_all() const { return options.start.kind != Start::Kind::last_per_subject; }

  asio::awaitable<base::Result<std::string>> ask(Outgoing request, std::string& why) {
    auto pending = requests->request(std::move(request), kApiTimeout);
    auto reply = co_await std::move(pending);
    co_return check_reply(std::move(reply), why);
  }

  asio::awaitable<base::Result<std::string>> ask_state(std::string& why) {
    Outgoing request{"$JS.API.STREAM.INFO." + options.stream, {}, {}};
    auto pending = ask(std::move(request), why);
    co_return co_await std::move(pending);
  }

  // The last message there is for us; 0 if there is none.
  asio::awaitable<base::Result<std::uint64_t>> ask_last(std::string& why) {
    Outgoing request{"$JS.API.STREAM.MSG.GET." + options.stream,
                     R"({"last_by_subj":")" + options.filter + "\"}",
                     {}};
    auto pending = requests->request(std::move(request), kApiTimeout);
    const auto reply = co_await std::move(pending);
    Refusal refusal;
    if (reply && is_refusal(*reply, refusal) && refusal.code == kMessageNotFound) {
      co_return std::uint64_t{0};
    }
    const auto found = check_reply(reply, why);
    if (!found) co_return found.error();
    co_return json_number<std::uint64_t>(*found, "\"seq\"").value_or(0);
  }

  // Begins to receive at `start`, instead of what was received before.
  asio::awaitable<base::Error> open(Start start, std::string& why) {
    const auto self = shared_from_this();
    const auto attempt = ++opening;
    const auto inbox = connection->new_inbox();
    if (const auto error = subscribe(inbox, attempt)) co_return error;
    auto creating = ask(create_request(options, start, inbox), why);
    const auto created = co_await std::move(creating);
    if (attempt != opening) co_return why_ended;
    if (!created) co_return created.error();
    if (start.kind == Start::Kind::sequence && start.sequence > 0) {
      auto asking = ask_state(why);
      const auto state = co_await std::move(asking);
      if (attempt != opening) co_return why_ended;
      if (!state) co_return state.error();
      if (!holds(*state, start.sequence, why)) co_return Errc::marker_expired;
      next = std::max(next, start.sequence);
    }
    if (!caught_up) {
      auto asking = ask_last(why);
      const auto last = co_await std::move(asking);
      if (attempt != opening) co_return why_ended;
      if (!last) co_return last.error();
      up_to = *last;
    }
    checking = false;
    for (const auto& it : std::exchange(held, {})) {
      on_message(it.get());
      if (attempt != opening) co_return why_ended;
    }
    listen_for_silence();
    if (next > up_to || up_to == 0) tell_caught_up();
    co_return base::Error{};
  }

  base::Error subscribe(const std::string& inbox, unsigned attempt) {
    feed.reset();
    consumer_sequence = 0;
    checking = true;
    held.clear();
    Feed::Handlers to;
    to.on_message = [weak = weak_from_this(), attempt](MessageHandle message) {
      const auto self = weak.lock();
      if (!self || self->opening != attempt) return;
      self->checking ? self->hold(std::move(message)) : self->on_message(message.get());
    };
    to.on_overflow = [weak = weak_from_this(), where = executor](natsConnection*, const natsMsg&) {
      asio::post(where, [weak] {
        if (const auto self = weak.lock()) self->end(Errc::overloaded, kNotTaken);
      });
    };
    auto made = Feed::subscribe(connection, executor, inbox, std::move(to), options.limits);
    if (!made) return made.error();
    feed = std::move(*made);
    return {};
  }

  bool holds(std::string_view state, std::uint64_t sequence, std::string& why) const {
    const auto first = json_number<std::uint64_t>(state, "\"first_seq\"").value_or(0);
    const auto last = json_number<std::uint64_t>(state, "\"last_seq\"").value_or(0);
    if ((sequence >= first || !wants_all()) && sequence <= last + 1) return true;
    why = "stream " + options.stream + " has " + std::to_string(first) + " to " +
          std::to_string(last) + ", wanted " + std::to_string(sequence);
    return false;
  }

  void hold(MessageHandle message) {
    if (held.size() >= options.limits.messages_max) return end(Errc::overloaded, kNotTaken);
    held.push_back(std::move(message));
  }

  void on_message(natsMsg* message) {
    heard = true;
    const auto delivery = Delivery::read(message);
    if (!delivery) return on_control(message);
    if (delivery->consumer_sequence() != consumer_sequence + 1) return begin_again();
    consumer_sequence = delivery->consumer_sequence();
    if (delivery->sequence() >= next) {
      next = delivery->sequence() + 1;
      handlers.on_message(*delivery);
    }
    // Not delivery->pending(): nats-server 2.9 sometimes counts one too many.
    if (next > up_to) tell_caught_up();
  }

  // Heartbeats, and requests to say how far we are ("flow control").
  void on_control(natsMsg* message) {
    const char* to = natsMsg_GetReply(message);
    const char* stalled = header_of(message, "Nats-Consumer-Stalled");
    if (!to) to = stalled;
    const auto link = connection->link();
    if (to && link) natsConnection_Publish(link->handle(), to, nullptr, 0);
    const char* last = header_of(message, "Nats-Last-Consumer");
    if (!last) return;
    if (std::string_view(last) != std::to_string(consumer_sequence)) return begin_again();
    // Nothing to deliver: the message that was last may have been removed since.
    if (!stalled) tell_caught_up();
  }

  void tell_caught_up() {
    if (ended || std::exchange(caught_up, true)) return;
    if (handlers.on_caught_up) handlers.on_caught_up();
  }

  void listen_for_silence() {
    heard = false;
    silence.expires_after(options.heartbeat * 2);
    silence.async_wait([weak = weak_from_this()](base::Error error) {
      const auto self = weak.lock();
      if (error || !self || self->ended) return;
      self->heard ? self->listen_for_silence() : self->begin_again();
    });
  }

  void watch_connection() {
    auto on_event = [weak = weak_from_this(), where = executor](ConnectionEvent event,
                                                                const std::string&) {
      if (event != ConnectionEvent::connected && event != ConnectionEvent::renewed) return;
      asio::post(where, [weak] {
        if (const auto self = weak.lock()) self->begin_again();
      });
    };
    asio::dispatch(connection->executor(), [self = shared_from_this(), on_event] {
      self->listener = self->connection->listen(on_event);
    });
  }

  // The server may have forgotten us, or not: to begin again at `next` is right in both cases.
  void begin_again() {
    if (ended) return;
    ++opening;
    silence.cancel();
    asio::co_spawn(executor, reopen(shared_from_this(), opening), asio::detached);
  }

  static asio::awaitable<void> reopen(std::shared_ptr<Impl> self, unsigned attempt) {
    std::string why;
    while (!self->ended && self->opening == attempt && self->connection->connected()) {
      Start start = self->options.start;
      if (self->next > 0) start = {.kind = Start::Kind::sequence, .sequence = self->next};
      auto opening = self->open(start, why);
      const auto error = co_await std::move(opening);
      if (self->ended || self->opening != ++attempt || !error) co_return;
      if (error == Errc::marker_expired && self->wants_all()) co_return self->end(error, why);
      // A bucket that was made anew: all its keys are news.
      if (error == Errc::marker_expired) self->next = 0;
      // JetStream comes up a little after the server does.
      asio::steady_timer timer(self->executor, kRetry);
      co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }

  void end(base::Error why, const std::string& detail) {
    if (ended) return;
    why_ended = why;
    stop();
    if (handlers.on_end) handlers.on_end(why, detail);
  }

  void stop() {
    ended = true;
    ++opening;
    feed.reset();
    silence.cancel();
  }

  void close() {
    stop();
    asio::dispatch(connection->executor(),
                   [self = shared_from_this()] { self->connection->forget(self->listener); });
  }
};

asio::awaitable<base::Result<std::unique_ptr<OrderedConsumer>>> OrderedConsumer::open(
    std::shared_ptr<Requests> requests, asio::any_io_executor executor, ConsumerOptions options,
    Handlers handlers, std::string& why) {
  if (!is_plain(options.stream) || !is_plain(options.filter)) co_return Errc::invalid_argument;
  auto impl = std::make_shared<Impl>(std::move(requests), std::move(executor), std::move(options),
                                     std::move(handlers));
  // Closes it if we fail below, or are never resumed.
  std::unique_ptr<OrderedConsumer> consumer(new OrderedConsumer(impl));
  Start start = impl->options.start;
  if (start.kind == Start::Kind::fresh) {
    auto asking = impl->ask_state(why);
    const auto state = co_await std::move(asking);
    if (!state) co_return state.error();
    const auto last = json_number<std::uint64_t>(*state, "\"last_seq\"").value_or(0);
    start = {.kind = Start::Kind::sequence, .sequence = last + 1};
  }
  auto opening = impl->open(start, why);
  if (const auto error = co_await std::move(opening)) co_return error;
  impl->watch_connection();
  co_return consumer;
}

OrderedConsumer::~OrderedConsumer() { impl_->close(); }

}  // namespace bus
