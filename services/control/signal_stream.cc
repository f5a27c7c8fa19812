#include "control/signal_stream.h"

#include <utility>

namespace control {

using pbxgw::v1::SignalRequest;

std::shared_ptr<SignalStream> SignalStream::make(grpc::CallbackServerContext& context,
                                                 Limits limits) {
  return kept(new SignalStream(context, limits));
}

void SignalStream::handle(Handlers handlers, std::function<void()> on_request) {
  {
    const std::lock_guard lock(mutex_);
    on_request_ = std::move(on_request);
  }
  ResponseStream::handle(std::move(handlers));
  const std::lock_guard lock(mutex_);
  read();
}

// Under the lock: once finish() has let gRPC have the RPC back, nothing may be started.
void SignalStream::read() {
  if (reading_ || closed_ || is_over() || requests_.size() >= kRequestsMax) return;
  reading_ = true;
  StartRead(&incoming_);
}

void SignalStream::OnReadDone(bool ok) {
  std::function<void()> on_request;
  {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    if (ok) {
      incoming_.DiscardUnknownFields();  // neither the gate nor we would see what they name
      requests_.push_back(std::move(incoming_));
      incoming_.Clear();
    } else {
      closed_ = true;
    }
    read();
    on_request = on_request_;
  }
  if (on_request) on_request();
}

std::optional<SignalRequest> SignalStream::take() {
  const std::lock_guard lock(mutex_);
  if (requests_.empty()) return std::nullopt;
  SignalRequest next = std::move(requests_.front());
  requests_.pop_front();
  read();
  return next;
}

bool SignalStream::has_request() {
  const std::lock_guard lock(mutex_);
  return !requests_.empty();
}

bool SignalStream::is_closed() {
  const std::lock_guard lock(mutex_);
  return closed_ && requests_.empty();
}

}  // namespace control
