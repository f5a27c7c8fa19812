#include "connector/signal_desk.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "connector/command_inbox.h"
#include "telemetry/log.h"
#include "wire/signalling.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;
using pbxgw::v1::OwnerReply;
using pbxgw::v1::SignalCommand;
using pbxgw::v1::SignalResponse;
using pbxgw::v1::SignalResult;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto kLog = telemetry::log::Logger("signal");
constexpr auto kWaitMax = 30s;
// A reply must fit into a NATS message (1 MB): the rest waits for the next poll.
constexpr int kBatchMax = 100;
constexpr std::size_t kBatchBytesMax = 256 << 10;

struct Stream {
  std::string name;
  call::SignalId id = 0;
  steady_clock::time_point opened = steady_clock::now();
  bool ready = false;                       // the session takes messages
  std::optional<google::rpc::Status> over;  // told once nothing waits before it
  std::uint64_t heard = 0;                  // the last message from the client, by number
  std::deque<SignalResponse> waiting;       // for the client
  std::uint64_t first = 1;                  // the number of the first of them
  std::size_t bytes = 0;                    // their size
  SignalDesk::Done poll;                    // the one under way
  steady_clock::time_point due;             // of the poll's answer, or else of the stream's end
};
using StreamPtr = std::shared_ptr<Stream>;

OwnerReply with_result() {
  OwnerReply reply;
  reply.mutable_signal_result();
  return reply;
}

OwnerReply with_end(const google::rpc::Status& status) {
  OwnerReply reply;
  *reply.mutable_signal_result()->mutable_ended() = status;
  return reply;
}

google::rpc::Status status_of(base::Error why, const std::string& detail) {
  wire::Failure failure;
  failure.why = why;
  failure.detail = detail;
  return wire::to_status(failure);
}

// Most likely it was opened at another owner; or it has expired.
google::rpc::Status unknown_stream() {
  return status_of(Errc::owner_moving,
                   "The tenant's owner does not have this stream: open a new one.");
}

// How long to wait for the first word.
std::chrono::nanoseconds wait_of(const SignalCommand::Poll& poll) {
  const auto& wait = poll.wait();
  const std::chrono::seconds whole(std::clamp<std::int64_t>(wait.seconds(), 0, kWaitMax.count()));
  const std::chrono::nanoseconds rest(std::clamp(wait.nanos(), 0, 999'999'999));
  return std::min<std::chrono::nanoseconds>(whole + rest, kWaitMax);
}

}  // namespace

struct SignalDesk::Impl : std::enable_shared_from_this<Impl> {
  const asio::any_io_executor executor;
  const Owner owner;
  const Limits limits;
  const Metrics& metrics;
  std::unordered_map<std::string, StreamPtr> streams;  // by name
  std::map<call::SignalId, StreamPtr> live;            // those that have not ended
  std::set<std::pair<steady_clock::time_point, call::SignalId>> dues;
  std::unordered_map<call::SignalId, StreamPtr> by_id;  // all of them
  std::vector<call::SignalId> to_close;
  call::SignalId last_id = 0;  // over all sessions
  asio::steady_timer timer;

  Impl(asio::any_io_executor on, Owner of, Limits within, const Metrics& counts)
      : executor(std::move(on)),
        owner(std::move(of)),
        limits(within),
        metrics(counts),
        timer(executor) {}

  // ---- Requests.

  void open(const std::string& name, const SignalCommand::Open& asked, const Done& done) {
    if (streams.contains(name)) return done(with_result());
    const auto options = wire::from_proto(owner.tenant, asked.options());
    if (name.empty() || !options) {
      return done(reply_of({Errc::invalid_argument, "", "open.device", {}}));
    }
    if (const auto refused = owner.refusal(options->device)) return done(reply_of(*refused));
    if (streams.size() >= limits.streams_max) {
      const std::string most = std::to_string(limits.streams_max);
      return done(reply_of({Errc::too_many_requests,
                            "There are " + most + " media clients of this tenant already.",
                            "",
                            {{"limit", most}}}));
    }
    const auto stream = std::make_shared<Stream>();
    stream->name = name;
    stream->id = ++last_id;
    streams[name] = by_id[stream->id] = live[stream->id] = stream;
    expect(*stream, limits.life);
    metrics.signal_opened.add();
    metrics.signal_streams.add(1);
    kLog.info("stream opened", {{"tenant", owner.tenant},
                                {"stream", stream->id},
                                {"device", options->device},
                                {"receives_calls", options->receives_calls}});
    owner.open(stream->id, *options);
    done(with_result());
  }

  void send(const StreamPtr& stream, const SignalCommand::Send& asked, const Done& done) {
    if (const auto obstacle = owner.obstacle()) return done(reply_of(*obstacle));
    auto number = asked.first_number();
    for (const auto& request : asked.messages()) {
      if (stream->over) break;  // the poll tells
      if (number++ <= stream->heard) continue;
      const auto message = wire::from_proto(request);
      // Control never sends these.
      if (number - 1 != stream->heard + 1 || !stream->ready || !message) {
        end(stream, Errc::internal, "", "internal");
        owner.close(stream->id);
        break;
      }
      ++stream->heard;
      metrics.signal_from_clients.add();
      owner.say(stream->id, *message);
    }
    done(with_result());
  }

  void poll(const StreamPtr& stream, const SignalCommand::Poll& asked, Done done) {
    // One that was given up: its successor knows better.
    if (const auto former = std::exchange(stream->poll, nullptr)) former(with_result());
    while (!stream->waiting.empty() && stream->first <= asked.after()) {
      stream->bytes -= stream->waiting.front().ByteSizeLong();
      stream->waiting.pop_front();
      ++stream->first;
    }
    stream->poll = std::move(done);
    expect(*stream, wait_of(asked));
    answer(*stream);
  }

  void close(const StreamPtr& stream, const Done& done) {
    if (!stream->over) {
      end(stream, Errc::owner_moving, "", "closed");
      owner.close(stream->id);
    }
    forget(*stream);
    done(with_result());
  }

  // ---- Streams.

  // Answers the poll under way, if there is something to say.
  void answer(Stream& stream, bool even_nothing = false) {
    if (!stream.poll || (stream.waiting.empty() && !stream.over && !even_nothing)) return;
    OwnerReply reply = with_result();
    SignalResult& result = *reply.mutable_signal_result();
    result.set_first_number(stream.first);
    std::size_t bytes = 0;
    for (const auto& message : stream.waiting) {
      bytes += message.ByteSizeLong();
      if (result.messages_size() == kBatchMax ||
          (result.messages_size() > 0 && bytes > kBatchBytesMax)) {
        break;
      }
      *result.add_messages() = message;
    }
    const bool all = static_cast<std::size_t>(result.messages_size()) == stream.waiting.size();
    if (all && stream.over) *result.mutable_ended() = *stream.over;
    expect(stream, limits.life);
    std::exchange(stream.poll, nullptr)(std::move(reply));
  }

  void push(const StreamPtr& stream, SignalResponse message) {
    const auto size = message.ByteSizeLong();
    if (size > limits.message_bytes_max) {
      return give_up(stream, Errc::message_too_big, "What the PBX said is too big to pass on.");
    }
    if (stream->waiting.size() >= limits.messages_max || stream->bytes + size > limits.bytes_max) {
      return give_up(stream, Errc::overloaded,
                     "The client has not read what was sent to it: open a new stream.");
    }
    stream->bytes += size;
    stream->waiting.push_back(std::move(message));
    metrics.signal_to_clients.add();
    answer(*stream);
  }

  // Ends a stream that the session has still. Not from within its effects: it does one thing at a
  // time.
  void give_up(const StreamPtr& stream, base::Error why, const std::string& detail) {
    end(stream, why, detail, base::name_of(why));
    to_close.push_back(stream->id);
    asio::post(executor, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      for (const auto id : std::exchange(self->to_close, {})) self->owner.close(id);
    });
  }

  void end(const StreamPtr& stream, base::Error why, const std::string& detail,
           const char* reason) {
    if (stream->over) return;
    stream->over = status_of(why, detail);
    live.erase(stream->id);
    metrics.signal_streams.add(-1);
    metrics.signal_ended.at({reason}).add();
    kLog.info("stream ended", {{"tenant", owner.tenant},
                               {"stream", stream->id},
                               {"reason", reason},
                               {"detail", detail},
                               {"seconds", steady_clock::now() - stream->opened}});
    answer(*stream);
  }

  void forget(Stream& stream) {
    dues.erase({stream.due, stream.id});
    streams.erase(stream.name);
    by_id.erase(stream.id);  // may be the last one to hold it
  }

  // ---- Time.

  void expect(Stream& stream, std::chrono::nanoseconds within) {
    dues.erase({stream.due, stream.id});
    stream.due = steady_clock::now() + std::chrono::ceil<steady_clock::duration>(within);
    dues.emplace(stream.due, stream.id);
    if (dues.begin()->second == stream.id) wait();
  }

  void wait() {
    if (dues.empty()) return;
    timer.expires_at(dues.begin()->first);
    timer.async_wait([weak = weak_from_this()](base::Error cancelled) {
      const auto self = weak.lock();
      if (cancelled || !self) return;
      const auto now = steady_clock::now();
      while (!self->dues.empty() && self->dues.begin()->first <= now) {
        self->expire(self->by_id.at(self->dues.begin()->second));
      }
      self->wait();
    });
  }

  void expire(const StreamPtr stream) {
    if (stream->poll) return answer(*stream, true);
    if (!stream->over) {
      end(stream, Errc::timed_out, "", "expired");
      owner.close(stream->id);
    }
    forget(*stream);
  }
};

SignalDesk::SignalDesk(asio::any_io_executor executor, Owner owner, Limits limits,
                       const Metrics& metrics)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(owner), limits, metrics)) {}

SignalDesk::~SignalDesk() {
  impl_->metrics.signal_streams.add(-static_cast<double>(impl_->live.size()));
}

void SignalDesk::take(const SignalCommand& asked, Done done) {
  if (asked.has_open()) return impl_->open(asked.stream(), asked.open(), done);
  const auto found = impl_->streams.find(asked.stream());
  if (found == impl_->streams.end()) return done(with_end(unknown_stream()));
  const StreamPtr stream = found->second;
  switch (asked.step_case()) {
    case SignalCommand::kSend: return impl_->send(stream, asked.send(), done);
    case SignalCommand::kPoll: return impl_->poll(stream, asked.poll(), std::move(done));
    case SignalCommand::kClose: return impl_->close(stream, done);
    default:
      return done(reply_of({Errc::internal, "not a step of a media client's stream", "", {}}));
  }
}

void SignalDesk::said(const pbx::Signal& it) {
  const auto found = impl_->live.find(it.id);
  if (found == impl_->live.end()) return;
  const StreamPtr stream = found->second;
  if (std::holds_alternative<call::SignalReady>(it.message)) stream->ready = true;
  impl_->push(stream, wire::to_proto(it.message));
}

void SignalDesk::ended(const pbx::EndSignal& it) {
  const auto found = impl_->live.find(it.id);
  if (found == impl_->live.end()) return;
  const StreamPtr stream = found->second;
  impl_->end(stream, it.why, it.detail, base::name_of(it.why));
}

void SignalDesk::end_all(base::Error why, const std::string& detail) {
  impl_->to_close.clear();
  while (!impl_->live.empty()) {
    const StreamPtr stream = impl_->live.begin()->second;
    impl_->end(stream, why, detail, base::name_of(why));
  }
}

}  // namespace connector
