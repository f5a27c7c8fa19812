#pragma once

#include "control/dispatcher.h"
#include "pbxgw/provisioning/v1/provisioning_service.grpc.pb.h"

namespace control {

// As those of faces.h, for the service of another package.
class ProvisioningFace final : public pbxgw::provisioning::v1::Provisioning::CallbackService {
 public:
  explicit ProvisioningFace(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}

#define PBXGW_RPC(Method)                                                                   \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,                    \
                                   const pbxgw::provisioning::v1::Method##Request* request, \
                                   pbxgw::provisioning::v1::Method##Response* response) override;

  PBXGW_RPC(CreateDevice)
  PBXGW_RPC(ListDevices)
  PBXGW_RPC(GetDevice)
  PBXGW_RPC(DeleteDevice)
  PBXGW_RPC(CreateUser)
  PBXGW_RPC(ListUsers)
  PBXGW_RPC(GetUser)
  PBXGW_RPC(DeleteUser)
  PBXGW_RPC(CreateUserToken)
  PBXGW_RPC(ListUserTokens)
  PBXGW_RPC(GetUserToken)
  PBXGW_RPC(DeleteUserToken)
  PBXGW_RPC(CreateAgent)
  PBXGW_RPC(ListAgents)
  PBXGW_RPC(GetAgent)
  PBXGW_RPC(DeleteAgent)

#undef PBXGW_RPC

 private:
  Dispatcher& dispatcher_;
};

}  // namespace control
