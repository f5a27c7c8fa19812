#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "pbx/vodia/history.h"

// What history.cc and history_recordings.cc share.
namespace pbx::vodia {

inline constexpr int kSpanFirst = 2, kSpanMost = 512;  // days of a window

// The days of the PBX's calendar that are asked for together, since 1970.
struct Window {
  int first = 0, last = 0;
};

// Where a record stands among others, the newest first.
struct Key {
  std::int64_t start = 0;
  std::string id;

  explicit Key(const HistoryRecord& record) : start(record.start), id(record.id) {}
  Key() = default;
  bool is_before(const HistoryRecord& record) const {
    return start != record.start ? start > record.start : id > record.id;
  }
};

// PastCalls::next: the last of the days that are left, "20600"; or a window that is not used up,
// and after which of its records to go on, "20598.20600.1760000000120000.17".
struct Place {
  Window window;
  std::optional<Key> after;
};

struct History::Search {
  enum class Step { records, recordings, descriptions };

  call::SearchCalls wanted;
  int newest = 0, oldest = 0;  // the days to look at
  Place place;                 // what is being read
  int span = kSpanFirst;
  unsigned page = 0, requests = 0;
  std::unordered_set<std::string> seen;  // ids of records of this window; of recordings
  std::vector<HistoryRecord> found;      // of this window, the newest that there is room for
  bool more = false;                     // and there were others
  std::vector<HistoryRecord> calls;      // the page to be told
  std::string next;

  Step step = Step::records;
  std::vector<std::string> undescribed;                        // ids of recordings, the newest last
  std::map<std::size_t, std::vector<std::string>> recordings;  // of `calls`, by index

  std::size_t room() const { return wanted.limit - calls.size(); }
  void open(Window window) {
    place.window = window;
    page = 0;
    seen.clear();
    found.clear();
    more = false;
  }
  void keep_newest() {
    std::sort(found.begin(), found.end(), [](const HistoryRecord& one, const HistoryRecord& other) {
      return Key(one).is_before(other);
    });
    if (found.size() <= room()) return;
    found.resize(room());
    more = true;
  }
  Place after_last() const { return {place.window, Key(found.back())}; }
};

// Whether page `page` of a list of the PBX's, `size` long, is its last one. Pages are asked for
// from 0 on, because it is not documented whether they count from there or from 1: what comes
// twice, `news` being false, is the same page. A short list was not cut by a limit of the server's
// own.
inline bool is_last_page(unsigned page, std::size_t size, bool news) {
  constexpr std::size_t kSurelyWhole = 50;
  if (size == 0) return page > 0;
  return size < kSurelyWhole || (!news && page > 1);
}

}  // namespace pbx::vodia
