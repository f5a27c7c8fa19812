#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "net/http_server.h"
#include "pbx/vendor.h"
#include "unit/connector/fake_session.h"

namespace connector {

// A PBX behind real sockets, on a thread of its own, that has the calls and devices which a test
// gives it. Its vendor's sessions are FakeSessions: each finds what there is when it has connected,
// and hears what changes. One at a time, because a vendor is a function without a context. Members
// may be called from any thread.
class ScriptedPbx {
 public:
  ScriptedPbx();
  ~ScriptedPbx();
  ScriptedPbx(const ScriptedPbx&) = delete;
  ScriptedPbx& operator=(const ScriptedPbx&) = delete;

  const pbx::Vendor& vendor() const;
  const pbx::Vendor& other_vendor() const;  // the same by another name

  // What it has from here on, whether somebody is connected or not: the next session finds it.
  void has(call::CallView call);
  void has(const call::Device& device);
  void lost(const std::string& call_key);
  // Tells all who are connected what it has by now: whole lists.
  void tell();
  // What the sessions make of a message of its, in its place.
  void say(pbx::Effects effects);

  // What becomes of a command; nothing: it stays unanswered. Called on the session's thread.
  void on_command(std::function<pbx::Effects(call::CommandId)> act);
  // The same for a question about the past.
  using Inquired = std::function<pbx::Effects(call::InquiryId, const call::Inquiry&)>;
  void on_inquiry(Inquired act);
  // The same for an order.
  using Ordered = std::function<pbx::Effects(call::OrderId, const call::Order&)>;
  void on_order(Ordered act);
  unsigned commands() const { return commands_; }  // heard so far

  // What the sessions do with media clients. Before any of them runs.
  void on_signal_open(decltype(FakeSession::Script::on_signal_open) act) {
    script_.on_signal_open = std::move(act);
  }
  void on_signal(decltype(FakeSession::Script::on_signal) act) {
    script_.on_signal = std::move(act);
  }
  void on_signal_close(decltype(FakeSession::Script::on_signal_close) act) {
    script_.on_signal_close = std::move(act);
  }

  // Sessions never get beyond the login from here on, or do.
  void stall(bool stalled) { stalled_ = stalled; }
  void hang_up();                            // closes all its WebSockets, properly
  unsigned links() const { return links_; }  // made so far
  void refuse() { server_->refuse(); }
  void listen() { server_->listen(); }

 private:
  boost::asio::awaitable<void> serve(net::WebSocket opened);
  pbx::Effects snapshot();
  static std::unique_ptr<pbx::Session> make_session(const pbx::Settings& settings,
                                                    std::uint64_t random);

  static ScriptedPbx* current_;
  FakeSession::Script script_;
  std::mutex mutex_;  // for the next six
  std::map<std::string, call::CallView> calls_;
  std::map<base::DeviceId, call::Device> devices_;
  std::map<std::string, pbx::Effects> said_;
  std::function<pbx::Effects(call::CommandId)> act_;
  Inquired inquired_;
  Ordered ordered_;
  std::atomic<unsigned> links_ = 0, commands_ = 0;
  std::atomic<bool> stalled_ = false;
  unsigned last_said_ = 0;

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  std::list<std::shared_ptr<net::WebSocket>> sockets_;  // on io_'s thread
  std::unique_ptr<net::HttpServer> server_;
  std::thread thread_;
};

// A row for each service: all are offered.
std::span<const call::Capability> every_capability();
// A call of two extensions that talk, or whatever else both do.
call::CallView a_call(const std::string& key, const std::string& from, const std::string& to,
                      call::ConnectionState state = call::ConnectionState::connected);
call::Device a_device(const std::string& id, const std::string& name = {});

}  // namespace connector
