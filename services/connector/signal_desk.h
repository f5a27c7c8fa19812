#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "base/ids.h"
#include "call/signalling.h"
#include "connector/metrics.h"
#include "pbx/session.h"
#include "pbxgw/v1/command.pb.h"
#include "wire/status.h"

namespace connector {

// The streams of one tenant's media clients, between control, which polls, and the session, which
// speaks when it likes.
//
// The story of a stream: control opens it under a name of its own, and the session is asked for it.
// From then on control has one poll under way: it is answered as soon as the session says
// something, and the next one says what was received. What the client says comes in between, one
// request after the other. Messages are numbered in both directions, so that a request can be
// repeated when its reply was lost. The stream ends when control closes it, when nobody has polled
// it for Limits::life, when the session ends it, or with the link. In the latter two cases it is
// kept for its last words, until control closes it, or for another Limits::life.
//
// Lives as long as the tenant's lease, over links and sessions. All members are called on the
// executor.
class SignalDesk {
 public:
  // Called exactly once for each request, unless the desk is destroyed before.
  using Done = std::function<void(pbxgw::v1::OwnerReply)>;

  struct Limits {
    std::size_t streams_max = 1'000;   // ended ones included
    std::size_t messages_max = 1'000;  // that wait for one client; one more ends its stream
    std::size_t bytes_max = 1 << 20;   // the same, by their size
    std::size_t message_bytes_max = 256 << 10;
    std::chrono::milliseconds life{45'000};  // without a poll
  };

  // What it needs of the tenant's owner.
  struct Owner {
    base::TenantId tenant;
    // Why nothing can be said to the PBX now; nothing: it can.
    std::function<std::optional<wire::Failure>()> obstacle;
    // Why this device can have no stream now; nothing: it can.
    std::function<std::optional<wire::Failure>(const call::DeviceId&)> refusal;
    // The session that there is, if there is one: see pbx::Session::on_signal_open() and so on.
    std::function<void(call::SignalId, const call::SignalOptions&)> open;
    std::function<void(call::SignalId, const call::FromClient&)> say;
    std::function<void(call::SignalId)> close;
  };

  SignalDesk(boost::asio::any_io_executor executor, Owner owner, Limits limits,
             const Metrics& metrics);
  ~SignalDesk();
  SignalDesk(const SignalDesk&) = delete;
  SignalDesk& operator=(const SignalDesk&) = delete;

  // A request of control's.
  void take(const pbxgw::v1::SignalCommand& asked, Done done);

  // What the session says. Of a stream that has ended meanwhile it is ignored.
  void said(const pbx::Signal& it);
  void ended(const pbx::EndSignal& it);

  // All streams end: the session that had them is gone, or is not ours any more.
  void end_all(base::Error why, const std::string& detail);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace connector
