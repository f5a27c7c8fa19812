#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pbx/vodia/codec.h"
#include "pbx/vodia/texts.h"

// What a Vodia PBX has of calls that are over, over REST: records of calls, lists of recordings,
// and the requests for them. Times are microseconds since 1970, by the PBX's clock.
namespace pbx::vodia {

inline constexpr std::size_t kRecordFieldsMax = 32;  // of one record, beside those we know
inline constexpr std::size_t kRecordTextMax = 256;

// An element of …/cdrs.
struct HistoryRecord {
  std::string id;
  Address from, to;
  std::int64_t start = 0;
  std::optional<std::int64_t> connect, end;
  std::vector<std::string> extensions;
  std::map<std::string, std::string> data;  // all other fields, lists joined by commas

  bool operator==(const HistoryRecord&) const = default;
};
struct HistoryRecords {
  std::vector<HistoryRecord> records;
  unsigned unread = 0;  // without an id or a start
  std::size_t size() const { return records.size() + unread; }
};
// bad_frame if `body` is no list.
base::Result<HistoryRecords> parse_call_records(std::string_view body);

// An element of …/recs that tells of itself.
struct RecordingEntry {
  std::string id;
  Address from, to;
  std::optional<std::int64_t> time;  // when it began
  std::string file;                  // legacy servers: for its audio

  bool operator==(const RecordingEntry&) const = default;
};
// Of both forms, whichever the server has.
struct RecordingList {
  std::vector<RecordingEntry> entries;
  std::vector<std::string> ids;  // of elements that are nothing but an id
  std::size_t size() const { return entries.size() + ids.size(); }
};
base::Result<RecordingList> parse_recordings(std::string_view body);

// `first` and `last` are days, YYYYMMDD, by the PBX's own calendar.
Request list_call_records(std::string_view domain, std::string_view first, std::string_view last,
                          unsigned size, unsigned page);
Request list_recordings(std::string_view domain, unsigned size, unsigned page);
// What is known of some of them, by their ids with commas in between.
Request describe_recordings(std::string_view domain, const std::vector<std::string>& ids);
// The bytes: of servers from 69 on, and of those before.
Request recording_bytes(std::string_view domain, std::string_view id);
Request legacy_recording_bytes(std::string_view file);

}  // namespace pbx::vodia
