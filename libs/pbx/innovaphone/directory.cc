#include "pbx/innovaphone/directory.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pbx::innovaphone {
namespace {

using base::Errc;

// The table is of the whole PBX, of which the App object may be shown a part.
constexpr std::size_t kRowsMax = 200'000;

}  // namespace

Directory::Directory(LinkId link, const Options& options, Users& users)
    : link_(link),
      options_(options),
      users_(users),
      replication_({options.limit, kRowsMax}),
      presence_({options.limit, options.outstanding, options.most}) {}

// Of those who live elsewhere the PBX there knows better.
User* Directory::own(const std::string& guid) {
  User* user = users_.find(guid);
  return user != nullptr && user->link == link_ ? user : nullptr;
}

void Directory::put(const std::string& guid, const Row& row, Output& out) {
  User* user = own(guid);
  if (user == nullptr) return;
  if (user->display == row.display && user->diversions == row.diversions) return;
  user->display = row.display;
  user->diversions = row.diversions;
  out.changed.push_back(guid);
}

void Directory::take(Replication::Step step, Output& out) {
  if (!step.text.empty()) out.texts.push_back(std::move(step.text));
  if (step.row) {
    Row row{std::move(step.row->dn), std::move(step.row->diversions)};
    put(step.row->guid, row, out);
    if (rows_.size() < options_.most || rows_.contains(step.row->guid)) {
      rows_.insert_or_assign(std::move(step.row->guid), std::move(row));
    }
  }
  if (!step.deleted.empty()) {
    rows_.erase(step.deleted);
    put(step.deleted, {}, out);
  }
  if (!step.unavailable.empty() && options_.required) {
    out.notes.push_back(Note{Errc::permission_denied, std::move(step.unavailable)});
  }
}

void Directory::take(Presence::Step step, Output& out) {
  std::move(step.texts.begin(), step.texts.end(), std::back_inserter(out.texts));
  if (!step.change) return;
  User* user = own(step.change->guid);
  if (user == nullptr) return;
  std::optional<std::string> presence;
  std::optional<bool> do_not_disturb;
  if (auto& now = step.change->now) {
    presence = std::move(now->text);
    do_not_disturb = now->do_not_disturb;
  }
  if (user->presence == presence && user->do_not_disturb == do_not_disturb) return;
  user->presence = std::move(presence);
  user->do_not_disturb = do_not_disturb;
  out.changed.push_back(std::move(step.change->guid));
}

void Directory::begin(bool table, bool presence, TimePoint now, Output& out) {
  if (options_.table && table) {
    out.texts.push_back(replication_.begin(now));
  } else if (options_.table && options_.required) {
    out.notes.push_back(
        Note{Errc::permission_denied,
             "the App object does not grant PbxTableUsers: tick TableUsers, or set directory to "
             "auto"});
  }
  watches_ = presence;
  if (!watches_) return;
  std::vector<std::string> guids;
  users_.for_each([&](const User& user) {
    if (user.link == link_) guids.push_back(user.info.guid);
  });
  std::sort(guids.begin(), guids.end());
  for (const std::string& guid : guids) on_user(guid, now, out);
}

void Directory::on_user(const std::string& guid, TimePoint now, Output& out) {
  User* user = own(guid);
  if (user == nullptr) return;
  if (const auto row = rows_.find(guid); row != rows_.end()) put(guid, row->second, out);
  if (watches_ && user->is_person()) {
    take(presence_.add(guid, user->info.h323, user->info.e164, now), out);
  }
}

void Directory::on_user_gone(const std::string& guid, TimePoint now, Output& out) {
  take(presence_.remove(guid, now), out);
}

bool Directory::on_frame(const Frame& frame, TimePoint now, Output& out) {
  if (Presence::concerns(frame)) {
    take(presence_.on_frame(frame, now), out);
    return true;
  }
  if (Replication::concerns(frame)) {
    take(replication_.on_frame(frame, now), out);
    return true;
  }
  return false;
}

void Directory::on_tick(TimePoint now, Output& out) {
  if (replication_.deadline() <= now) take(replication_.on_tick(now), out);
  if (presence_.deadline() <= now) take(presence_.on_tick(now), out);
}

}  // namespace pbx::innovaphone
