#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include <grpcpp/grpcpp.h>

#include "control/response_stream.h"
#include "pbxgw/v1/signal.pb.h"

namespace control {

// The client's end of one Signal: besides what is for it, a bounded queue of what it says. gRPC
// reads into that while it has space, so that a client who says more than is taken has to wait.
class SignalStream final
    : public ResponseStream<
          grpc::ServerBidiReactor<pbxgw::v1::SignalRequest, pbxgw::v1::SignalResponse>,
          pbxgw::v1::SignalResponse> {
 public:
  static constexpr std::size_t kRequestsMax = 16;
  static constexpr Limits kLimits{200, 512 << 10};

  static std::shared_ptr<SignalStream> make(grpc::CallbackServerContext& context,
                                            Limits limits = kLimits);
  // Begins to read. `on_request`, on gRPC's threads and not by take(): there is one to take(), or
  // there will be none any more.
  void handle(Handlers handlers, std::function<void()> on_request);

  // The next message from the client, if there is one.
  std::optional<pbxgw::v1::SignalRequest> take();
  bool has_request();
  // The client says nothing any more, and all that it said was taken.
  bool is_closed();

  // After what was pushed.
  void finish(grpc::Status status) { ResponseStream::finish(std::move(status), Rest::say); }

 private:
  using ResponseStream::ResponseStream;
  void OnReadDone(bool ok) override;
  void on_cancelled() override { closed_ = true; }
  void read();

  std::function<void()> on_request_;
  pbxgw::v1::SignalRequest incoming_;  // being read into, if reading_
  std::deque<pbxgw::v1::SignalRequest> requests_;
  bool reading_ = false;
  bool closed_ = false;  // half-closed by the client, or broken
};

}  // namespace control
