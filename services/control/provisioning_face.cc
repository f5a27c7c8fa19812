#include "control/provisioning_face.h"

#include "control/rpc/order.h"

namespace control {

using namespace pbxgw::provisioning::v1;

#define PBXGW_ORDER(Method)                                                                     \
  grpc::ServerUnaryReactor* ProvisioningFace::Method(grpc::CallbackServerContext* context,      \
                                                     const Method##Request* request,            \
                                                     Method##Response* response) {              \
    return dispatcher_.run<Method##Request, Method##Response>(                                  \
        #Method, *context, *request, response, &rpc::order<Method##Request, Method##Response>); \
  }

PBXGW_ORDER(CreateDevice)
PBXGW_ORDER(ListDevices)
PBXGW_ORDER(GetDevice)
PBXGW_ORDER(DeleteDevice)
PBXGW_ORDER(CreateUser)
PBXGW_ORDER(ListUsers)
PBXGW_ORDER(GetUser)
PBXGW_ORDER(DeleteUser)
PBXGW_ORDER(CreateUserToken)
PBXGW_ORDER(ListUserTokens)
PBXGW_ORDER(GetUserToken)
PBXGW_ORDER(DeleteUserToken)
PBXGW_ORDER(CreateAgent)
PBXGW_ORDER(ListAgents)
PBXGW_ORDER(GetAgent)
PBXGW_ORDER(DeleteAgent)

#undef PBXGW_ORDER

}  // namespace control
