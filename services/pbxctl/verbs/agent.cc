#include <memory>

#include "pbxctl/json.h"
#include "pbxctl/target.h"
#include "pbxctl/verbs/declarations.h"
#include "pbxgw/v1/devices_service.grpc.pb.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

// "for 3m05s"; empty if it is not known since when.
std::string length_of(const Session& session, bool is_known,
                      const google::protobuf::Timestamp& since) {
  return is_known ? " for " + length_text(session.now() - time_of(since)) : "";
}

void show(const Session& session, const AgentSession& agent) {
  std::string causes, channels;
  for (const std::string& cause : agent.pause_causes()) {
    causes.append(causes.empty() ? "" : ", ").append(printable(cause));
  }
  for (const auto& it : agent.channels()) {
    channels.append(channels.empty() ? "" : ", ")
        .append(printable(it.channel()) + ' ' + printable(it.state()) +
                length_of(session, it.has_state_time(), it.state_time()));
  }
  const std::string team = agent.team_name().empty() ? agent.team_id() : agent.team_name();
  print_fields(
      {{"agent", {printable(agent.agent_id()), Color::bold}},
       {"state",
        {word(agent.state()) + length_of(session, agent.has_state_time(), agent.state_time())}},
       {"reason", {printable(agent.state_reason())}},
       {"team", {printable(team)}},
       {"supervises", {agent.supervisor() ? "yes" : ""}},
       {"causes", {causes}},
       {"channels", {channels}}},
      session.style(), session.out());
}

}  // namespace

Action declare_agent(CLI::App& app) {
  auto text = std::make_shared<std::string>();
  app.add_option("DEVICE", *text, "A number, or a resource name")->type_name("")->required();
  return [text](Session& session) -> Outcome<void> {
    auto device = device_name(session, *text);
    if (!device) return device.error();
    GetAgentSessionRequest request;
    request.set_device(*device);
    auto response = session.ask(&Devices::Stub::GetAgentSession, request);
    if (!response) return response.error();
    if (session.json()) {
      session.out() << json_line(response->agent_session()) << '\n';
    } else {
      show(session, response->agent_session());
    }
    return {};
  };
}

}  // namespace pbxctl
