#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "control/admission.h"
#include "control/answer.h"
#include "control/grpc_status.h"

namespace control {

// One unary RPC, from its arrival to its answer. It is answered once: by its handler, or by
// abandon() if that takes longer than a drain may. Any thread.
template <class Response>
class UnaryCall final : public Pending {
 public:
  // `unknown` is what an abandoned caller is told, whatever the reason: it may have been done.
  // `told` hears, just before he does, what the caller is told.
  UnaryCall(grpc::ServerUnaryReactor* reactor, Response* response, google::rpc::Status unknown,
            std::function<void(const google::rpc::Status&)> told)
      : reactor_(reactor),
        response_(response),
        unknown_(std::move(unknown)),
        told_(std::move(told)) {}

  void finish(Answer<Response> answer) {
    // From the first Finish() on, reactor and response belong to gRPC again.
    if (finished_.exchange(true)) return;
    told_(answer ? google::rpc::Status() : answer.error());
    if (!answer) return reactor_->Finish(to_grpc(answer.error()));
    response_->Swap(&*answer);
    reactor_->Finish(grpc::Status::OK);
  }
  void abandon(const google::rpc::Status& /*why*/) override { finish(unknown_); }

 private:
  std::atomic<bool> finished_ = false;
  grpc::ServerUnaryReactor* const reactor_;
  Response* const response_;
  const google::rpc::Status unknown_;
  const std::function<void(const google::rpc::Status&)> told_;
};

}  // namespace control
