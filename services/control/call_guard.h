#pragma once

#include <grpcpp/support/server_interceptor.h>

#include "control/metrics.h"

namespace control {

// Stands between every RPC and the network, gRPC's own answers included: counts it, and makes sure
// that an error of ours says why. One for the process.
class CallGuard final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallGuard(const Metrics& metrics) : metrics_(metrics) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  const Metrics& metrics_;
};

}  // namespace control
