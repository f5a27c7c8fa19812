#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "call/model.h"
#include "pbx/vodia/codec.h"
#include "pbx/vodia/texts.h"

namespace pbx::vodia {

// The tenant's accounts as the PBX's messages and its REST directory have told them. An account is
// gone when a complete list lacks it that had shown it before: the directory knows extensions only,
// and says nothing of queues.
//
// Lives as long as a session. Each function returns what has changed, for the tracker.
class Directory {
 public:
  using Seen = std::vector<call::Observation>;

  // `controllable` says of an extension whether commands can act on it.
  explicit Directory(std::function<bool(const std::string&)> controllable);

  Seen on_domain_state(const std::vector<Account>& accounts);
  Seen on_extensions(const std::vector<Account>& accounts);
  // Accounts of all types, of which extensions are known better already.
  Seen on_users(const std::vector<Account>& accounts);
  Seen on_user_state(const Account& account);
  Seen on_lamp(const Lamp& lamp);
  // A call as it is now: what its extensions do follows from it.
  Seen on_call(const call::CallView& call);
  Seen on_forwarding(const std::string& number, const ForwardingSettings& settings);
  // All of them, once more: who can be acted on may have changed.
  Seen everything();

  struct Known {
    const std::string* number;  // the account's own, if it was asked for by another one of its
    const std::string* name;
    call::DeviceKind kind;
    bool conference;
  };
  // By its number, or an alias that no other account has. Valid until the next non-const call.
  std::optional<Known> find(std::string_view number) const;
  std::optional<bool> do_not_disturb(const std::string& number) const;
  std::optional<bool> busy(const std::string& number) const;
  // Its lamp is lit, and no call that we know of is why.
  bool lit_without_call(const std::string& number) const;
  std::vector<std::string> extensions() const;
  // Grows when an account comes, goes or becomes something else: parties of calls may, too.
  unsigned generation() const { return generation_; }

 private:
  struct Row {
    Account account;
    call::DeviceKind kind = call::DeviceKind::extension;
    bool in_domain_state = false, in_directory = false;
    std::uint64_t round = 0;
    bool busy_was_read = false;  // in the directory, some time ago, and not pushed since
    std::string lamp;
    std::vector<std::pair<std::string, call::ConnectionState>> calls;  // by their keys
    std::vector<call::Forwarding> forwardings;
    call::Device told;
  };

  Row* merge(const Account& account, bool from_directory);
  call::Device device_of(const Row& row) const;
  bool tell(Row& row, Seen& seen);
  Seen after_list(bool removed, Seen changes);
  void learn_aliases(const Row& row);

  std::function<bool(const std::string&)> controllable_;
  std::unordered_map<std::string, Row> rows_;
  std::unordered_map<std::string, std::string> aliases_;  // to the account's number; empty: several
  std::unordered_map<std::string, std::vector<std::string>> in_calls_;  // accounts, by call
  std::uint64_t round_ = 0;
  unsigned generation_ = 0;
  bool told_all_ = false;
};

}  // namespace pbx::vodia
