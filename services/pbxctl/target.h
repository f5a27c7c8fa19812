#pragma once

#include <set>
#include <string>
#include <vector>

#include "pbxctl/session.h"
#include "pbxgw/v1/call.pb.h"

// From what people type to resource names.
namespace pbxctl {

// The tenant of --tenant; without it the only one that there is.
Outcome<std::string> the_tenant(Session& session);
// That of --tenant, or all: "tenants/-".
std::string tenant_or_all(const Session& session);

// "201", or a device's resource name.
Outcome<std::string> device_name(Session& session, const std::string& text);
// "c12-7", or a call's resource name.
Outcome<std::string> call_name(Session& session, const std::string& text);
// "c12-7-1", a connection's resource name, or "201": that device's only connection, or the only one
// of them that allows `service` now. Where the service takes two, the connected one.
Outcome<std::string> connection_name(Session& session, const std::string& text,
                                     pbxgw::v1::Service service);

// All calls; of one device if `device_id` is not empty. Says on err which tenants could not be
// asked.
Outcome<std::vector<pbxgw::v1::Call>> list_calls(Session& session, const std::string& parent,
                                                 const std::string& device_id);

// "c12-7-1  alerting   +34600111222 → 201 Ana"
std::string connection_line(const pbxgw::v1::Call& call, const pbxgw::v1::Connection& connection);
// Says on err, once each, which tenants' `what` are missing from a list.
class Unreachable {
 public:
  explicit Unreachable(const char* what) : what_(what) {}
  void warn(const Session& session, const google::protobuf::RepeatedPtrField<std::string>& tenants);

 private:
  const char* what_;
  std::set<std::string> told_;
};

}  // namespace pbxctl
