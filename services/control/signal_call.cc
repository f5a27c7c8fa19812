#include "control/signal_call.h"

#include <algorithm>
#include <array>
#include <random>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <google/protobuf/util/time_util.h>

#include "control/dispatcher.h"
#include "control/grpc_status.h"
#include "control/signal_fields.h"
#include "telemetry/log.h"

namespace control {

namespace asio = boost::asio;
using base::Errc;
using google::protobuf::util::TimeUtil;
using pbxgw::v1::OwnerRequest;
using pbxgw::v1::SignalResult;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr telemetry::log::Logger kLog("signal");
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr milliseconds kRetryWait{250};
constexpr milliseconds kGoodbyeWait{30'000};
// Of what the client says, in one request to the owner: far below what NATS takes (1 MB).
constexpr int kBatchMax = 32;
constexpr std::size_t kBatchBytesMax = 256 << 10;

// 128 bits of chance.
std::string new_name() {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::random_device chance;
  std::string name;
  for (int word = 0; word < 4; ++word) {
    auto bits = chance();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4) name += kDigits[bits & 15];
  }
  return name;
}

// What of the client's messages the audit is told: whom it brings into a call.
std::optional<Asked> deed_of(const pbxgw::v1::SignalRequest& message) {
  Asked deed;
  if (message.has_start_call()) {
    deed.action = "start_call";
    deed.destination = masked(message.start_call().destination());
  } else if (message.has_transfer_media()) {
    deed.action = "transfer_media";
    deed.destination = masked(message.transfer_media().destination());
  } else {
    return std::nullopt;
  }
  return deed;
}

// What a client is told whose owner could not be reached for too long.
google::rpc::Status lost(const google::rpc::Status& failure) {
  const std::string reason = reason_of(failure);
  if (reason == "BUS_UNAVAILABLE" || reason == "TENANT_NOT_FOUND") return failure;
  return refuse(Errc::owner_moving, "The tenant's owner does not answer: open a new stream.");
}

}  // namespace

SignalCall::SignalCall(SignalTools tools, asio::any_io_executor executor,
                       std::shared_ptr<SignalStream> stream, Caller caller)
    : tools_(std::move(tools)),
      executor_(std::move(executor)),
      stream_(std::move(stream)),
      caller_(std::move(caller)) {}

asio::awaitable<void> SignalCall::run() {
  const auto self = shared_from_this();
  tools_.metrics.signals_opened.add();
  const auto wake = [weak = weak_from_this(), executor = executor_] {
    asio::post(executor, [weak] {
      if (const auto call = weak.lock()) call->notify();
    });
  };
  SignalStream::Handlers handlers;
  handlers.on_space = wake;
  handlers.on_gone = [weak = weak_from_this(), executor = executor_] {
    asio::post(executor, [weak] {
      const auto call = weak.lock();
      if (!call) return;
      call->gone_ = true;
      call->over_ = true;
      call->notify();
    });
  };
  stream_->handle(std::move(handlers), wake);

  auto beginning = begin();
  const Refused refused = co_await std::move(beginning);
  if (refused) end(*refused);
  if (!over_) {
    spawn(listen());
    spawn(speak());
  }
  while (!over_) {
    auto waiting = wait(TimePoint::max());
    co_await std::move(waiting);
  }
  auto leaving = leave();
  co_await std::move(leaving);
  while (!gone_) {
    const auto patience = steady_clock::now() + kGoodbyeWait;
    auto waiting = wait(patience);
    co_await std::move(waiting);
    // A client who has stopped reading does not even read the status.
    if (!gone_ && steady_clock::now() >= patience) stream_->break_off();
  }
}

void SignalCall::abandon(const google::rpc::Status& why) {
  stream_->finish(to_grpc(why));
  asio::post(executor_, [self = shared_from_this(), why] { self->end(why); });
}

std::string SignalCall::resource() const {
  return device_.device.empty() ? std::string() : wire::device_name(device_.tenant, device_.device);
}

// ---- The beginning ----

asio::awaitable<SignalCall::Refused> SignalCall::begin() {
  const auto patience = steady_clock::now() + tools_.times.open_wait;
  while (!over_ && !stream_->has_request() && !stream_->is_closed()) {
    if (steady_clock::now() >= patience) {
      co_return refuse(Errc::timed_out, "The client has not said who it is: open comes first.");
    }
    auto waiting = wait(patience);
    co_await std::move(waiting);
  }
  if (over_) co_return std::nullopt;
  auto first = stream_->take();
  if (!first) first.emplace();  // half-closed without a word
  if (auto denied = tools_.gate.heed(shared_from_this(), *first)) co_return denied;
  auto device = check_open(*first);
  if (!device) co_return wire::to_status(device.error());
  device_ = std::move(*device);
  name_ = new_name();
  OwnerRequest request = to_owner();
  request.mutable_signal()->mutable_open()->mutable_options()->Swap(first->mutable_open());
  auto asking = ask(std::move(request), tools_.times.ask_wait);
  auto opened = co_await std::move(asking);
  if (!opened) co_return opened.error();
  if (opened->has_ended()) co_return opened->ended();
  Asked what;
  what.begins = true;
  tell(std::move(what), {});
  co_return std::nullopt;
}

// What the client does, for the audit.
void SignalCall::tell(Asked what, const google::rpc::Status& status) const {
  const Admitted& right = *caller_.right;
  what.resource = resource();
  tools_.audit.note(asker_of(right.identity, caller_.address, caller_.traceparent), right.rpc, what,
                    /*admitted=*/true, status);
}

// ---- What goes on ----

asio::awaitable<void> SignalCall::listen() {
  std::optional<TimePoint> failing;
  while (!over_) {
    auto making = wait_for_space();
    co_await std::move(making);
    if (over_) co_return;
    OwnerRequest request = to_owner();
    auto& poll = *request.mutable_signal()->mutable_poll();
    poll.set_after(received_);
    *poll.mutable_wait() = TimeUtil::MillisecondsToDuration(tools_.times.poll_wait.count());
    auto asking = ask(std::move(request), tools_.times.poll_wait + tools_.times.ask_wait);
    auto result = co_await std::move(asking);
    if (over_) co_return;
    if (result) {
      failing.reset();
      pass_on(std::move(*result));
    } else {
      if (!failing) failing = steady_clock::now();
      auto bearing = bear(result.error(), *failing);
      co_await std::move(bearing);
    }
  }
}

void SignalCall::pass_on(SignalResult result) {
  auto number = result.first_number();
  for (auto& message : *result.mutable_messages()) {
    if (number++ <= received_) continue;
    received_ = number - 1;
    ready_ = ready_ || message.has_ready();
    tools_.metrics.signal_messages.at({"to_client"}).add();
    stream_->push(std::move(message));
  }
  if (result.has_ended()) end(result.ended());
  notify();
}

asio::awaitable<void> SignalCall::wait_for_space() {
  while (!over_ && !stream_->has_space()) {
    const auto patience = stream_->progress() + tools_.times.client_patience;
    if (steady_clock::now() >= patience) {
      tools_.metrics.signals_too_slow.add();
      end(refuse(Errc::overloaded, "The client has not read what was sent to it."));
      co_return;
    }
    auto waiting = wait(patience);
    co_await std::move(waiting);
  }
}

asio::awaitable<void> SignalCall::speak() {
  std::uint64_t sent = 0;
  while (!over_) {
    if (!stream_->is_closed() && !(ready_ && stream_->has_request())) {
      auto waiting = wait(TimePoint::max());
      co_await std::move(waiting);
      continue;
    }
    OwnerRequest request = to_owner();
    auto& piece = *request.mutable_signal()->mutable_send();
    piece.set_first_number(sent + 1);
    std::size_t bytes = 0;
    std::vector<Asked> deeds;
    Refused refused;
    while (piece.messages_size() < kBatchMax && bytes < kBatchBytesMax && !refused) {
      auto message = stream_->take();
      if (!message) break;
      if (auto denied = tools_.gate.heed(shared_from_this(), *message)) {
        refused = std::move(denied);
      } else if (const auto failure = check_said(*message)) {
        refused = wire::to_status(*failure);
      } else {
        bytes += message->ByteSizeLong();
        if (auto deed = deed_of(*message)) deeds.push_back(std::move(*deed));
        piece.add_messages()->Swap(&*message);
      }
    }
    const auto count = piece.messages_size();
    if (count > 0) {
      auto sending = send(std::move(request));
      const bool has_it = co_await std::move(sending);
      // If the owner has not said that it has it, it may have it all the same.
      const auto status = has_it ? google::rpc::Status() : refuse(Errc::outcome_unknown);
      for (Asked& deed : deeds) tell(std::move(deed), status);
      if (!has_it) co_return;
      sent += static_cast<std::uint64_t>(count);
      tools_.metrics.signal_messages.at({"from_client"}).add(count);
    }
    if (refused) end(*refused);
    if (stream_->is_closed()) end(google::rpc::Status());
  }
}

// Until the owner has it; false if the stream is over.
asio::awaitable<bool> SignalCall::send(OwnerRequest request) {
  const auto since = steady_clock::now();
  while (!over_) {
    auto asking = ask(request, tools_.times.ask_wait);
    auto result = co_await std::move(asking);
    if (result) {
      if (result->has_ended()) end(result->ended());
      co_return !over_;
    }
    auto bearing = bear(result.error(), since);
    co_await std::move(bearing);
  }
  co_return false;
}

// The owner could not be asked: waits before it is tried again, if it is.
asio::awaitable<bool> SignalCall::bear(google::rpc::Status failure, TimePoint since) {
  if (over_) co_return false;
  const auto now = steady_clock::now();
  // An owner whose lease has run out has ended its streams, and the next one does not know them.
  const bool is_gone = !tools_.core.directory.is_owned(device_.tenant, now);
  if (is_gone || now - since >= tools_.times.owner_patience) {
    end(lost(failure));
    co_return false;
  }
  const auto until = steady_clock::now() + kRetryWait;
  while (!over_ && steady_clock::now() < until) {
    auto waiting = wait(until);
    co_await std::move(waiting);
  }
  co_return !over_;
}

// ---- The owner ----

OwnerRequest SignalCall::to_owner() const {
  OwnerRequest request;
  request.set_tenant(wire::tenant_name(device_.tenant));
  request.set_traceparent(caller_.traceparent);
  request.mutable_signal()->set_stream(name_);
  return request;
}

asio::awaitable<Answer<SignalResult>> SignalCall::ask(OwnerRequest request, milliseconds limit) {
  auto asking = tools_.core.gateway.ask(caller_.right, device_.tenant, std::move(request),
                                        steady_clock::now() + limit);
  auto reply = co_await std::move(asking);
  if (!reply) co_return reply.error();
  co_return std::move(*reply->mutable_signal_result());
}

// Tells the owner that the client is gone. It finds out by itself, if it cannot be told.
asio::awaitable<void> SignalCall::leave() {
  if (name_.empty()) co_return;
  OwnerRequest request = to_owner();
  request.mutable_signal()->mutable_close();
  auto asking = ask(std::move(request), tools_.times.ask_wait);
  co_await std::move(asking);
}

// ---- The end ----

void SignalCall::end(const google::rpc::Status& status) {
  if (over_) return;
  over_ = true;
  kLog.info("stream ended", {{"tenant", wire::tenant_name(device_.tenant)},
                             {"stream", name_},
                             {"code", status.code()},
                             {"reason", reason_of(status)},
                             {"seconds", steady_clock::now() - begun_}});
  stream_->finish(to_grpc(status));
  notify();
}

// ---- Coroutines ----

void SignalCall::spawn(asio::awaitable<void> work) {
  asio::co_spawn(executor_, std::move(work),
                 [self = shared_from_this()](const std::exception_ptr& thrown) {
                   if (thrown) self->end(internal_error("Signal", thrown));
                 });
}

// Until then, or until notify(): whatever was waited for has to be looked at.
asio::awaitable<void> SignalCall::wait(TimePoint until) {
  asio::steady_timer timer(executor_, until);
  waiting_.insert(&timer);
  co_await timer.async_wait(kTuple);
  waiting_.erase(&timer);
}

void SignalCall::notify() {
  for (auto* timer : waiting_) timer->cancel();
}

}  // namespace control
