#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/admission.h"
#include "control/answer.h"
#include "control/audit_trail.h"
#include "control/core.h"
#include "control/metrics.h"
#include "control/recording_stream.h"
#include "wire/names.h"

namespace control {

struct DownloadLimits {
  // Until the PBX has begun to answer; for one part.
  std::chrono::milliseconds open_wait{30'000};
  std::chrono::milliseconds part_wait{15'000};
  // A caller whose queue is full and who takes nothing for so long is ended: sooner than the owner
  // forgets the transfer.
  std::chrono::milliseconds patience{25'000};
};

// What a download works with.
struct DownloadTools {
  Core& core;
  AuditTrail& audit;
  const Metrics& metrics;
  DownloadLimits limits;
};

// One GetRecording: pulls the recording from the tenant's owner, part by part, as fast as the
// caller takes it. Runs on the bus connection's executor.
//
// It ends with the caller's right, as other streams do, though it is over by itself before long: a
// caller who takes little at a time could go on for hours, and what was said is what the group
// admin is for. He begins anew with other credentials. The audit is told before he gets anything.
class RecordingDownload final : public Pending,
                                public std::enable_shared_from_this<RecordingDownload> {
 public:
  RecordingDownload(DownloadTools tools, boost::asio::any_io_executor executor,
                    std::shared_ptr<RecordingStream> stream, wire::RecordName name, Caller caller);

  // Until the caller has everything, or the reason why not, or is gone. Once only.
  boost::asio::awaitable<void> run();
  void abandon(const google::rpc::Status& why) override;

 private:
  boost::asio::awaitable<google::rpc::Status> fetch();
  boost::asio::awaitable<Answer<pbxgw::v1::HistoryResult>> ask(pbxgw::v1::HistoryRequest question,
                                                               std::chrono::milliseconds wait);
  boost::asio::awaitable<Answer<pbxgw::v1::HistoryResult>> read(unsigned number);
  boost::asio::awaitable<bool> wait_for_space();

  const DownloadTools tools_;
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<RecordingStream> stream_;
  const wire::RecordName name_;
  const Caller caller_;
  std::string transfer_;  // at the owner; empty: there is none that should be closed
  bool over_ = false;     // the caller is gone, or it was abandoned
  bool gone_ = false;     // gRPC is done with the RPC
  boost::asio::steady_timer wake_;
};

}  // namespace control
