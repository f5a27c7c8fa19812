#include "pbx/webitel/history.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/overloaded.h"
#include "pbx/webitel/past_calls.h"
#include "pbx/webitel/refusals.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using call::Refusal;
using std::chrono::days;
using std::chrono::milliseconds;

// Rows more than are wanted, so that a page that ends among several of one millisecond is rare.
constexpr unsigned kSlack = 16;
constexpr std::size_t kIdMost = 128;
// What caused a user's leg began before it: a queue may have kept it waiting.
constexpr std::int64_t kCausedWithin = 10 * 60'000;

std::int64_t milliseconds_of(call::Time time) {
  return std::chrono::floor<milliseconds>(time.time_since_epoch()).count();
}

// Where a leg stands among others, the newest first.
struct Place {
  std::int64_t created = 0;
  std::string id;

  bool is_before(const PastLeg& leg) const {
    return created != leg.created ? created > leg.created : id > leg.id;
  }
};
Place place_of(const PastLeg& leg) { return {leg.created, leg.id}; }

// PastCalls::next: "1760000000120.53a8…".
std::string text_of(const Place& place) { return std::to_string(place.created) + '.' + place.id; }

std::optional<Place> place_in(std::string_view text) {
  Place place;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, place.created);
  if (failure != std::errc{} || rest == end || *rest != '.' || place.created <= 0) {
    return std::nullopt;
  }
  place.id.assign(rest + 1, end);
  if (place.id.empty() || place.id.size() > kIdMost) return std::nullopt;
  return place;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

Refusal refusal_of_search(const RestError& error) {
  Refusal refusal = refusal_of(error);
  if (refusal.why == Errc::call_not_found) {
    refusal = {Errc::feature_not_supported, "this server has no history of calls to be read"};
  }
  return refusal;
}

}  // namespace

struct History::Search {
  call::SearchCalls wanted;
  std::string user;                       // whose calls; empty: all
  std::int64_t from = 0, until = 0;       // that began in [from, until)
  std::optional<Place> read;              // everything up to here was told, or looked at
  unsigned page = 1, requests = 0;        // of the PBX's, for the same question
  std::unordered_set<std::string> known;  // ids
  std::vector<PastLeg> found, family;
  std::string next;
  bool moved = false;      // beyond where the page before ended
  bool is_family = false;  // what is asked for now
};

// ---- From question to answer.

void History::ask(call::InquiryId id, const call::Inquiry& inquiry, TimePoint limit, TimePoint now,
                  Effects& effects) {
  if (open_.contains(id)) return;  // it will be answered
  if (limit <= now) {
    effects.push_back(Inform{id, Refusal{Errc::timed_out, "the caller's deadline had passed"}});
    return;
  }
  std::visit(base::overloaded{
                 [&](const call::SearchCalls& it) { begin(id, it, limit, effects); },
                 [&](const call::FindRecording& it) { find_recording(id, it.recording, effects); },
             },
             inquiry);
}

// A recording that is not there is known when its bytes are fetched.
void History::find_recording(call::InquiryId id, const std::string& recording, Effects& effects) {
  if (!is_number(recording)) {
    effects.push_back(
        Inform{id, Refusal{Errc::recording_not_found, "the PBX does not have this recording"}});
    return;
  }
  RecordingSource source{rest_.make("GET", "/storage/recordings/" + recording + "/download").where,
                         limit_};
  for (auto& [name, value] : source.where.headers) {
    if (name == "Accept") value = "*/*";
  }
  effects.push_back(Inform{id, std::move(source)});
}

void History::begin(call::InquiryId id, const call::SearchCalls& wanted, TimePoint limit,
                    Effects& effects) {
  const auto refuse = [&](Errc why, const char* sentence) {
    effects.push_back(Inform{id, Refusal{why, sentence}});
  };
  if (open_.size() >= kInquiriesMax) {
    return refuse(Errc::too_many_requests, "too many searches of this PBX wait already");
  }
  auto search = std::make_shared<Search>();
  search->wanted = wanted;
  search->wanted.limit = std::clamp(wanted.limit, 1u, kCallsMax);
  // The PBX's clock may be ahead of ours.
  search->until = milliseconds_of(wanted.until.value_or(wanted.now + days(1)));
  search->from =
      std::max<std::int64_t>(milliseconds_of(wanted.from.value_or(wanted.now - days(kDaysMax))), 1);
  if (!wanted.after.empty()) {
    search->read = place_in(wanted.after);
    if (!search->read) return refuse(Errc::page_token_invalid, "");
  }
  if (!wanted.device.empty()) {
    const Person* person = directory_.by_extension(wanted.device.str());
    if (!person) return refuse(Errc::device_not_found, "no user of the PBX has this extension");
    search->user = person->id;
  }
  if (search->from >= search->until) {
    effects.push_back(Inform{id, call::PastCalls()});
    return;
  }
  ask_for_legs(open_.emplace(id, Open{limit, std::move(search)}).first, effects);
}

bool History::on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint /*now*/,
                      Effects& effects) {
  const auto asked = asked_.find(id);
  if (asked == asked_.end()) return false;
  const auto it = open_.find(asked->second);
  asked_.erase(asked);
  if (it == open_.end()) return true;  // its time was over
  if (it->second.search->is_family) {
    take_family(it, reply, effects);
  } else {
    take_legs(it, reply, effects);
  }
  return true;
}

void History::on_tick(TimePoint now, Effects& effects) {
  for (auto it = open_.begin(); it != open_.end();) {
    const auto here = it++;
    if (here->second.due > now) continue;
    inform(here, Refusal{Errc::timed_out, "the PBX did not answer the search in time"}, effects);
  }
}

TimePoint History::deadline() const {
  TimePoint first = TimePoint::max();
  for (const auto& [id, open] : open_) first = std::min(first, open.due);
  return first;
}

void History::send(Iterator it, const PastQuery& query, Effects& effects) {
  SendHttp send = rest_.make("GET", history_path(query));
  asked_.emplace(send.id, it->first);
  effects.push_back(std::move(send));
}

void History::inform(Iterator it, Inform::Answer answer, Effects& effects) {
  effects.push_back(Inform{it->first, std::move(answer)});
  open_.erase(it);
}

// ---- The calls.

void History::ask_for_legs(Iterator it, Effects& effects) {
  Search& search = *it->second.search;
  ++search.requests;
  PastQuery query;
  // Whether the PBX's ends belong to what is asked for is not documented: a millisecond more, and
  // what is too much is left out here.
  query.from = search.from - 1;
  query.until = search.read ? std::min(search.read->created + 1, search.until) : search.until;
  query.user = search.user;
  query.roots = search.user.empty();
  query.page = search.page;
  query.size = search.wanted.limit + kSlack;
  send(it, query, effects);
}

void History::take_legs(Iterator it, const base::Result<HttpReply>& reply, Effects& effects) {
  if (!reply) return inform(it, refusal_of(reply.error(), false), effects);
  if (const auto error = error_of(*reply)) return inform(it, refusal_of_search(*error), effects);
  auto parsed = parse_past_legs(reply->body);
  if (!parsed) {
    return inform(it, Refusal{Errc::pbx_refused, "the PBX's list of calls cannot be read"},
                  effects);
  }
  if (parsed->unread > 0) {
    effects.push_back(
        Note{Errc::bad_frame, "the history of calls: " + std::to_string(parsed->unread) +
                                  " legs have no id or no start, and were left out"});
  }
  Search& search = *it->second.search;
  std::vector<PastLeg>& legs = parsed->legs;
  const bool follows = (parsed->next || parsed->cut) && !legs.empty();
  std::sort(legs.begin(), legs.end(), [](const PastLeg& one, const PastLeg& other) {
    return place_of(one).is_before(other);
  });
  // Others of its last millisecond may be on the next page, and belong before some of these.
  if (follows && legs.front().created != legs.back().created) {
    const std::int64_t last = legs.back().created;
    std::erase_if(legs, [&](const PastLeg& leg) { return leg.created == last; });
  }

  bool more = false, news = false;
  for (PastLeg& leg : legs) {
    if (!search.known.insert(leg.id).second) continue;
    if (search.read && !search.read->is_before(leg)) continue;
    news = search.moved = true;
    const bool wanted = leg.created >= search.from && leg.created < search.until &&
                        (!search.user.empty() || leg.parent.empty());
    if (!wanted) continue;
    if (search.found.size() >= search.wanted.limit) {
      more = true;
      break;
    }
    search.found.push_back(leg);
  }
  const bool full = search.found.size() >= search.wanted.limit;
  if (more || (full && follows)) {
    search.next = text_of(place_of(search.found.back()));
  } else if (follows && !full) {
    if (news) {
      search.read = place_of(legs.back());
      search.page = 1;
    } else {
      ++search.page;
    }
    if (search.requests < kRequestsMax) return ask_for_legs(it, effects);
    if (!search.moved) {
      return inform(it, Refusal{Errc::pbx_refused, "the PBX's history does not go on"}, effects);
    }
    search.next = text_of(*search.read);
  }
  if (!is_printable(search.next)) {
    return inform(it, Refusal{Errc::pbx_refused, "the PBX's list of calls cannot be read"},
                  effects);
  }
  ask_for_family(it, effects);
}

// ---- Who else took part in them.

void History::ask_for_family(Iterator it, Effects& effects) {
  Search& search = *it->second.search;
  const bool alone = std::none_of(search.found.begin(), search.found.end(), [](const PastLeg& leg) {
    return leg.has_children || !leg.parent.empty();
  });
  if (alone) return finish(it, effects);
  if (!search.is_family) {
    search.is_family = true;
    search.page = 1;
  }
  PastQuery query;
  query.from = search.found.back().created - (search.user.empty() ? 1 : kCausedWithin);
  query.from = std::max<std::int64_t>(query.from, 1);
  for (const PastLeg& leg : search.found) {
    query.until = std::max({query.until, leg.created + 1, leg.hangup + 1});
  }
  query.page = search.page;
  query.size = kFamilyPageSize;
  send(it, query, effects);
}

// The calls are worth telling without.
void History::take_family(Iterator it, const base::Result<HttpReply>& reply, Effects& effects) {
  Search& search = *it->second.search;
  const bool right = reply && !error_of(*reply);
  auto parsed = right ? parse_past_legs(reply->body) : base::Result<PastLegs>(Errc::pbx_refused);
  if (!parsed) {
    effects.push_back(Note{parsed.error(), "who else took part in past calls could not be read"});
    return finish(it, effects);
  }
  const bool follows = parsed->next && !parsed->legs.empty();
  std::move(parsed->legs.begin(), parsed->legs.end(), std::back_inserter(search.family));
  if (follows && search.page < kFamilyPagesMax) {
    ++search.page;
    return ask_for_family(it, effects);
  }
  finish(it, effects);
}

void History::finish(Iterator it, Effects& effects) {
  Search& search = *it->second.search;
  call::PastCalls page;
  page.next = std::move(search.next);
  page.calls = past_calls_of(search.found, search.family, directory_);
  inform(it, std::move(page), effects);
}

}  // namespace pbx::webitel
