#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include <grpcpp/grpcpp.h>

#include "pbxgw/v1/signal.pb.h"

namespace control {

// The client's end of one Signal: a bounded queue in each direction. gRPC reads into one while it
// has space, so that a client who says more than is taken has to wait, and writes from the other,
// one response at a time. Any thread may call it. gRPC keeps it alive until the RPC is over, others
// as long as they like: what they say afterwards is ignored.
class SignalStream final
    : public grpc::ServerBidiReactor<pbxgw::v1::SignalRequest, pbxgw::v1::SignalResponse> {
 public:
  struct Limits {
    std::size_t requests_max = 16;
    std::size_t responses_max = 200;
    std::size_t bytes_max = 512 << 10;  // of responses together; a single one may be larger
  };
  // Called on gRPC's threads, and not by push(), take() or finish().
  struct Handlers {
    std::function<void()> on_request;  // there is one to take(), or there will be none any more
    std::function<void()> on_space;    // half the queue is free again, after it was full
    std::function<void()> on_gone;     // the client is gone, or has been told the status
  };

  static std::shared_ptr<SignalStream> make(grpc::CallbackServerContext& context, Limits limits);
  // Begins to read.
  void handle(Handlers handlers);

  // The next message from the client, if there is one.
  std::optional<pbxgw::v1::SignalRequest> take();
  bool has_request();
  // The client says nothing any more, and all that it said was taken.
  bool is_closed();

  // False while the queue is full: then on_space follows.
  bool has_space();
  // Takes the response even if there is no space.
  void push(pbxgw::v1::SignalResponse response);
  // Ends the RPC with `status`, after what was pushed. Only the first call counts.
  void finish(grpc::Status status);
  // For a client who does not even read the status: breaks the stream off.
  void break_off();

  // When the client last took something, or had taken everything.
  std::chrono::steady_clock::time_point progress();

 private:
  SignalStream(grpc::CallbackServerContext& context, Limits limits)
      : context_(&context), limits_(limits) {}
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  void read();
  bool is_full() const;

  std::mutex mutex_;
  grpc::CallbackServerContext* context_;  // null once the RPC is over
  const Limits limits_;
  Handlers handlers_;
  pbxgw::v1::SignalRequest incoming_;  // being read into, if reading_
  std::deque<pbxgw::v1::SignalRequest> requests_;
  std::deque<pbxgw::v1::SignalResponse> responses_;  // the first one is being written, if writing_
  std::size_t bytes_ = 0;
  bool reading_ = false, writing_ = false;
  bool starved_ = false;  // somebody waits for on_space
  bool closed_ = false;   // half-closed by the client, or broken
  bool gone_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> status_;  // to be sent after the responses
  std::chrono::steady_clock::time_point progress_ = std::chrono::steady_clock::now();
  std::shared_ptr<SignalStream> self_;  // until gRPC is done with it
};

}  // namespace control
