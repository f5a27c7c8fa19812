#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.h"
#include "call/command.h"
#include "connector/redactor.h"
#include "net/http_client.h"
#include "net/tls.h"
#include "net/websocket.h"
#include "pbx/session.h"

namespace connector {

// Where a link's findings go. In the service: TenantOwner. In a test: lambdas.
struct Outlets {
  std::function<void(call::LinkState)> stage;
  std::function<void()> ready;
  std::function<void(const pbx::Observe&)> observe;
  std::function<void(call::CommandId, call::Reply)> answer;
  std::function<void(const pbx::Note&)> note;
  std::function<void()> heard;  // a message or a reply arrived, wherever; its effects follow
  // Whether events are made faster than NATS takes them: then pace() is awaited before the primary
  // link is read again, so that the PBX is slowed down by TCP.
  std::function<bool()> crowded;
  std::function<boost::asio::awaitable<void>()> pace;
  // Of the streams that open_signal() has opened.
  std::function<void(const pbx::Signal&)> signal{};
  std::function<void(const pbx::EndSignal&)> end_signal{};
  std::function<void(call::InquiryId, pbx::Inform::Answer)> inform = nullptr;
  std::function<void(call::OrderId, call::OrderReply)> fulfil = nullptr;
  // Whether connections that PBXs have opened can be adopted from now on; once true, once false.
  std::function<void(bool)> receives = nullptr;
  // Which PBXs have a connection here that they have opened, whenever that changes.
  std::function<void(std::set<std::string>)> linked = nullptr;
};

// What a link needs to know besides its session.
struct LinkOptions {
  net::WebSocketLimits limits;
  std::shared_ptr<net::TlsContext> tls;
  // What goes out in words goes through it; null: there is nothing to hide.
  std::shared_ptr<Redactor> redactor = nullptr;
  std::size_t texts_max = 1'024;   // waiting to be written, for each socket
  std::size_t commands_max = 256;  // taken and not answered yet
  std::size_t requests_max = 64;   // HTTP requests under way; another one fails at once
  std::size_t inquiries_max = 64;  // taken and not answered yet
  std::size_t orders_max = 64;     // taken and not answered yet
};

// Why a link ended.
struct Ending {
  base::Error why;
  std::string detail;  // a sentence for operators
  std::optional<std::chrono::milliseconds> retry_after;
};

// Drives one pbx::Session over its WebSockets and HTTP requests: the I/O shell of the pure
// sessions. Lives from connect to close of the primary link; without one, where it is the PBXs that
// connect, until the session gives up. All members are called on the executor it was made for.
class TenantLink {
 public:
  TenantLink(boost::asio::any_io_executor executor, std::unique_ptr<pbx::Session> session,
             LinkOptions options, Outlets outlets);
  ~TenantLink();

  // Runs until the link ends, and all its sockets are closed. Every command submitted is answered
  // by then, and every inquiry. Once only.
  boost::asio::awaitable<Ending> run();

  // False if too many wait already: nothing was done. Otherwise answered exactly once, come what
  // may.
  bool submit(call::CommandId id, call::Command command, pbx::TimePoint limit);

  // A media client's stream, as pbx::Session has it; not from within the outlets. Ignored once the
  // link is ending: its streams end with it, which whoever runs it has to tell their clients.
  void open_signal(call::SignalId id, const call::SignalOptions& options);
  void signal(call::SignalId id, const call::FromClient& message);
  void close_signal(call::SignalId id);

  // The same for a question about the past.
  bool inquire(call::InquiryId id, call::Inquiry inquiry, pbx::TimePoint limit);
  // The same for something to be set up at the PBX.
  bool order(call::OrderId id, const call::Order& order, pbx::TimePoint limit);

  // A connection that a PBX has opened, on this link's executor: one of the session's sockets from
  // here on. `guest` is kept for as long as it is open. Only while outlets.receives said so.
  void adopt(net::WebSocket stream, pbx::Arrival arrival, std::shared_ptr<void> guest);

  // Ends run(), with the close handshake. The first reason given counts.
  void end(Ending why);

 private:
  struct Socket;
  struct Request;

  boost::asio::awaitable<void> serve(std::shared_ptr<Socket> socket, pbx::Handshake where);
  boost::asio::awaitable<void> serve_arrived(std::shared_ptr<Socket> socket, pbx::Arrival arrival);
  boost::asio::awaitable<base::Error> connect(std::shared_ptr<Socket> socket, pbx::Handshake where,
                                              std::string& detail);
  boost::asio::awaitable<void> read_from(std::shared_ptr<Socket> socket);
  boost::asio::awaitable<void> write_to(std::shared_ptr<Socket> socket);
  boost::asio::awaitable<void> exchange(std::shared_ptr<Request> request, pbx::SendHttp wanted);
  boost::asio::awaitable<void> keep_time();
  void receive(bool receives);
  void tell_linked();
  void closed(pbx::LinkId link, base::Error why, const std::string& detail);
  void apply(pbx::Effects effects);
  void open(const pbx::OpenLink& wanted);
  void send(pbx::SendText& text);
  void send(pbx::SendHttp& wanted);
  void close(pbx::LinkId link);
  void answer(call::CommandId id, call::Reply reply);
  void inform(call::InquiryId id, pbx::Inform::Answer answer);
  void fulfil(call::OrderId id, call::OrderReply reply);
  void spawn(boost::asio::awaitable<void> work);
  std::string line(std::string sentence) const;
  template <class Reply>
  Reply redacted(Reply reply) const;

  boost::asio::any_io_executor executor_;
  std::unique_ptr<pbx::Session> session_;
  LinkOptions options_;
  Outlets outlets_;
  std::map<pbx::LinkId, std::shared_ptr<Socket>> sockets_;
  std::unique_ptr<net::HttpClient> http_;  // once it is needed
  std::map<pbx::HttpId, std::shared_ptr<Request>> requests_;
  std::set<call::CommandId> unanswered_;
  std::set<call::InquiryId> uninformed_;
  std::map<call::OrderId, bool> unfulfilled_;  // whether it changes something
  std::optional<Ending> ending_;
  bool receives_ = false;
  pbx::LinkId next_arrived_ = pbx::kFirstArrived;
  std::set<std::string> linked_;       // as outlets_ was told
  unsigned running_ = 0;               // coroutines that use this
  boost::asio::steady_timer timer_;    // the session's deadline
  boost::asio::steady_timer changed_;  // cancelled when running_ or ending_ changes
};

}  // namespace connector
