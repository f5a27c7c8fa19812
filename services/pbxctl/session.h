#pragma once

#include <memory>
#include <string>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "pbxctl/failure.h"
#include "pbxctl/options.h"
#include "pbxctl/table.h"

namespace pbxctl {

// One run of a verb: the channel to the control service, and what to write to. One thread.
class Session {
 public:
  Session(const Options& options, const Terminal& terminal);

  const Options& options() const { return options_; }
  const Style& style() const { return style_; }
  bool json() const { return options_.json; }
  std::ostream& out() const { return terminal_.out; }
  std::ostream& err() const { return terminal_.err; }
  std::istream& in() const { return terminal_.in; }
  Time now() const { return terminal_.now(); }

  // The channel, made at the first call. Fails if a file of --ca-file and the like cannot be read.
  Outcome<std::shared_ptr<grpc::Channel>> channel();
  // Waits until the channel is connected, or has failed to: the next RPC then says why. Fails only
  // if neither happens within the timeout.
  Outcome<void> connect();
  Failure failure_of(const grpc::Status& status) const;
  // Our token into the RPC's metadata, if we have one. Once there is a channel.
  Outcome<void> authorize(grpc::ClientContext& context);
  // Whether the token is another than the one that was sent last: its file was replaced.
  bool has_another_token() const;

  // One RPC: session.ask(&CallControl::Stub::HoldCall, request).
  template <class Stub, class Request, class Response>
  Outcome<Response> ask(grpc::Status (Stub::*rpc)(grpc::ClientContext*, const Request&, Response*),
                        const Request& request) {
    if (auto connected = connect(); !connected) return connected.error();
    Stub stub(channel_);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + options_.timeout);
    if (auto authorized = authorize(context); !authorized) return authorized.error();
    Response response;
    const grpc::Status status = (stub.*rpc)(&context, request, &response);
    if (!status.ok()) return failure_of(status);
    return response;
  }

 private:
  const Options& options_;
  const Terminal& terminal_;
  Style style_;
  std::shared_ptr<grpc::Channel> channel_;
  std::string token_;  // sent last
};

}  // namespace pbxctl
