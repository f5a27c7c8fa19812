// answer, clear, hold, retrieve, record-start, record-stop: a connection, and nothing else.
#include "pbxctl/verbs/declarations.h"
#include "pbxctl/verbs/on_connection.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

template <class Request, class Response>
Action declare(CLI::App& app, Service service,
               grpc::Status (CallControl::Stub::*rpc)(grpc::ClientContext*, const Request&,
                                                      Response*)) {
  auto connection = std::make_shared<std::string>();
  auto options = std::make_shared<ChangeOptions>();
  add_connection(app, *connection);
  add_change_options(app, *options);
  return act_on_connection(connection, options, service, rpc,
                           [](Session&, Request&) -> Outcome<void> { return {}; });
}

}  // namespace

Action declare_answer(CLI::App& app) {
  return declare(app, SERVICE_ANSWER_CALL, &CallControl::Stub::AnswerCall);
}
Action declare_clear(CLI::App& app) {
  return declare(app, SERVICE_CLEAR_CONNECTION, &CallControl::Stub::ClearConnection);
}
Action declare_hold(CLI::App& app) {
  return declare(app, SERVICE_HOLD_CALL, &CallControl::Stub::HoldCall);
}
Action declare_retrieve(CLI::App& app) {
  return declare(app, SERVICE_RETRIEVE_CALL, &CallControl::Stub::RetrieveCall);
}
Action declare_record_start(CLI::App& app) {
  return declare(app, SERVICE_START_RECORDING, &CallControl::Stub::StartRecording);
}
Action declare_record_stop(CLI::App& app) {
  return declare(app, SERVICE_STOP_RECORDING, &CallControl::Stub::StopRecording);
}

}  // namespace pbxctl
