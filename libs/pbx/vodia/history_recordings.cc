#include <cstdlib>
#include <utility>

#include "pbx/vodia/history_impl.h"

// The second half of a search: what was recorded of the calls found; and where a recording is.
namespace pbx::vodia {
namespace {

using base::Errc;
using call::Refusal;

// Between what the record of a call and that of its recording say.
constexpr std::int64_t kSlack = 2'000'000;
// Of a server whose list has ids only: the newest, and how many are asked about together.
constexpr std::size_t kDescribedMax = 500, kDescribedAtOnce = 100;

// Of the same party, as far as numbers tell: they may be written in different ways.
bool is_same_number(const std::string& one, const std::string& other) {
  constexpr std::size_t kSuffixLeast = 3;
  const std::string a = bare_number(one), b = bare_number(other);
  if (a == b) return true;
  return std::min(a.size(), b.size()) >= kSuffixLeast && (a.ends_with(b) || b.ends_with(a));
}

// The call between the same two, during which it was made; of several, the one that was answered
// when it began.
std::optional<std::size_t> call_of(const RecordingEntry& entry,
                                   const std::vector<HistoryRecord>& calls) {
  std::optional<std::size_t> best;
  std::int64_t best_distance = 0;
  for (std::size_t i = 0; entry.time && i < calls.size(); ++i) {
    const HistoryRecord& call = calls[i];
    if (*entry.time < call.start - kSlack) continue;
    if (call.end && *entry.time > *call.end + kSlack) continue;
    if (!is_same_number(entry.from.number, call.from.number) ||
        !is_same_number(entry.to.number, call.to.number)) {
      continue;
    }
    const std::int64_t distance = std::abs(*entry.time - call.connect.value_or(call.start));
    if (best && distance >= best_distance) continue;
    best = i;
    best_distance = distance;
  }
  return best;
}

}  // namespace

void History::look_for_recordings(Iterator it, Effects& effects) {
  Search& search = search_of(it);
  if (search.calls.empty()) return finish(it, effects);
  search.step = Search::Step::recordings;
  search.page = 0;
  search.seen.clear();
  send(it->first, list_recordings(domain_, kPageSize, search.page), effects);
}

void History::take_recordings(Iterator it, const base::Result<HttpReply>& reply, Effects& effects) {
  Search& search = search_of(it);
  const bool no_such_page = search.page == 0 && reply && reply->status == 400;
  RecordingList list;
  if (!no_such_page && !read_list(reply, list, effects)) return finish(it, effects);

  bool news = false, falling = list.ids.empty();  // from the newest to the oldest
  std::optional<std::int64_t> last;
  for (const RecordingEntry& entry : list.entries) {
    if (last && entry.time && *entry.time > *last) falling = false;
    if (entry.time) last = entry.time;
    if (!search.seen.insert(entry.id).second) continue;
    news = true;
    if (const auto call = call_of(entry, search.calls)) {
      search.recordings[*call].push_back(entry.id);
    }
  }
  for (std::string& id : list.ids) {
    if (!search.seen.insert(id).second) continue;
    news = true;
    search.undescribed.push_back(std::move(id));
  }
  const bool older = falling && last && *last < search.calls.back().start - kSlack;
  if (!older && !is_last_page(search.page, list.size(), news) && search.page + 1 < kListsMax) {
    ++search.page;
    send(it->first, list_recordings(domain_, kPageSize, search.page), effects);
    return;
  }
  auto& ids = search.undescribed;
  std::sort(ids.begin(), ids.end(), [](const std::string& one, const std::string& other) {
    return one.size() != other.size() ? one.size() < other.size() : one < other;
  });
  if (ids.size() > kDescribedMax) {
    ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(kDescribedMax));
  }
  describe_more(it, effects);
}

void History::describe_more(Iterator it, Effects& effects) {
  Search& search = search_of(it);
  auto& ids = search.undescribed;
  if (ids.empty()) return finish(it, effects);
  search.step = Search::Step::descriptions;
  const auto first =
      ids.end() - static_cast<std::ptrdiff_t>(std::min(ids.size(), kDescribedAtOnce));
  send(it->first, describe_recordings(domain_, {first, ids.end()}), effects);
  ids.erase(first, ids.end());
}

void History::take_descriptions(Iterator it, const base::Result<HttpReply>& reply,
                                Effects& effects) {
  Search& search = search_of(it);
  RecordingList list;
  if (!read_list(reply, list, effects)) return finish(it, effects);
  for (const RecordingEntry& entry : list.entries) {
    if (const auto call = call_of(entry, search.calls)) {
      search.recordings[*call].push_back(entry.id);
    }
  }
  describe_more(it, effects);
}

// False if it is none: the calls are worth telling without.
bool History::read_list(const base::Result<HttpReply>& reply, RecordingList& list,
                        Effects& effects) const {
  const auto refusal = refusal_of(reply);
  auto parsed = refusal ? base::Result<RecordingList>(refusal->why) : parse_recordings(reply->body);
  if (parsed) {
    list = std::move(*parsed);
    return true;
  }
  effects.push_back(Note{parsed.error(), "the list of recordings could not be read"});
  return false;
}

void History::finish(Iterator it, Effects& effects) {
  Search& search = search_of(it);
  call::PastCalls page;
  page.next = std::move(search.next);
  for (std::size_t i = 0; i < search.calls.size(); ++i) {
    call::PastCall call = past_call_of(search.calls[i]);
    if (const auto found = search.recordings.find(i); found != search.recordings.end()) {
      call.recordings = std::move(found->second);
    }
    page.calls.push_back(std::move(call));
  }
  inform(it, std::move(page), effects);
}

// ---- Where one is.

void History::take_file(Iterator it, const base::Result<HttpReply>& reply, Effects& effects) {
  const std::string wanted = std::get<Finding>(it->second.what).recording;
  const Refusal unknown{Errc::recording_not_found, "the PBX does not have this recording"};
  if (reply && reply->status == 404) return inform(it, unknown, effects);
  if (auto refusal = refusal_of(reply)) return inform(it, std::move(*refusal), effects);
  const auto list = parse_recordings(reply->body);
  if (!list) {
    return inform(it, Refusal{Errc::pbx_refused, "the PBX's list of recordings cannot be read"},
                  effects);
  }
  for (const RecordingEntry& entry : list->entries) {
    if (entry.id != wanted || entry.file.empty()) continue;
    return inform(it, source_of(legacy_recording_bytes(entry.file)), effects);
  }
  inform(it, unknown, effects);
}

RecordingSource History::source_of(Request request) {
  RecordingSource source{http_.make(std::move(request), Http::As::admin).where, limit_};
  for (auto& [name, value] : source.where.headers) {
    if (name == "Accept") value = "*/*";
  }
  return source;
}

}  // namespace pbx::vodia
