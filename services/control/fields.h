#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <google/protobuf/map.h>

#include "base/ids.h"
#include "pbxgw/v1/command.pb.h"
#include "wire/status.h"

namespace control {

inline constexpr std::size_t kDestinationMax = 64;  // characters, also of slots and device ids
inline constexpr std::size_t kDigitsMax = 64;
inline constexpr std::size_t kNoteMax = 256;
inline constexpr int kDataEntriesMax = 32;
inline constexpr std::size_t kDataBytesMax = 4096;
inline constexpr int kPageSizeOtherwise = 100;
inline constexpr int kPageSizeMax = 1'000;

// The one way to say that a field is wrong: INVALID_ARGUMENT with a sentence that names the field,
// the problem and the remedy.
wire::Failure wrong(std::string_view field, std::string problem, std::string_view value = {});

// For a text: too long, in characters, or with control characters in it; or missing. `what` is the
// remedy.
std::optional<wire::Failure> check_text(std::string_view field, std::string_view text,
                                        std::size_t max, bool required, std::string_view what);

// For a resource name: missing, or not of the form `form`.
wire::Failure not_of_form(std::string_view field, std::string_view name, std::string_view form);

// Reads a request_id into `out`; empty is none. The same UUID in capitals is the same request.
std::optional<wire::Failure> read_request_id(std::string_view id, std::string& out);

// Reads the fields of one request into what its owner is to be asked, and checks them: nothing a
// caller can get wrong reaches a connector. Keeps the first failure; everything after it is in
// vain. Lives as long as one RPC's first step.
class Fields {
 public:
  explicit Fields(pbxgw::v1::Service service);
  explicit Fields(pbxgw::v1::Query::Kind kind);

  // Resource names. The first one read says which tenant is meant; the others have to agree.
  void call(std::string_view name, std::string_view field = "call");
  void connection(std::string_view name);
  void other_connection(std::string_view name);  // may be empty
  void device(std::string_view name, std::string_view field = "device");

  void destination(std::string_view text);
  void slot(std::string_view text);
  void digits(std::string_view text);
  void data(const google::protobuf::Map<std::string, std::string>& data, bool required);
  void on(bool on) { command().set_on(on); }
  void forwarding(bool present, const pbxgw::v1::Forwarding& forwarding);
  void presence(std::string_view text);
  void agent_state(pbxgw::v1::AgentState state);
  void note(std::string_view text, std::string_view field);  // also the reason of an agent's state
  void request_id(std::string_view id);
  void validate_only(bool only) { command().set_validate_only(only); }

  const std::optional<wire::Failure>& failure() const { return failure_; }
  const base::TenantId& tenant() const { return tenant_; }
  pbxgw::v1::OwnerRequest& request() { return request_; }

 private:
  pbxgw::v1::Command& command() { return *request_.mutable_command(); }
  void fail(wire::Failure failure);
  void belong(const base::TenantId& tenant, std::string_view field, std::string_view name);
  void printable(std::string_view field, std::string_view text, std::size_t max, bool required,
                 std::string_view what);

  pbxgw::v1::OwnerRequest request_;
  base::TenantId tenant_;
  std::optional<wire::Failure> failure_;
};

// For a page_token that is not of this list.
wire::Failure wrong_page_token();
// The page size to use for the one asked for; nothing if it is negative.
std::optional<int> page_size_of(int asked);

}  // namespace control
