#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/admission.h"
#include "control/audit_trail.h"
#include "control/core.h"
#include "control/gate.h"
#include "control/metrics.h"
#include "control/signal_stream.h"
#include "wire/names.h"

namespace control {

// How long things may take.
struct SignalTimes {
  std::chrono::milliseconds open_wait{10'000};  // for the client's first message
  std::chrono::milliseconds ask_wait{5'000};    // what an owner may take for an answer
  std::chrono::milliseconds poll_wait{5'000};   // after which it answers though there is nothing
  // How long an owner may be out of reach that has its lease still: shorter than the 45 s after
  // which it ends a stream that is not polled.
  std::chrono::milliseconds owner_patience{15'000};
  // How long a client may take nothing while something waits for him.
  std::chrono::milliseconds client_patience{10'000};
};

// What all streams of media clients work with.
struct SignalTools {
  Core& core;
  Gate& gate;  // holds each of them
  AuditTrail& audit;
  const Metrics& metrics;
  SignalTimes times{};
  SignalStream::Limits queue = SignalStream::kLimits;
};

// One media client, between gRPC and the owner of its tenant.
//
// The story: the client says who it is, and the stream is opened at the owner, under a name that is
// made up here: so an open whose reply was lost can be closed as well. Then two things go on at the
// same time. listen() asks the owner for what there is for the client, over and over: the owner
// answers when it has something, and the next poll says what arrived. speak() brings the owner what
// the client says, from when the owner is ready on, each piece until it is acknowledged. Messages
// are numbered in both directions: what was sent twice counts once. If the owner is out of reach,
// both try again, until its lease has run out, or for so long that it may have given up too.
//
// The audit is told when it is open, whom the client calls or transfers to, and its end.
//
// Lives until its stream is finished. All members are for the bus connection's executor, but for
// abandon().
class SignalCall final : public Pending, public std::enable_shared_from_this<SignalCall> {
 public:
  SignalCall(SignalTools tools, boost::asio::any_io_executor executor,
             std::shared_ptr<SignalStream> stream, Caller caller);

  // Runs until the stream is finished, whoever finishes it, and closed at the owner.
  boost::asio::awaitable<void> run();
  // The process is draining, or the caller's right has ended.
  void abandon(const google::rpc::Status& why) override;
  // The device that it is for, by its name; empty until that is known.
  std::string resource() const;

 private:
  using Refused = std::optional<google::rpc::Status>;

  boost::asio::awaitable<Refused> begin();
  boost::asio::awaitable<void> listen();
  boost::asio::awaitable<void> speak();
  boost::asio::awaitable<void> wait_for_space();
  boost::asio::awaitable<bool> send(pbxgw::v1::OwnerRequest request);
  boost::asio::awaitable<void> leave();
  boost::asio::awaitable<Answer<pbxgw::v1::SignalResult>> ask(pbxgw::v1::OwnerRequest request,
                                                              std::chrono::milliseconds limit);
  boost::asio::awaitable<bool> bear(google::rpc::Status failure, TimePoint since);
  boost::asio::awaitable<void> wait(TimePoint until);

  pbxgw::v1::OwnerRequest to_owner() const;
  void tell(Asked what, const google::rpc::Status& status) const;
  void pass_on(pbxgw::v1::SignalResult result);
  void spawn(boost::asio::awaitable<void> work);
  void notify();
  void end(const google::rpc::Status& status);

  const SignalTools tools_;
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<SignalStream> stream_;
  const Caller caller_;
  const TimePoint begun_ = std::chrono::steady_clock::now();

  wire::DeviceName device_;
  std::string name_;            // of the stream, at the owner; empty until it may have it
  bool ready_ = false;          // the owner takes messages
  std::uint64_t received_ = 0;  // the last message from the owner, by number

  bool over_ = false;  // the status is decided
  bool gone_ = false;  // and the client has it, or is not there any more
  std::set<boost::asio::steady_timer*> waiting_;
};

}  // namespace control
