#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <grpcpp/grpcpp.h>

#include "pbxgw/v1/events_service.pb.h"

namespace control {

// The caller's end of one Watch: a bounded queue, of which gRPC writes one response at a time. Any
// thread may call it. gRPC keeps it alive until the RPC is over, the watch as long as it likes:
// what it says afterwards is ignored.
class WatchStream final : public grpc::ServerWriteReactor<pbxgw::v1::WatchResponse> {
 public:
  struct Limits {
    std::size_t responses_max = 1'000;
    std::size_t bytes_max = 4u << 20;  // together; a single one may be larger
  };
  // Called on gRPC's threads, and not by push() or finish().
  struct Handlers {
    std::function<void()> on_space;  // half the queue is free again, after it was full
    std::function<void()> on_gone;   // the caller is gone, or has been told the status
  };

  static std::shared_ptr<WatchStream> make(grpc::CallbackServerContext& context, Limits limits);
  void handle(Handlers handlers);

  // False while the queue is full: then the watch has to wait for on_space.
  bool has_space();
  // Takes the response even if there is no space: one more than the limit, for snapshots in parts.
  void push(pbxgw::v1::WatchResponse response);
  // Tells the caller that the watch exists, before there is anything to read.
  void greet();
  // Ends the RPC with `status` after what is being written now; the rest of the queue is dropped.
  // Only the first call counts.
  void finish(grpc::Status status);
  // For a caller who does not even read the status: breaks the stream off.
  void break_off();

  // When the caller last took something, or had taken everything.
  std::chrono::steady_clock::time_point progress();
  bool is_idle();  // everything was taken
  // Of the last response handed to gRPC: what comes after it, the caller will not get.
  std::string last_marker();

 private:
  WatchStream(grpc::CallbackServerContext& context, Limits limits)
      : context_(&context), limits_(limits) {}
  void OnSendInitialMetadataDone(bool) override {}
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  void write(const pbxgw::v1::WatchResponse* next, bool more);
  bool is_full() const;

  std::mutex mutex_;
  grpc::CallbackServerContext* context_;  // null once the RPC is over
  const Limits limits_;
  Handlers handlers_;
  std::deque<pbxgw::v1::WatchResponse> queue_;  // the first one is being written, if writing_
  std::size_t bytes_ = 0;
  bool writing_ = false;
  bool starved_ = false;  // somebody waits for on_space
  bool gone_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> status_;  // to be sent after the write at hand
  std::chrono::steady_clock::time_point progress_ = std::chrono::steady_clock::now();
  std::string last_marker_;
  std::shared_ptr<WatchStream> self_;  // until gRPC is done with it
};

}  // namespace control
