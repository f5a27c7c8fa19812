#include "control/rpc/command.h"

namespace control::rpc {

using pbxgw::v1::CommandResult;

Answering<CommandResult> carry_out(Core& core, Fields fields, Caller caller) {
  if (fields.failure()) co_return wire::to_status(*fields.failure());
  fields.request().set_traceparent(std::move(caller.traceparent));
  auto answer = co_await core.gateway.ask(caller.right, fields.tenant(),
                                          std::move(fields.request()), caller.deadline);
  if (!answer) co_return answer.error();
  if (!answer->has_command_result()) {
    co_return refuse(base::Errc::internal, "The connector answered another question.");
  }
  co_return std::move(*answer->mutable_command_result());
}

}  // namespace control::rpc
