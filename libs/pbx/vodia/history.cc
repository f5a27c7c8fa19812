#include "pbx/vodia/history.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/overloaded.h"
#include "pbx/vodia/history_impl.h"

namespace pbx::vodia {
namespace {

using base::Errc;
using call::Refusal;
using std::chrono::days;
using std::chrono::microseconds;
using std::chrono::sys_days;

// A window of several days that goes on after so many lists is made narrower.
constexpr unsigned kWindowListsMax = 4;
constexpr std::int64_t kDay = 86'400'000'000;
// A record belongs to the day of its start, in whatever time zone, or of its end.
constexpr std::int64_t kFuzz = 2 * kDay;

int day_of(call::Time time) {
  return static_cast<int>(std::chrono::floor<days>(time).time_since_epoch().count());
}

call::Time time_of(std::int64_t time) { return call::Time(microseconds(time)); }

// YYYYMMDD
std::string date_of(int day) {
  const std::chrono::year_month_day date{sys_days(days(day))};
  return std::to_string(static_cast<int>(date.year()) * 10'000 +
                        static_cast<int>(static_cast<unsigned>(date.month())) * 100 +
                        static_cast<int>(static_cast<unsigned>(date.day())));
}

std::string text_of(const Place& place) {
  if (!place.after) return std::to_string(place.window.last);
  return std::to_string(place.window.first) + '.' + std::to_string(place.window.last) + '.' +
         std::to_string(place.after->start) + '.' + place.after->id;
}

template <class Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::optional<Place> place_of(std::string_view text) {
  Place place;
  int day = 0;
  if (!take_number(text, day) || day < 0 || day > 1'000'000) return std::nullopt;
  place.window.first = place.window.last = day;
  if (text.empty()) return place;
  Key after;
  if (!text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  if (!take_number(text, place.window.last) || !text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  if (!take_number(text, after.start) || !text.starts_with('.')) return std::nullopt;
  after.id = text.substr(1);
  if (place.window.last < place.window.first || place.window.last > 1'000'000 ||
      place.window.last - place.window.first > kSpanMost) {
    return std::nullopt;
  }
  place.after = std::move(after);
  return place;
}

}  // namespace

// ---- From question to answer.

void History::ask(call::InquiryId id, const call::Inquiry& inquiry, TimePoint limit, TimePoint now,
                  Effects& effects) {
  if (open_.size() >= kInquiriesMax) {
    effects.push_back(
        Inform{id, Refusal{Errc::too_many_requests, "too many searches of this PBX wait already"}});
    return;
  }
  if (limit <= now) {
    effects.push_back(Inform{id, Refusal{Errc::timed_out, "the caller's deadline had passed"}});
    return;
  }
  std::visit(
      base::overloaded{
          [&](const call::SearchCalls& wanted) {
            auto search = std::make_shared<Search>();
            begin(open_.emplace(id, Open{limit, std::move(search)}).first, wanted, effects);
          },
          [&](const call::FindRecording& wanted) {
            if (!legacy_) {
              effects.push_back(Inform{id, source_of(recording_bytes(domain_, wanted.recording))});
              return;
            }
            // Its bytes go by the name of its file.
            open_.emplace(id, Open{limit, Finding{wanted.recording}});
            send(id, describe_recordings(domain_, {wanted.recording}), effects);
          },
      },
      inquiry);
}

std::optional<bool> History::on_http(HttpId id, const base::Result<HttpReply>& reply,
                                     Effects& effects) {
  const auto asked = asked_.find(id);
  if (asked == asked_.end()) return std::nullopt;
  const call::InquiryId inquiry = asked->second;
  asked_.erase(asked);
  const auto it = open_.find(inquiry);
  const bool log_in = reply && reply->status == 401 && !http_.has_admin();
  if (it == open_.end()) return log_in;  // its time was over
  if (const auto* search = std::get_if<std::shared_ptr<Search>>(&it->second.what)) {
    switch ((*search)->step) {
      case Search::Step::records: take_records(it, reply, effects); break;
      case Search::Step::recordings: take_recordings(it, reply, effects); break;
      case Search::Step::descriptions: take_descriptions(it, reply, effects); break;
    }
  } else {
    take_file(it, reply, effects);
  }
  return log_in;
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

void History::send(call::InquiryId id, Request request, Effects& effects) {
  SendHttp send = http_.make(std::move(request), Http::As::admin);
  asked_.emplace(send.id, id);
  effects.push_back(std::move(send));
}

void History::inform(Iterator it, Inform::Answer answer, Effects& effects) {
  effects.push_back(Inform{it->first, std::move(answer)});
  open_.erase(it);
}

// Nothing if it is a list.
std::optional<Refusal> History::refusal_of(const base::Result<HttpReply>& reply) const {
  if (!reply) {
    const base::Error& why = reply.error();
    if (why == Errc::too_many_requests) {
      return Refusal{why, "too many requests to the PBX are under way"};
    }
    if (why == Errc::timed_out) return Refusal{why, "the PBX did not answer in time"};
    if (why == Errc::message_too_big) return Refusal{why, "the PBX's answer was too long"};
    if (why == Errc::bad_frame) return Refusal{Errc::pbx_refused, "the PBX did not speak HTTP"};
    return Refusal{Errc::pbx_disconnected, was_not_sent(why)
                                               ? "the PBX's HTTP port could not be reached"
                                               : "the PBX broke its answer off"};
  }
  switch (reply->status) {
    case 200: break;
    case 401:
      return Refusal{Errc::credentials_refused,
                     http_.has_admin()
                         ? "the PBX refused the system administrator's user and password"
                         : "the session had expired; we are logging in again"};
    case 403:
      return Refusal{Errc::permission_denied,
                     http_.has_admin()
                         ? "the PBX does not let its administrator read this tenant's history"
                         : "the monitoring extension may not read the tenant's history: configure "
                           "an admin_user"};
    case 404:
      return Refusal{Errc::feature_not_supported, "this server has no such list to be read"};
    case 429: return Refusal{Errc::too_many_requests, "the PBX takes no more requests for now"};
    default:
      return Refusal{Errc::pbx_refused,
                     "the PBX answered with status " + std::to_string(reply->status)};
  }
  if (is_refusal(reply->body)) {
    return Refusal{Errc::pbx_refused, "the PBX refused it without a reason"};
  }
  return std::nullopt;
}

History::Search& History::search_of(Iterator it) {
  return *std::get<std::shared_ptr<Search>>(it->second.what);
}

// ---- Records of calls.

void History::begin(Iterator it, const call::SearchCalls& wanted, Effects& effects) {
  Search& search = search_of(it);
  search.wanted = wanted;
  search.wanted.limit = std::max(search.wanted.limit, 1u);
  // A day more on each side: the PBX's calendar is of another time zone.
  const int today = day_of(wanted.now) + 1;
  search.oldest = wanted.from ? day_of(*wanted.from) - 1 : today - kDaysMax;
  search.oldest = std::max(search.oldest, 0);
  const int newest = wanted.until ? std::min(day_of(*wanted.until) + 1, today) : today;
  Place place;
  place.window = {newest - kSpanFirst + 1, newest};
  if (!wanted.after.empty()) {
    auto left = place_of(wanted.after);
    if (!left) return inform(it, Refusal{Errc::page_token_invalid, ""}, effects);
    place = std::move(*left);
    if (!place.after) place.window.first = place.window.last - kSpanFirst + 1;
  }
  place.window.first = std::max(place.window.first, search.oldest);
  if (place.window.last < search.oldest) return inform(it, call::PastCalls(), effects);
  search.newest = place.window.last;
  search.open(place.window);
  search.place = std::move(place);
  ask_for_records(it, effects);
}

void History::ask_for_records(Iterator it, Effects& effects) {
  Search& search = search_of(it);
  ++search.requests;
  send(it->first,
       list_call_records(domain_, date_of(search.place.window.first),
                         date_of(search.place.window.last), kPageSize, search.page),
       effects);
}

// Whether the PBX counts its pages from 0 or from 1 is not documented: we begin with 0, and what
// comes twice is the same page.
void History::take_records(Iterator it, const base::Result<HttpReply>& reply, Effects& effects) {
  Search& search = search_of(it);
  HistoryRecords records;
  const bool no_such_page = search.page == 0 && reply && reply->status == 400;
  if (!no_such_page) {
    if (auto refusal = refusal_of(reply)) return inform(it, std::move(*refusal), effects);
    auto parsed = parse_call_records(reply->body);
    if (!parsed) {
      return inform(it, Refusal{Errc::pbx_refused, "the PBX's list of calls cannot be read"},
                    effects);
    }
    records = std::move(*parsed);
  }
  if (records.unread > 0) {
    effects.push_back(
        Note{Errc::bad_frame, std::to_string(records.unread) + " records of a list of calls"});
  }
  bool news = false;
  const std::size_t size = records.size();
  for (HistoryRecord& record : records.records) {
    if (!search.seen.insert(record.id).second) continue;
    news = true;
    take_record(search, std::move(record));
  }
  search.keep_newest();

  if (is_last_page(search.page, size, news)) return end_window(it, effects);
  const Window window = search.place.window;
  const int span = window.last - window.first + 1;
  if (search.requests >= kRequestsMax) {
    if (window.last == search.newest) {  // not even the first one is through
      return inform(
          it,
          Refusal{Errc::message_too_big, "the PBX has more calls on a day than can be searched"},
          effects);
    }
    search.next = text_of(Place{{window.last, window.last}, std::nullopt});
    return look_for_recordings(it, effects);
  }
  if (search.page + 1 >= kWindowListsMax && span > 1 && !search.place.after) {
    search.span = std::max(span / 4, 1);
    search.open({window.last - search.span + 1, window.last});
  } else {
    ++search.page;
  }
  ask_for_records(it, effects);
}

void History::take_record(Search& search, HistoryRecord record) const {
  const Window window = search.place.window;
  // Of a server that does not know `start` and `end`.
  if (record.start < window.first * kDay - kFuzz ||
      record.start > (window.last + 1) * kDay + kFuzz) {
    return;
  }
  const call::Time start = time_of(record.start);
  if (search.wanted.from && start < *search.wanted.from) return;
  if (search.wanted.until && start >= *search.wanted.until) return;
  if (search.place.after && !search.place.after->is_before(record)) return;
  if (const std::string& device = search.wanted.device.str(); !device.empty()) {
    const auto& all = record.extensions;
    const call::PastCall call = past_call_of(record);
    if (std::find(all.begin(), all.end(), device) == all.end() &&
        call.calling.device.str() != device && call.called.device.str() != device) {
      return;
    }
  }
  search.found.push_back(std::move(record));
}

void History::end_window(Iterator it, Effects& effects) {
  Search& search = search_of(it);
  const Window window = search.place.window;
  if (search.more) search.next = text_of(search.after_last());
  std::move(search.found.begin(), search.found.end(), std::back_inserter(search.calls));
  if (search.more) return look_for_recordings(it, effects);

  search.place.after.reset();
  const int last = window.first - 1;
  if (last < search.oldest) return look_for_recordings(it, effects);
  if (search.room() == 0 || search.requests >= kRequestsMax / 2) {
    search.next = text_of(Place{{last, last}, std::nullopt});
    return look_for_recordings(it, effects);
  }
  search.span = std::min(search.span * 2, kSpanMost);
  search.open({std::max(last - search.span + 1, search.oldest), last});
  ask_for_records(it, effects);
}

// ---- What they say.

bool History::is_ours(const std::string& number, const HistoryRecord& record) const {
  return directory_.find(number) || std::find(record.extensions.begin(), record.extensions.end(),
                                              number) != record.extensions.end();
}

call::Party History::party_of(const Address& address, const HistoryRecord& record) const {
  call::Party party{call::DeviceId(address.number), call::DeviceKind::outside, address.number,
                    address.name};
  if (const auto known = directory_.find(address.number)) {
    party.device = call::DeviceId(*known->number);
    party.kind = known->kind;
    if (party.name.empty()) party.name = *known->name;
  } else if (is_ours(address.number, record)) {
    party.kind = call::DeviceKind::extension;
  }
  return party;
}

call::PastCall History::past_call_of(const HistoryRecord& record) const {
  call::PastCall call;
  call.id = record.id;
  call.calling = party_of(record.from, record);
  call.called = party_of(record.to, record);
  const bool from_us = is_ours(record.from.number, record);
  call.direction = !from_us                            ? call::Direction::inbound
                   : is_ours(record.to.number, record) ? call::Direction::internal
                                                       : call::Direction::outbound;
  call.start = time_of(record.start);
  if (record.connect) call.answer = time_of(*record.connect);
  if (record.end) call.end = time_of(*record.end);
  for (const std::string& extension : record.extensions) call.devices.emplace_back(extension);
  call.data = record.data;
  return call;
}

}  // namespace pbx::vodia
