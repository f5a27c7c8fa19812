#include "pbxctl/target.h"

#include <algorithm>

#include "pbxgw/v1/calls_service.grpc.pb.h"
#include "pbxgw/v1/tenants_service.grpc.pb.h"
#include "wire/names.h"
#include "wire/token.h"

namespace pbxctl {
namespace {

using pbxgw::v1::Call;
using pbxgw::v1::Connection;
using pbxgw::v1::Service;

constexpr int kPageSize = 1'000;
constexpr std::size_t kChoicesMax = 10;

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "c", then `count` numbers with dashes between them.
bool is_id(std::string_view text, int count) {
  if (!text.starts_with('c')) return false;
  text.remove_prefix(1);
  for (; count > 1; --count) {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos || !is_number(text.substr(0, dash))) return false;
    text.remove_prefix(dash + 1);
  }
  return is_number(text);
}

Failure malformed(const std::string& text, const std::string& expected) {
  return {ExitCode::usage, "found \"" + printable(text) + "\"; expected " + expected, {}, {}};
}

// A connection, and the call that it is part of.
struct Choice {
  const Call* call;
  const Connection* connection;
};

bool takes_two(Service service) {
  return service == pbxgw::v1::SERVICE_ALTERNATE_CALL ||
         service == pbxgw::v1::SERVICE_RECONNECT_CALL ||
         service == pbxgw::v1::SERVICE_TRANSFER_CALL ||
         service == pbxgw::v1::SERVICE_CONFERENCE_CALL;
}

std::vector<std::string> lines_of(const std::vector<Choice>& choices) {
  std::vector<std::string> lines;
  for (const auto& it : choices) {
    if (lines.size() == kChoicesMax) {
      lines.push_back("and " + std::to_string(choices.size() - kChoicesMax) + " more");
      break;
    }
    lines.push_back(connection_line(*it.call, *it.connection));
  }
  return lines;
}

Outcome<std::string> choose(const std::vector<Choice>& all, const std::string& device,
                            Service service) {
  const std::string number = printable(device);
  if (all.empty()) return Failure{ExitCode::not_found, number + " is in no call right now", {}, {}};
  // The only one: whether it allows this, and if not why, the service knows best.
  if (all.size() == 1) return all.front().connection->name();

  std::vector<Choice> fitting;
  for (const auto& it : all) {
    const auto& allowed = it.connection->allowed_actions();
    if (std::find(allowed.begin(), allowed.end(), service) != allowed.end()) fitting.push_back(it);
  }
  if (fitting.size() == 1) return fitting.front().connection->name();
  const std::string verb = verb_for(service);
  if (fitting.empty()) {
    return Failure{ExitCode::not_possible,
                   "none of the " + std::to_string(all.size()) + " connections of " + number +
                       " allows " + verb + " now:",
                   lines_of(all),
                   {}};
  }
  if (takes_two(service)) {
    std::vector<Choice> connected;
    std::copy_if(fitting.begin(), fitting.end(), std::back_inserter(connected),
                 [](const Choice& it) {
                   return it.connection->state() == pbxgw::v1::CONNECTION_STATE_CONNECTED;
                 });
    if (connected.size() == 1) return connected.front().connection->name();
  }
  return Failure{ExitCode::usage,
                 number + " has " + std::to_string(fitting.size()) + " connections that " + verb +
                     " could mean; name one of them instead:",
                 lines_of(fitting),
                 {}};
}

}  // namespace

Outcome<std::string> the_tenant(Session& session) {
  const auto& tenant = session.options().tenant;
  if (!tenant.empty()) return wire::tenant_name(base::TenantId(tenant));
  pbxgw::v1::ListTenantsRequest request;
  request.set_page_size(static_cast<int>(kChoicesMax) + 1);
  auto response = session.ask(&pbxgw::v1::Tenants::Stub::ListTenants, request);
  if (!response) return response.error();
  if (response->tenants_size() == 1) return response->tenants(0).name();
  if (response->tenants_size() == 0) {
    return Failure{ExitCode::not_found,
                   "the gateway has no tenants",
                   {"They come from the connectors' configuration: is a connector running?"},
                   {}};
  }
  std::string names;
  for (int i = 0; i < response->tenants_size() && i < static_cast<int>(kChoicesMax); ++i) {
    names.append(i == 0 ? "" : ", ").append(id_of(response->tenants(i).name()));
  }
  if (response->tenants_size() > static_cast<int>(kChoicesMax)) names += ", …";
  return Failure{ExitCode::usage,
                 "which tenant? Say --tenant NAME, or set PBXGW_TENANT",
                 {"There are: " + names},
                 {}};
}

std::string tenant_or_all(const Session& session) {
  const auto& tenant = session.options().tenant;
  return tenant.empty() ? "tenants/-" : wire::tenant_name(base::TenantId(tenant));
}

Outcome<std::string> device_name(Session& session, const std::string& text) {
  if (text.starts_with("tenants/")) {
    if (!wire::parse_device(text)) return malformed(text, wire::kDeviceForm);
    return text;
  }
  if (text.empty()) return malformed(text, "a device's number");
  auto tenant = the_tenant(session);
  if (!tenant) return tenant.error();
  return *tenant + "/devices/" + wire::to_token(text);
}

Outcome<std::string> call_name(Session& session, const std::string& text) {
  if (text.starts_with("tenants/")) {
    if (!wire::parse_call(text)) return malformed(text, wire::kCallForm);
    return text;
  }
  if (!is_id(text, 2)) {
    return malformed(text, "a call such as c12-7 (pbxctl calls lists them)");
  }
  auto tenant = the_tenant(session);
  if (!tenant) return tenant.error();
  return *tenant + "/calls/" + text;
}

Outcome<std::string> connection_name(Session& session, const std::string& text, Service service) {
  if (text.starts_with("tenants/")) {
    if (!wire::parse_connection(text)) return malformed(text, wire::kConnectionForm);
    return text;
  }
  if (is_id(text, 2)) {
    return malformed(text, "a connection such as " + text + "-1 (pbxctl calls " + text +
                               " lists them), or a device");
  }
  if (text.empty()) return malformed(text, "a connection such as c12-7-1, or a device");
  auto tenant = the_tenant(session);
  if (!tenant) return tenant.error();
  if (is_id(text, 3)) return *tenant + "/connections/" + text;

  auto calls = list_calls(session, *tenant, text);
  if (!calls) return calls.error();
  std::vector<Choice> choices;
  for (const auto& call : *calls) {
    for (const auto& connection : call.connections()) {
      if (connection.party().device_id() == text) choices.push_back({&call, &connection});
    }
  }
  return choose(choices, text, service);
}

Outcome<std::vector<Call>> list_calls(Session& session, const std::string& parent,
                                      const std::string& device_id) {
  pbxgw::v1::ListCallsRequest request;
  request.set_parent(parent);
  request.set_device_id(device_id);
  request.set_page_size(kPageSize);
  std::vector<Call> calls;
  Unreachable unreachable("calls");
  do {
    auto page = session.ask(&pbxgw::v1::Calls::Stub::ListCalls, request);
    if (!page) return page.error();
    unreachable.warn(session, page->unreachable());
    for (auto& call : *page->mutable_calls()) calls.push_back(std::move(call));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return calls;
}

void Unreachable::warn(const Session& session,
                       const google::protobuf::RepeatedPtrField<std::string>& tenants) {
  for (const auto& tenant : tenants) {
    if (!told_.insert(tenant).second) continue;
    session.err() << "pbxctl: " << id_of(tenant) << " could not be asked: its " << what_
                  << " are missing here\n";
  }
}

std::string connection_line(const Call& call, const Connection& connection) {
  return row({{id_of(connection.name())}, {word(connection.state())}, {parties(call)}}, {0, 9},
             Style(false));
}

}  // namespace pbxctl
