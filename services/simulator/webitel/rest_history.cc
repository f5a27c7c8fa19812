#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "simulator/webitel/encoder.h"
#include "simulator/webitel/rest.h"
#include "simulator/webitel/rest_listing.h"
#include "simulator/webitel/rest_recordings.h"

// Legs that are over.
namespace simulator::webitel {

using engine::HttpAnswer;
using engine::TimePoint;

namespace {

// A leg is found so long after the last leg of its tree has ended: the flow service writes the
// whole tree at once.
constexpr engine::Millis kStoredAfter{1'000};

// What comes without `fields`.
constexpr std::string_view kFields[] = {
    "id",          "app_id",    "type",     "parent_id", "user",       "extension",   "direction",
    "destination", "from",      "to",       "variables", "created_at", "answered_at", "bridged_at",
    "hangup_at",   "stored_at", "duration", "hold_sec",  "wait_sec",   "bill_sec",    "cause",
    "sip_code",    "hangup_by", "agent",    "display",   "bridged_id", "files"};

// One of these keeps the search from going through everything there ever was.
constexpr std::string_view kRequired[] = {
    "created_at.from", "created_at.to", "stored_at.from", "stored_at.to", "number", "q", "id",
    "dependency_id"};

// When each tree of legs was stored, by the leg it began with. Those with a leg that lives are not
// there.
class Trees {
 public:
  explicit Trees(const Channels& channels) {
    for (const auto& it : channels.ended()) parent_of_[it.id] = it.parent;
    for (const Channel* it : channels.live()) parent_of_[it->id] = it->parent;
    for (const auto& it : channels.ended()) {
      TimePoint& last = stored_[root_of(it)];
      last = std::max(last, *it.ended + kStoredAfter);
      if (!it.parent.empty()) parents_.insert(it.parent);
    }
    for (const Channel* it : channels.live()) stored_.erase(root_of(*it));
  }
  std::optional<TimePoint> stored(const Channel& channel) const {
    const auto it = stored_.find(root_of(channel));
    if (it == stored_.end()) return std::nullopt;
    return it->second;
  }
  std::string root_of(const Channel& channel) const {
    std::string id = channel.id;
    for (auto it = parent_of_.find(id); it != parent_of_.end() && !it->second.empty();
         it = parent_of_.find(id)) {
      if (!parent_of_.contains(it->second)) break;
      id = it->second;
    }
    return id;
  }
  bool has_children(const Channel& channel) const { return parents_.contains(channel.id); }

 private:
  std::map<std::string, std::string> parent_of_;
  std::map<std::string, TimePoint> stored_;
  std::set<std::string> parents_;
};

std::string masked(std::string number) {
  constexpr std::size_t kShown = 2;
  for (std::size_t i = 0; i + kShown < number.size(); ++i) number[i] = '*';
  return number;
}

json::object party_json(const Party& party, bool numbers) {
  json::object out = party.object();
  if (!numbers) out["number"] = masked(party.number);
  return out;
}

std::int64_t seconds(TimePoint from, TimePoint to) {
  return std::chrono::duration_cast<std::chrono::seconds>(to - from).count();
}

json::array files_json(const RestCall& call, const Channel& channel) {
  json::array files;
  for (const auto& it : channel.recordings) {
    files.push_back(
        json::object{{"id", std::to_string(it.id)},
                     {"name", recording_name(it)},
                     {"size", std::to_string(recording_size(it))},
                     {"mime_type", kRecordingType},
                     {"start_at", std::to_string(call.pbx.channels.millis(it.from))},
                     {"stop_at", std::to_string(call.pbx.channels.millis(it.to))},
                     {"start_record", std::to_string(call.pbx.channels.millis(it.from))},
                     {"channel", "call"}});
  }
  return files;
}

json::object leg_json(const RestCall& call, const Trees& trees, const Channel& it,
                      TimePoint stored) {
  const auto& channels = call.pbx.channels;
  const bool numbers = Accounts::may(*call.user, "view_cdr_phone_numbers", 'r');
  const auto time = [&](TimePoint at) { return std::to_string(channels.millis(at)); };
  const TimePoint ended = *it.ended;
  json::array holds;
  std::int64_t held = 0;
  for (const auto& [from, to] : it.holds) {
    held += seconds(from, to);
    holds.push_back({{"start", time(from)}, {"stop", time(to)}, {"sec", seconds(from, to)}});
  }
  json::object out = active_call(call.pbx, it, ended);
  out.erase("state");
  out.erase("timestamp");
  out["destination"] = numbers ? it.destination : masked(it.destination);
  out["from"] = party_json(it.from, numbers);
  if (it.to) out["to"] = party_json(*it.to, numbers);
  out["hangup_at"] = time(ended);
  out["stored_at"] = time(stored);
  out["talk_sec"] = it.first_bridged ? seconds(*it.first_bridged, ended) - held : 0;
  out["cause"] = it.cause;
  out["sip_code"] = it.sip;
  out["hangup_by"] = it.hangup_by;
  out["has_children"] = trees.has_children(it);
  out["hold"] = std::move(holds);
  if (!it.transfer_to.empty()) out["transfer_to"] = it.transfer_to;
  if (!it.transfer_from.empty()) out["transfer_from"] = it.transfer_from;
  if (const User* user = channels.user_of(it)) {
    if (const Agent* agent = call.pbx.accounts.agent_of(user->id)) {
      out["agent"] = lookup(agent->id, user->name);
    }
  }
  out["files"] = may_hear(*call.user) ? files_json(call, it) : json::array();
  return out;
}

bool has_number(const Channel& it, std::string_view wanted) {
  return mentions(it.from.number, wanted) || mentions(it.destination, wanted) ||
         (it.to && mentions(it.to->number, wanted));
}

bool is_wanted(const RestCall& call, const Arguments& asked, const Trees& trees, const Channel& it,
               TimePoint stored) {
  const auto& channels = call.pbx.channels;
  const User* user = channels.user_of(it);
  const Agent* agent = user ? call.pbx.accounts.agent_of(user->id) : nullptr;
  const auto id = [](std::int64_t number) { return std::to_string(number); };
  const std::string number = asked.first("number"), q = asked.first("q");
  const std::string tree = asked.first("dependency_id"), direction = asked.first("direction");
  const std::int64_t talk = it.first_bridged ? seconds(*it.first_bridged, *it.ended) : 0;
  const bool missed = !it.outbound && !it.answered;
  return asked.within("created_at", channels.millis(it.created)) &&
         asked.within("stored_at", channels.millis(stored)) &&
         asked.within("duration", seconds(it.created, *it.ended)) && asked.within("talk", talk) &&
         (number.empty() || has_number(it, number)) &&
         (q.empty() || has_number(it, q) || mentions(it.id, q)) && asked.wants("id", it.id) &&
         (tree.empty() || trees.root_of(it) == tree || it.id == tree) &&
         (!asked.has("user_id") || (user && asked.wants("user_id", id(user->id)))) &&
         (!asked.has("agent_id") || (agent && asked.wants("agent_id", id(agent->id)))) &&
         (direction.empty() || direction == (it.outbound ? "outbound" : "inbound")) &&
         !asked.has("queue_id") && asked.wants("cause", it.cause) &&
         asked.wants("parent_id", it.parent) &&
         (!asked.flag("skip_parent").value_or(false) || it.parent.empty()) &&
         asked.flag("missed").value_or(missed) == missed &&
         asked.flag("has_file").value_or(!it.recordings.empty()) == !it.recordings.empty();
}

HttpAnswer search(const RestCall& call) {
  Arguments asked(call.http.query());
  asked.add(call.body);
  const bool limited = std::any_of(std::begin(kRequired), std::end(kRequired),
                                   [&](auto name) { return !asked.first(name).empty(); });
  if (!limited) {
    return engine_problem(
        call.pbx, {"grpc.call.search_history", 400,
                   "one of created_at, stored_at, number, q, id, dependency_id is required"});
  }
  const Trees trees(call.pbx.channels);
  std::vector<json::object> rows;
  for (const Channel& it : call.pbx.channels.ended()) {
    const auto stored = trees.stored(it);
    if (!stored || *stored > call.now || !call.pbx.channels.user_of(it)) continue;
    if (is_wanted(call, asked, trees, it, *stored)) {
      rows.push_back(leg_json(call, trees, it, *stored));
    }
  }
  const ListStyle style{kEngineSize, kSizeMax, kFields, "-created_at"};
  return engine_answer(call.pbx, list_of(asked, style, std::move(rows)));
}

}  // namespace

std::span<const RestRoute> history_routes() {
  static constexpr RestRoute kRoutes[] = {
      {"GET", "/calls/history", "calls", 'r', false, search},
      {"POST", "/calls/history", "calls", 'r', false, search},
  };
  return kRoutes;
}

}  // namespace simulator::webitel
