#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "google/rpc/status.pb.h"
#include "pbxgw/v1/audit.pb.h"
#include "rights/policy.h"

// What a pbxgw.v1.AuditRecord says of an RPC, and which are left out. Pure; AuditTrail keeps them.
namespace control {

// Who asked. The gate fills it, as far as it came.
struct Asker {
  std::string principal;  // empty: not known
  rights::Means means = rights::Means::none;
  std::string address;
  std::string traceparent;
  std::string subject{};  // as in rights::Identity
};
Asker asker_of(const rights::Identity& identity, std::string address, std::string traceparent);

// What was asked for, as far as a record may say so: nothing else of a request, and so no secret,
// gets here.
struct Asked {
  std::string resource;  // as the request has it; only written once the tenant is believed
  std::string request_id;
  std::string destination;    // masked
  bool begins = false;        // a stream that goes on: its end is told as well
  std::string action{};       // over a stream: "start_call"
  std::string app{}, user{};  // whose login is asked for; as the request has them
};

// Whether an RPC changes something, or hands out what was said: then it is told, however it ends.
// `rpc` is "pbxgw.v1.CallControl/MakeCall". What is refused at the door is told of any RPC.
bool is_audited(std::string_view rpc);

// The tenant of a resource name; nullopt for none, for all, and for what is no name.
std::optional<base::TenantId> tenant_of(std::string_view resource);

// A resource name as a record has it: every number in it that may be somebody's outside is masked,
// that is: seven digits or more in a row. Names that we made up ourselves stay as they are.
std::string masked_resource(std::string_view name);

// Text from outside as a log line may have it: printable ASCII, anything else as '?', cut after so
// many bytes.
std::string printable(std::string_view text, std::size_t bytes_max = 256);

// `tenant_is_known`: to the directory. Of a tenant that nobody has ever had, nothing is repeated.
pbxgw::v1::AuditRecord record_of(const Asker& who, std::string_view rpc, const Asked& what,
                                 bool tenant_is_known, bool admitted,
                                 const google::rpc::Status& result,
                                 std::chrono::system_clock::time_point now);

// Keeps a flood of refusals from pushing out everything else: of each kind (from where, who, what,
// why) the first few a minute are told, and how many were not. Beyond so many kinds at a time the
// further ones count as one. Strangers, of whom there may be any number, have kinds of their own,
// few, and whatever they ask for is one kind: so they push out nobody else's. Pure: time is an
// argument; one thread.
class RefusalLimit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes kWindow{1};

  // So many a minute of each kind, and so many kinds.
  struct Most {
    std::uint32_t each;
    std::size_t kinds;
  };
  RefusalLimit(Most of_principals, Most of_strangers)
      : principals_{of_principals}, strangers_{of_strangers} {}

  // Whether to tell this one. Then it may have been given what was left out before.
  bool pass(pbxgw::v1::AuditRecord& record, TimePoint now);
  // The last one of each kind of which some were left out, once its minute is over: for what ends
  // without another one. To be asked for now and then.
  std::vector<pbxgw::v1::AuditRecord> take(TimePoint now);

 private:
  struct Kind {
    TimePoint until;
    std::uint32_t told = 0, left_out = 0;
    pbxgw::v1::AuditRecord last;  // of those left out
  };
  struct Table {
    Most most;
    std::map<std::string, Kind, std::less<>> kinds{};
    TimePoint swept{};
  };
  static Kind& find(Table& table, std::string key, TimePoint now);

  Table principals_, strangers_;
};

}  // namespace control
