#include "control/watch_stream.h"

namespace control {

std::shared_ptr<WatchStream> WatchStream::make(grpc::CallbackServerContext& context,
                                               Limits limits) {
  return kept(new WatchStream(context, limits));
}

void WatchStream::on_write(const pbxgw::v1::WatchResponse& response) {
  if (!response.resume_marker().empty()) last_marker_ = response.resume_marker();
}

std::string WatchStream::last_marker() {
  const std::lock_guard lock(mutex_);
  return last_marker_;
}

}  // namespace control
