#include "rights/verified_tokens.h"

#include <iterator>
#include <utility>

namespace rights {

std::optional<Identity> VerifiedTokens::find(const std::string& hash, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(hash);
  if (found == places_.end()) return std::nullopt;
  const auto entry = found->second;
  if (now >= *entry->identity.expires) {
    places_.erase(found);
    entries_.erase(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.end(), entries_, entry);
  return entry->identity;
}

void VerifiedTokens::add(std::string hash, Identity identity) {
  if (!identity.expires || max_ == 0) return;
  const std::lock_guard lock(mutex_);
  if (places_.contains(hash)) return;  // by another thread, meanwhile
  if (entries_.size() >= max_) {
    places_.erase(entries_.front().hash);
    entries_.pop_front();
  }
  entries_.push_back({std::move(hash), std::move(identity)});
  places_.emplace(entries_.back().hash, std::prev(entries_.end()));
}

std::size_t VerifiedTokens::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace rights
