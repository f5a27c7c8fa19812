#include "connector/tenant_link.h"

#include <deque>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/overloaded.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// Of RFC 6455: why a WebSocket is closed.
constexpr std::uint16_t kNormal = 1'000, kGoingAway = 1'001;

pbx::TimePoint now() { return std::chrono::steady_clock::now(); }

}  // namespace

// One WebSocket of the link: being opened, open, or being closed.
struct TenantLink::Socket {
  Socket(const asio::any_io_executor& executor, pbx::LinkId id)
      : link(id), wake(executor, asio::steady_timer::time_point::max()) {}

  pbx::LinkId link;
  asio::cancellation_signal stop_connecting;
  std::optional<net::WebSocket> stream;
  std::deque<std::string> texts;  // waiting to be written
  bool close = false;             // once the texts are written
  bool gone = false;              // nothing can be written any more
  asio::steady_timer wake;        // cancelled when the above change
  // Of one that has arrived.
  std::string pbx;
  std::shared_ptr<void> guest;

  bool has_arrived() const { return link >= pbx::kFirstArrived; }
  // Whether it is this that makes the events.
  bool is_main() const { return link == pbx::kPrimary || has_arrived(); }
  void notify() { wake.cancel(); }
};

// One HTTP request under way.
struct TenantLink::Request {
  bool too_many = false;  // beyond the limit: it fails without having been sent
  asio::cancellation_signal stop;
};

TenantLink::TenantLink(asio::any_io_executor executor, std::unique_ptr<pbx::Session> session,
                       LinkOptions options, Outlets outlets)
    : executor_(std::move(executor)),
      session_(std::move(session)),
      options_(std::move(options)),
      outlets_(std::move(outlets)),
      timer_(executor_),
      changed_(executor_, asio::steady_timer::time_point::max()) {}

TenantLink::~TenantLink() = default;

asio::awaitable<Ending> TenantLink::run() {
  apply(session_->on_start(now()));
  if (!ending_) receive(true);
  spawn(keep_time());
  while (!ending_) co_await changed_.async_wait(kTuple);

  // Last words first: each socket closes once its texts are written.
  timer_.cancel();
  for (const auto& [id, request] : requests_) request->stop.emit(asio::cancellation_type::terminal);
  while (!sockets_.empty()) close(sockets_.begin()->first);
  while (running_ > 0) co_await changed_.async_wait(kTuple);

  while (!unanswered_.empty()) {
    answer(*unanswered_.begin(),
           call::Refusal{Errc::outcome_unknown, "the link to the PBX ended before it was known"});
  }
  while (!uninformed_.empty()) {
    inform(*uninformed_.begin(),
           call::Refusal{Errc::pbx_disconnected, "the link to the PBX ended in the meantime"});
  }
  while (!unfulfilled_.empty()) {
    const auto [id, changes] = *unfulfilled_.begin();
    fulfil(id, changes ? call::Refusal{Errc::outcome_unknown,
                                       "the link to the PBX ended before it was known"}
                       : call::Refusal{Errc::pbx_disconnected,
                                       "the link to the PBX ended in the meantime"});
  }
  co_return *ending_;
}

void TenantLink::end(Ending why) {
  if (ending_) return;
  ending_ = std::move(why);
  ending_->detail = line(std::move(ending_->detail));
  receive(false);
  changed_.cancel();
}

void TenantLink::receive(bool receives) {
  if (receives_ == receives) return;
  receives_ = receives;
  if (outlets_.receives) outlets_.receives(receives);
}

void TenantLink::adopt(net::WebSocket stream, pbx::Arrival arrival, std::shared_ptr<void> guest) {
  auto socket = std::make_shared<Socket>(executor_, next_arrived_++);
  socket->stream.emplace(std::move(stream));
  socket->pbx = arrival.pbx;
  socket->guest = std::move(guest);
  sockets_[socket->link] = socket;
  tell_linked();
  // Later: whoever calls this need not expect what the session makes of it.
  spawn(serve_arrived(std::move(socket), std::move(arrival)));
}

void TenantLink::tell_linked() {
  std::set<std::string> linked;
  for (auto it = sockets_.lower_bound(pbx::kFirstArrived); it != sockets_.end(); ++it) {
    linked.insert(it->second->pbx);
  }
  if (linked == linked_) return;
  linked_ = std::move(linked);
  if (outlets_.linked) outlets_.linked(linked_);
}

bool TenantLink::submit(call::CommandId id, call::Command command, pbx::TimePoint limit) {
  if (unanswered_.size() >= options_.commands_max) return false;
  unanswered_.insert(id);
  if (ending_) {
    answer(id, call::Refusal{Errc::pbx_disconnected, ""});
  } else {
    apply(session_->on_command(id, command, limit, now()));
  }
  return true;
}

void TenantLink::open_signal(call::SignalId id, const call::SignalOptions& options) {
  if (!ending_) apply(session_->on_signal_open(id, options, now()));
}

void TenantLink::signal(call::SignalId id, const call::FromClient& message) {
  if (!ending_) apply(session_->on_signal(id, message, now()));
}

void TenantLink::close_signal(call::SignalId id) {
  if (!ending_) apply(session_->on_signal_close(id, now()));
}

void TenantLink::answer(call::CommandId id, call::Reply reply) {
  if (unanswered_.erase(id) == 1) outlets_.answer(id, redacted(std::move(reply)));
}

bool TenantLink::inquire(call::InquiryId id, call::Inquiry inquiry, pbx::TimePoint limit) {
  if (uninformed_.size() >= options_.inquiries_max) return false;
  uninformed_.insert(id);
  if (ending_) {
    inform(id, call::Refusal{Errc::pbx_disconnected, ""});
  } else {
    apply(session_->on_inquiry(id, inquiry, limit, now()));
  }
  return true;
}

void TenantLink::inform(call::InquiryId id, pbx::Inform::Answer answer) {
  if (uninformed_.erase(id) == 1) outlets_.inform(id, redacted(std::move(answer)));
}

bool TenantLink::order(call::OrderId id, const call::Order& order, pbx::TimePoint limit) {
  if (unfulfilled_.size() >= options_.orders_max) return false;
  unfulfilled_[id] = call::changes_something(order);
  if (options_.redactor) options_.redactor->learn(order);
  if (ending_) {
    fulfil(id, call::Refusal{Errc::pbx_disconnected, ""});
  } else {
    apply(session_->on_order(id, order, limit, now()));
  }
  return true;
}

void TenantLink::fulfil(call::OrderId id, call::OrderReply reply) {
  if (options_.redactor) options_.redactor->learn(reply);
  if (unfulfilled_.erase(id) == 1) outlets_.fulfil(id, redacted(std::move(reply)));
}

// What a PBX says may repeat what it was told: nobody else is to read that.
std::string TenantLink::line(std::string sentence) const {
  return options_.redactor ? options_.redactor->line(std::move(sentence)) : sentence;
}

template <class Reply>
Reply TenantLink::redacted(Reply reply) const {
  if (auto* refusal = std::get_if<call::Refusal>(&reply); refusal && options_.redactor) {
    refusal->detail = options_.redactor->text(std::move(refusal->detail));
  }
  return reply;
}

// Counts `work` in, so that run() outlives it.
void TenantLink::spawn(asio::awaitable<void> work) {
  ++running_;
  asio::co_spawn(executor_, std::move(work), [this](std::exception_ptr thrown) {
    --running_;
    changed_.cancel();
    if (thrown) std::rethrow_exception(thrown);  // a bug: ends the process, as any other would
  });
}

asio::awaitable<void> TenantLink::keep_time() {
  while (!ending_) {
    // apply() re-arms the timer too, which wakes this wait early and harmlessly.
    timer_.expires_at(session_->deadline());
    co_await timer_.async_wait(kTuple);
    if (!ending_ && now() >= session_->deadline()) apply(session_->on_tick(now()));
  }
}

void TenantLink::apply(pbx::Effects effects) {
  for (auto& effect : effects) {
    std::visit(base::overloaded{
                   [&](pbx::OpenLink& it) { open(it); },
                   [&](pbx::SendText& it) { send(it); },
                   [&](pbx::CloseLink& it) { close(it.link); },
                   [&](pbx::SendHttp& it) { send(it); },
                   [&](pbx::Stage& it) { outlets_.stage(it.state); },
                   [&](pbx::Ready&) { outlets_.ready(); },
                   [&](pbx::Observe& it) { outlets_.observe(it); },
                   [&](pbx::Answer& it) { answer(it.id, std::move(it.reply)); },
                   [&](pbx::Signal& it) { outlets_.signal(it); },
                   [&](pbx::EndSignal& it) {
                     it.detail = line(std::move(it.detail));
                     outlets_.end_signal(it);
                   },
                   [&](pbx::Note& it) {
                     it.detail = line(std::move(it.detail));
                     outlets_.note(it);
                   },
                   [&](pbx::GiveUp& it) {
                     end({it.why, std::move(it.detail), it.retry_after});
                   },
                   [&](pbx::Inform& it) { inform(it.id, std::move(it.answer)); },
                   [&](pbx::Fulfil& it) { fulfil(it.id, std::move(it.reply)); },
               },
               effect);
  }
  if (timer_.expiry() != session_->deadline()) timer_.cancel();
}

void TenantLink::open(const pbx::OpenLink& wanted) {
  if (ending_) return;
  if (options_.redactor) options_.redactor->learn(wanted.where.headers);
  auto socket = std::make_shared<Socket>(executor_, wanted.link);
  sockets_[wanted.link] = socket;
  spawn(serve(std::move(socket), wanted.where));
}

void TenantLink::send(pbx::SendText& text) {
  auto found = sockets_.find(text.link);
  if (found == sockets_.end()) return;
  Socket& socket = *found->second;
  if (socket.texts.size() >= options_.texts_max) {
    // A PBX that has stopped reading is a lost one: better to reconnect than to queue without end.
    end({Errc::overloaded, "the PBX does not read what it is sent", {}});
    return;
  }
  if (options_.redactor) options_.redactor->learn_from(text.text);
  socket.texts.push_back(std::move(text.text));
  socket.notify();
}

void TenantLink::send(pbx::SendHttp& wanted) {
  if (ending_) return;
  if (options_.redactor) options_.redactor->learn(wanted.where.headers);
  if (!http_) {
    net::HttpClientLimits limits;
    static_cast<net::DialLimits&>(limits) = options_.limits;
    limits.body_bytes_max = options_.limits.message_bytes_max;
    http_ = std::make_unique<net::HttpClient>(executor_, limits, options_.tls);
  }
  auto request = std::make_shared<Request>();
  request->too_many = requests_.size() >= options_.requests_max;
  requests_[wanted.id] = request;
  spawn(exchange(std::move(request), std::move(wanted)));
}

// From here on the session hears nothing of this link any more.
void TenantLink::close(pbx::LinkId link) {
  auto found = sockets_.find(link);
  if (found == sockets_.end()) return;
  auto socket = std::move(found->second);
  sockets_.erase(found);
  socket->close = true;
  tell_linked();
  socket->stop_connecting.emit(asio::cancellation_type::terminal);
  socket->notify();
}

void TenantLink::closed(pbx::LinkId link, base::Error why, const std::string& detail) {
  if (ending_) return;
  sockets_.erase(link);
  tell_linked();
  if (link == pbx::kPrimary) {
    end({why, detail, {}});
  } else {
    apply(session_->on_link_closed(link, why, detail, now()));
  }
}

// Opens `socket`, unless close() says otherwise before; the error, if it could not, and why.
asio::awaitable<base::Error> TenantLink::connect(std::shared_ptr<Socket> socket,
                                                 pbx::Handshake where, std::string& detail) {
  // A coroutine of its own, so that close() can cancel it without cancelling its caller.
  base::Error failed = Errc::link_not_needed;
  asio::steady_timer done(executor_, asio::steady_timer::time_point::max());
  bool finished = false;
  auto attempt = [](std::shared_ptr<Socket> into, pbx::Handshake at, LinkOptions options,
                    std::string& why, base::Error& error) -> asio::awaitable<void> {
    net::Endpoint endpoint{at.host, at.port, at.target, at.tls, std::move(at.headers)};
    auto opening = net::WebSocket::connect(std::move(endpoint), options.limits,
                                           at.tls ? options.tls : nullptr, &why);
    auto opened = co_await std::move(opening);
    if (opened.has_error()) {
      error = opened.error();
    } else {
      error = {};
      into->stream.emplace(std::move(*opened));
    }
  };
  auto attempting = attempt(socket, std::move(where), options_, detail, failed);
  // A cancelled attempt ends with an exception: it was told to, and nobody asks why.
  asio::co_spawn(
      executor_, std::move(attempting),
      asio::bind_cancellation_slot(socket->stop_connecting.slot(), [&](const std::exception_ptr&) {
        finished = true;
        done.cancel();
      }));
  while (!finished) co_await done.async_wait(kTuple);
  co_return failed;
}

// The whole life of one socket.
asio::awaitable<void> TenantLink::serve(std::shared_ptr<Socket> socket, pbx::Handshake where) {
  std::string detail;
  auto connecting = connect(socket, std::move(where), detail);
  const base::Error failed = co_await std::move(connecting);
  if (socket->close) co_return;  // nobody waits for it any more; dropped, if it just opened
  if (failed) {
    closed(socket->link, failed, detail);
    co_return;
  }
  spawn(write_to(socket));
  apply(session_->on_link_open(socket->link, now()));
  co_await read_from(socket);
}

asio::awaitable<void> TenantLink::serve_arrived(std::shared_ptr<Socket> socket,
                                                pbx::Arrival arrival) {
  // Never from within adopt().
  co_await asio::post(executor_, asio::use_awaitable);
  spawn(write_to(socket));
  if (!socket->close) apply(session_->on_link_arrived(socket->link, arrival, now()));
  co_await read_from(socket);
}

// The whole life of one HTTP request.
asio::awaitable<void> TenantLink::exchange(std::shared_ptr<Request> request, pbx::SendHttp wanted) {
  // Never from within the effects that asked for it.
  co_await asio::post(executor_, asio::use_awaitable);
  base::Result<net::HttpReply> reply = Errc::too_many_requests;
  std::string detail = "too many requests to the PBX are under way";
  if (!request->too_many && !ending_) {
    // A coroutine of its own, as in connect().
    asio::steady_timer done(executor_, asio::steady_timer::time_point::max());
    bool finished = false;
    detail.clear();
    pbx::Handshake& where = wanted.where;
    net::Endpoint endpoint{where.host, where.port, where.target, where.tls,
                           std::move(where.headers)};
    auto sending = http_->send(std::move(wanted.method), std::move(endpoint),
                               std::move(wanted.body), wanted.limit, &detail);
    asio::co_spawn(
        executor_, std::move(sending),
        asio::bind_cancellation_slot(request->stop.slot(), [&](const std::exception_ptr& thrown,
                                                               base::Result<net::HttpReply> got) {
          if (!thrown) reply = std::move(got);
          finished = true;
          done.cancel();
        }));
    while (!finished) co_await done.async_wait(kTuple);
  }
  requests_.erase(wanted.id);
  if (ending_) co_return;
  if (!reply) {
    apply(session_->on_http(wanted.id, reply.error(), detail, now()));
    co_return;
  }
  outlets_.heard();
  if (options_.redactor) options_.redactor->learn(reply->headers);
  const pbx::HttpReply heard{reply->status, std::move(reply->headers), std::move(reply->body)};
  apply(session_->on_http(wanted.id, heard, detail, now()));
}

asio::awaitable<void> TenantLink::read_from(std::shared_ptr<Socket> socket) {
  for (;;) {
    if (socket->is_main() && outlets_.crowded()) co_await outlets_.pace();
    auto text = co_await socket->stream->read();
    if (text.has_error()) {
      socket->gone = true;
      socket->notify();
      if (!socket->close) closed(socket->link, text.error(), "");
      co_return;
    }
    if (socket->close) continue;  // nobody listens any more; read on for the close frame
    outlets_.heard();
    apply(session_->on_text(socket->link, *text, now()));
  }
}

asio::awaitable<void> TenantLink::write_to(std::shared_ptr<Socket> socket) {
  while (!socket->gone) {
    if (!socket->texts.empty()) {
      // Named, and moved out first: more may be queued while this one is being written.
      const std::string text = std::move(socket->texts.front());
      socket->texts.pop_front();
      if (const base::Error error = co_await socket->stream->write(text)) {
        socket->gone = true;
        if (!socket->close) closed(socket->link, error, "");
        // The reader may wait for a dead peer: it ends when the socket does.
        co_await socket->stream->close();
        co_return;
      }
    } else if (socket->close) {
      // Hang up while the reader still runs: once its read is cancelled, the stream is beyond a
      // close handshake and the PBX would see the line drop. A PBX that has dialled should do so
      // again, but for one connection that the session has replaced.
      co_await socket->stream->close(ending_ && socket->has_arrived() ? kGoingAway : kNormal);
      co_return;
    } else {
      co_await socket->wake.async_wait(kTuple);
    }
  }
}

}  // namespace connector
