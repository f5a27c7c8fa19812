#include "pbx/vodia/parties.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace pbx::vodia {
namespace {

using call::ConnectionState;
using call::DeviceKind;
using call::Party;
using call::Role;

template <class List>
bool has(const List& list, std::string_view text) {
  return std::any_of(std::begin(list), std::end(list), [&](const auto& it) { return it == text; });
}

// One arrangement in the making.
class Arranger {
 public:
  Arranger(std::span<const CallEntry* const> entries, const Directory& directory,
           std::span<const Part> before, std::span<const std::string> left)
      : entries_(entries), directory_(directory), before_(before), left_(left) {
    first_ = entries.front();
    from_ = own_number(directory, first_->from.number);
    to_ = own_number(directory, first_->to.number);
    for (const CallEntry* entry : entries) {
      answered_ = answered_ || entry->answered;
      for (const std::string& extension : entry->extensions) {
        // A queue or an orbit that is listed as well is no extension for that.
        const auto known = directory.find(extension);
        if (known && known->kind != DeviceKind::extension) continue;
        if (!has(members_, extension)) members_.push_back(extension);
      }
    }
    from_known_ = directory.find(from_);
    to_known_ = directory.find(to_);
  }

  Arrangement arrange(std::string_view holder) {
    add_caller();
    for (const std::string& member : members_) {
      if (member != from_) add(extension(member), Role::called, ringing_or_talking(member));
    }
    add_callee();
    for (Wanted& part : result_.parts) {
      part.member =
          part.party.kind == DeviceKind::extension && has(members_, part.party.device.str());
    }
    result_.answered = answered_;
    hold(holder);
    return std::move(result_);
  }

 private:
  bool any_called_member() const {
    return std::any_of(members_.begin(), members_.end(),
                       [&](const std::string& it) { return it != from_; });
  }
  bool from_own() const { return has(members_, from_) || from_known_.has_value(); }

  Party extension(const std::string& number) const {
    Party party{call::DeviceId(number), DeviceKind::extension, number, {}};
    for (const CallEntry* entry : entries_) {
      if (!party.name.empty()) break;
      if (own_number(directory_, entry->from.number) == number) party.name = entry->from.name;
      if (own_number(directory_, entry->to.number) == number) party.name = entry->to.name;
    }
    if (const auto known = directory_.find(number); known && party.name.empty()) {
      party.name = *known->name;
    }
    return party;
  }
  static Party outside(const Address& address) {
    return {call::DeviceId(address.number), DeviceKind::outside, address.number, address.name};
  }
  static Party account(const std::string& number, DeviceKind kind, const Address& address) {
    return {call::DeviceId(number), kind, number, address.name};
  }

  bool has_talked(std::string_view number) const {
    return std::any_of(before_.begin(), before_.end(), [&](const Part& part) {
      return part.talked && part.party.device.str() == number;
    });
  }
  // An extension that was listed, and is not in a list that there is: it transferred the call.
  bool has_left(std::string_view number) const {
    return has(left_, number) ||
           (!members_.empty() && std::any_of(before_.begin(), before_.end(), [&](const Part& part) {
             return part.member && part.party.device.str() == number;
           }));
  }
  ConnectionState ringing_or_talking(std::string_view number) const {
    return answered_ || has_talked(number) ? ConnectionState::connected : ConnectionState::alerting;
  }

  void add(Party party, Role role, ConnectionState state) {
    result_.parts.push_back({std::move(party), role, state, false});
  }

  void add_caller() {
    constexpr Role kRole = Role::calling;
    if (has(members_, from_)) {
      return add(extension(from_), kRole, ConnectionState::connected);
    }
    if (from_known_) {
      if (from_known_->kind == DeviceKind::extension) {
        if (!has_left(from_)) add(extension(from_), kRole, ConnectionState::connected);
        return;
      }
      return add(account(from_, from_known_->kind, first_->from), kRole,
                 ConnectionState::connected);
    }
    if (!first_->from.number.empty() || !first_->from.name.empty()) {
      add(outside(first_->from), kRole, ConnectionState::connected);
    }
  }

  // Where the call goes, as far as that is a party of its own.
  void add_callee() {
    if (to_.empty() || to_ == from_ || has(members_, to_)) return;
    if (to_known_) {
      const DeviceKind kind = to_known_->kind;
      if (kind == DeviceKind::extension) {
        if (!any_called_member() && !has_left(to_)) {
          add(extension(to_), Role::called, ringing_or_talking(to_));
        }
        return;
      }
      const bool waits = kind == DeviceKind::queue || kind == DeviceKind::park;
      const bool stays = kind == DeviceKind::park || to_known_->conference;
      // A queue or group has done its part when somebody rings.
      if (any_called_member() && !stays) return;
      add(account(to_, kind, first_->to), Role::called,
          waits ? ConnectionState::queued : ringing_or_talking(to_));
      return;
    }
    // For a call from outside it is the number that was dialled: one of ours, and no party.
    const bool was_there = std::any_of(before_.begin(), before_.end(), [](const Part& part) {
      return part.role == Role::called && part.party.kind == DeviceKind::outside;
    });
    const bool goes_out = from_own() && (!any_called_member() || was_there);
    const bool passes = !from_own() && members_.empty();
    if (goes_out || passes) {
      add(outside(first_->to), Role::called, ringing_or_talking(to_));
    }
  }

  // Of one entry: the extensions whose side it is.
  std::vector<std::string> sides_of(const CallEntry& entry) const {
    if (!entry.extensions.empty()) return entry.extensions;
    std::vector<std::string> sides;
    for (const std::string& number : {from_, to_}) {
      if (is_extension(directory_, entry, number)) sides.push_back(number);
    }
    return sides;
  }

  void hold(std::string_view holder) {
    for (const CallEntry* entry : entries_) {
      if (entry->progress != Progress::holding && entry->progress != Progress::on_hold) continue;
      result_.on_hold = true;
      const auto sides = sides_of(*entry);
      if (!holder.empty() && put_on_hold(holder)) continue;
      if (sides.size() == 1 && entry->progress == Progress::holding && put_on_hold(sides[0])) {
        continue;
      }
      if (sides.size() == 1 && entry->progress == Progress::on_hold && result_.parts.size() == 2) {
        // The other one holds.
        Wanted& one = result_.parts[0];
        Wanted& two = result_.parts[1];
        Wanted& other = one.party.device.str() == sides[0] ? two : one;
        if (other.state == ConnectionState::connected || other.state == ConnectionState::hold) {
          other.state = ConnectionState::hold;
          continue;
        }
      }
      result_.holder_unknown = true;
    }
    const bool decided =
        std::any_of(result_.parts.begin(), result_.parts.end(),
                    [](const auto& it) { return it.state == ConnectionState::hold; });
    if (decided) result_.holder_unknown = false;
  }

  bool put_on_hold(std::string_view number) {
    for (Wanted& part : result_.parts) {
      if (part.party.device.str() != number || part.party.kind != DeviceKind::extension) continue;
      if (part.state != ConnectionState::connected && part.state != ConnectionState::hold) continue;
      part.state = ConnectionState::hold;
      return true;
    }
    return false;
  }

  std::span<const CallEntry* const> entries_;
  const Directory& directory_;
  std::span<const Part> before_;
  std::span<const std::string> left_;
  const CallEntry* first_ = nullptr;
  std::string from_, to_;
  std::vector<std::string> members_;
  std::optional<Directory::Known> from_known_, to_known_;
  bool answered_ = false;
  Arrangement result_;
};

}  // namespace

std::string own_number(const Directory& directory, std::string_view number) {
  const auto known = directory.find(number);
  return known ? *known->number : std::string(number);
}

bool is_extension(const Directory& directory, const CallEntry& entry, std::string_view number) {
  if (number.empty()) return false;
  if (has(entry.extensions, number)) return true;
  const auto known = directory.find(number);
  return known && known->kind == DeviceKind::extension;
}

Arrangement arrange(std::span<const CallEntry* const> entries, const Directory& directory,
                    std::span<const Part> before, std::span<const std::string> left,
                    std::string_view holder) {
  return Arranger(entries, directory, before, left).arrange(holder);
}

}  // namespace pbx::vodia
