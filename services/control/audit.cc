#include "control/audit.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/command_gateway.h"
#include "control/dispatcher.h"
#include "control/rate_limits.h"
#include "wire/names.h"
#include "wire/status.h"
#include "wire/text.h"
#include "wire/time.h"
#include "wire/token.h"

namespace control {

using pbxgw::v1::AuditRecord;

namespace {

constexpr char kNoTenant[] = "tenants/-";
constexpr std::size_t kNameMax = 256;  // of a resource, as it is written
constexpr std::size_t kTextMax = 128;
constexpr std::size_t kDigitsMin = 7;  // extensions are shorter
constexpr std::size_t kDigitsKept = 3;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// Text that a caller chose.
std::string tidy(std::string_view text, std::size_t bytes_max) {
  std::string out;
  wire::assign_text(out, wire::clip(text, bytes_max));
  return out;
}

// As the W3C has it; of anything else nothing is repeated.
bool is_traceparent(std::string_view text) {
  constexpr std::string_view kForm = "00-00000000000000000000000000000000-0000000000000000-00";
  return text.size() == kForm.size() &&
         std::equal(text.begin(), text.end(), kForm.begin(),
                    [](char c, char form) { return form == '0' ? is_hex(c) : c == form; });
}

// A request's own id is a UUID; of anything else nothing is repeated: it was refused, too.
bool is_id(std::string_view text) {
  return text.size() == 36 && std::all_of(text.begin(), text.end(), [](char c) {
           return is_hex(c) || c == '-' || (c >= 'A' && c <= 'F');
         });
}

// Of calls and their connections: ids of ours.
bool is_of_ours(std::string_view collection) {
  return collection == "calls" || collection == "connections";
}

std::string masked_numbers(std::string_view text) {
  std::string out(text);
  for (auto begin = out.begin(); begin != out.end();) {
    begin = std::find_if(begin, out.end(), is_digit);
    const auto end = std::find_if_not(begin, out.end(), is_digit);
    if (end - begin >= static_cast<std::ptrdiff_t>(kDigitsMin)) {
      std::fill(begin, end - kDigitsKept, '*');
    }
    begin = end;
  }
  return out;
}

// The token of an id, but with '*' in place of digits.
void append_masked(std::string_view token, std::string& out) {
  const auto id = wire::from_token(token);
  if (!id) {
    out += masked_numbers(token);
    return;
  }
  for (const char c : masked_numbers(*id)) {
    if (c == '*') {
      out += c;
    } else {
      wire::append_token(out, {&c, 1});
    }
  }
}

}  // namespace

Asker asker_of(const rights::Identity& identity, std::string address, std::string traceparent) {
  return {identity.principal ? identity.principal->name() : std::string(), identity.means,
          std::move(address), std::move(traceparent), identity.subject};
}

bool is_audited(std::string_view rpc) {
  const std::string_view method = rpc.substr(rpc.rfind('/') + 1);
  if (method == "GetRecording") return true;
  constexpr std::array<std::string_view, 4> kReading{"Get", "List", "Search", "Watch"};
  return std::none_of(kReading.begin(), kReading.end(),
                      [&](std::string_view verb) { return method.starts_with(verb); });
}

std::optional<base::TenantId> tenant_of(std::string_view resource) {
  const std::string name = tenant_part(resource);
  if (name == kNoTenant) return std::nullopt;
  auto tenant = wire::parse_tenant(name);
  if (!tenant || tenant->empty()) return std::nullopt;
  return std::move(*tenant);
}

std::string masked_resource(std::string_view name) {
  std::string out, collection;
  bool is_id = false;  // collections and ids take turns
  for (std::size_t at = 0; at <= name.size(); is_id = !is_id) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    if (at > 0) out += '/';
    if (!is_id) collection = part;
    const bool may_be_a_number = is_id && collection != "tenants" && !is_of_ours(collection);
    if (may_be_a_number) {
      append_masked(part, out);
    } else {
      out += part;
    }
    at = end + 1;
  }
  return out;
}

// OpenID Connect has subjects in ASCII; what is not could look like another one to a reader.
std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string out(text.substr(0, bytes_max));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

AuditRecord record_of(const Asker& who, std::string_view rpc, const Asked& what,
                      bool tenant_is_known, bool admitted, const google::rpc::Status& result,
                      std::chrono::system_clock::time_point now) {
  AuditRecord record;
  wire::to_proto(now, *record.mutable_time());
  record.set_principal(tidy(who.principal, kTextMax));
  record.set_subject(printable(who.subject));
  record.set_credential(std::string(rights::name_of(who.means)));
  record.set_address(tidy(who.address, kTextMax));
  record.set_rpc(tidy(rpc, kTextMax));
  record.set_tenant(kNoTenant);
  if (tenant_is_known) {
    record.set_tenant(tenant_part(what.resource));
    if (what.resource != record.tenant()) {
      record.set_resource(tidy(masked_resource(what.resource), kNameMax));
    }
    record.set_app(tidy(masked_numbers(what.app), kTextMax));
    record.set_user(tidy(masked_numbers(what.user), kTextMax));
  }
  if (is_id(what.request_id)) record.set_request_id(what.request_id);
  record.set_destination(tidy(what.destination, kTextMax));
  record.set_code(wire::name_of_code(result.code()));
  if (result.code() != 0) record.set_reason(reason_of(result));
  record.set_admitted(admitted);
  record.set_begun(what.begins);
  record.set_action(what.action);
  if (is_traceparent(who.traceparent)) record.set_traceparent(who.traceparent);
  return record;
}

// ---- The flood ----

bool RefusalLimit::pass(AuditRecord& record, TimePoint now) {
  const bool is_stranger = record.principal().empty();
  std::string key = network_of(record.address()) + '\n' + record.reason();
  if (!is_stranger) {
    key += '\n' + record.rpc() + '\n' + record.principal() + '\n' + record.subject();
  }
  Table& table = is_stranger ? strangers_ : principals_;
  Kind& kind = find(table, std::move(key), now);
  if (kind.until <= now) {
    record.set_left_out(kind.left_out);
    kind = Kind{now + kWindow, 0, 0, {}};
  }
  if (kind.told < table.most.each) {
    ++kind.told;
    return true;
  }
  ++kind.left_out;
  kind.last = record;
  return false;
}

RefusalLimit::Kind& RefusalLimit::find(Table& table, std::string key, TimePoint now) {
  auto& kinds = table.kinds;
  const auto found = kinds.find(key);
  if (found != kinds.end()) return found->second;
  if (kinds.size() >= table.most.kinds && now - table.swept >= std::chrono::seconds(1)) {
    table.swept = now;  // not for each one of a flood
    std::erase_if(kinds, [&](const auto& each) {
      return each.second.until <= now && each.second.left_out == 0;
    });
  }
  if (kinds.size() >= table.most.kinds) key.clear();
  return kinds.try_emplace(std::move(key), Kind{now + kWindow, 0, 0, {}}).first->second;
}

std::vector<AuditRecord> RefusalLimit::take(TimePoint now) {
  std::vector<AuditRecord> taken;
  for (Table* table : {&principals_, &strangers_}) {
    for (auto each = table->kinds.begin(); each != table->kinds.end();) {
      Kind& kind = each->second;
      if (kind.until > now) {
        ++each;
        continue;
      }
      if (kind.left_out > 0) {
        kind.last.set_left_out(kind.left_out - 1);  // this one is told
        taken.push_back(std::move(kind.last));
      }
      each = table->kinds.erase(each);
    }
  }
  return taken;
}

}  // namespace control
