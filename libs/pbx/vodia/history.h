#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "call/history.h"
#include "pbx/session.h"
#include "pbx/vodia/directory.h"
#include "pbx/vodia/http.h"
#include "pbx/vodia/records.h"

namespace pbx::vodia {

// Searches the PBX's records of calls, and finds its recordings. A search goes back in windows of
// days, from the newest to the oldest, because the PBX takes dates and nothing finer: a window is
// read whole, page by page of the PBX's, and sorted here, so that neither the PBX's order nor its
// time zone matters. Windows grow while they bring little. What was recorded of the calls found is
// then looked for in the PBX's list of recordings, which has no key in common with the records.
//
// Lives as long as a session. Informs exactly once of each inquiry, unless it is destroyed before.
class History {
 public:
  static constexpr std::size_t kInquiriesMax = 8;  // at once; another one is refused
  static constexpr unsigned kPageSize = 500;       // asked of the PBX
  static constexpr unsigned kRequestsMax = 64;     // of one search, for records
  static constexpr unsigned kListsMax = 10;        // of one search, for recordings
  static constexpr int kDaysMax = 3'650;           // back from now, if the caller sets no start

  History(std::string domain, std::chrono::milliseconds limit, Http& http,
          const Directory& directory)
      : domain_(std::move(domain)), limit_(limit), http_(http), directory_(directory) {}

  void set_legacy(bool legacy) { legacy_ = legacy; }
  void ask(call::InquiryId id, const call::Inquiry& inquiry, TimePoint limit, TimePoint now,
           Effects& effects);
  // Nothing if it is not a reply to this; otherwise whether the cookie was refused, and a new login
  // is needed.
  std::optional<bool> on_http(HttpId id, const base::Result<HttpReply>& reply, Effects& effects);
  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

 private:
  struct Search;
  struct Finding {
    std::string recording;
  };
  struct Open {
    TimePoint due;
    std::variant<std::shared_ptr<Search>, Finding> what;
  };
  using Iterator = std::map<call::InquiryId, Open>::iterator;

  static Search& search_of(Iterator it);
  void send(call::InquiryId id, Request request, Effects& effects);
  void inform(Iterator it, Inform::Answer answer, Effects& effects);
  std::optional<call::Refusal> refusal_of(const base::Result<HttpReply>& reply) const;

  void begin(Iterator it, const call::SearchCalls& wanted, Effects& effects);
  void ask_for_records(Iterator it, Effects& effects);
  void take_records(Iterator it, const base::Result<HttpReply>& reply, Effects& effects);
  void take_record(Search& search, HistoryRecord record) const;
  void end_window(Iterator it, Effects& effects);
  void look_for_recordings(Iterator it, Effects& effects);
  void take_recordings(Iterator it, const base::Result<HttpReply>& reply, Effects& effects);
  void take_descriptions(Iterator it, const base::Result<HttpReply>& reply, Effects& effects);
  void describe_more(Iterator it, Effects& effects);
  void finish(Iterator it, Effects& effects);
  bool read_list(const base::Result<HttpReply>& reply, RecordingList& list, Effects& effects) const;
  void take_file(Iterator it, const base::Result<HttpReply>& reply, Effects& effects);
  RecordingSource source_of(Request request);

  bool is_ours(const std::string& number, const HistoryRecord& record) const;
  call::Party party_of(const Address& address, const HistoryRecord& record) const;
  call::PastCall past_call_of(const HistoryRecord& record) const;

  const std::string domain_;
  const std::chrono::milliseconds limit_;
  Http& http_;
  const Directory& directory_;
  bool legacy_ = false;
  std::map<call::InquiryId, Open> open_;
  std::map<HttpId, call::InquiryId> asked_;
};

}  // namespace pbx::vodia
