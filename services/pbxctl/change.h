#pragma once

#include <string>

#include <CLI/App.hpp>

#include "pbxctl/json.h"
#include "pbxctl/session.h"
#include "pbxctl/words.h"

// What all verbs that change something have in common.
namespace pbxctl {

struct ChangeOptions {
  std::string request_id;  // empty: a new one
  bool dry_run = false;
};
void add_request_id(CLI::App& app, std::string& request_id);
// With --dry-run as well.
void add_change_options(CLI::App& app, ChangeOptions& options);

// The last words about a change: what there is now, for people.
std::string outcome_line(const Session& session, const pbxgw::v1::Call* call,
                         const std::string& connection);
std::string outcome_line(const Session& session, const pbxgw::v1::Device& device);
// With what a caller should know who asks whether to repeat it.
Failure with_repeat_hint(Failure failure, const std::string& request_id);

// Sends the request, and says what came of it.
template <class Stub, class Request, class Response>
Outcome<void> carry_out(Session& session,
                        grpc::Status (Stub::*rpc)(grpc::ClientContext*, const Request&, Response*),
                        Request request, const ChangeOptions& options, const std::string& id) {
  request.set_request_id(id);
  request.set_validate_only(options.dry_run);
  auto response = session.ask(rpc, request);
  if (!response) {
    return options.dry_run ? response.error() : with_repeat_hint(response.error(), id);
  }
  if (session.json()) {
    session.out() << with_member("requestId", json_text(id), json_line(*response)) << '\n';
  } else if (options.dry_run) {
    session.out() << "could be done now; nothing was done\n";
  } else if constexpr (requires { response->device(); }) {
    session.out() << outcome_line(session, response->device()) << '\n';
  } else {
    const auto* call = response->has_call() ? &response->call() : nullptr;
    session.out() << outcome_line(session, call, response->connection()) << '\n';
  }
  return {};
}

}  // namespace pbxctl
