#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "call/history.h"
#include "pbx/session.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/history_codec.h"
#include "pbx/webitel/rest.h"

namespace pbx::webitel {

// Searches GET /calls/history, and says where a recording is. The PBX's history is one of legs: a
// search of the tenant looks for those that no other leg has caused, one for each call; a search
// for a device looks for its user's own. Which other extensions took part in the calls found, and
// what was recorded of their legs, one more list tells, of all legs of that time.
//
// Where a page ends is told as the time and id of its last leg, and not as a number of a page: the
// history grows at its other end while somebody reads it.
//
// Lives as long as a session. Informs exactly once of each inquiry, unless it is destroyed before.
class History {
 public:
  static constexpr std::size_t kInquiriesMax = 8;     // at once; another one is refused
  static constexpr unsigned kCallsMax = 500;          // of one answer
  static constexpr unsigned kRequestsMax = 16;        // of one search, for its calls
  static constexpr unsigned kFamilyPagesMax = 4;      // of one search, for their other legs
  static constexpr unsigned kFamilyPageSize = 1'000;  // asked of the PBX
  static constexpr int kDaysMax = 3'650;              // back from now, if the caller sets no start

  History(std::chrono::milliseconds limit, Rest& rest, const Directory& directory)
      : limit_(limit), rest_(rest), directory_(directory) {}

  void ask(call::InquiryId id, const call::Inquiry& inquiry, TimePoint limit, TimePoint now,
           Effects& effects);
  // False if it is not a reply to this.
  bool on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint now, Effects& effects);
  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

 private:
  struct Search;
  struct Open {
    TimePoint due;
    std::shared_ptr<Search> search;
  };
  using Iterator = std::map<call::InquiryId, Open>::iterator;

  void begin(call::InquiryId id, const call::SearchCalls& wanted, TimePoint limit,
             Effects& effects);
  void find_recording(call::InquiryId id, const std::string& recording, Effects& effects);
  void send(Iterator it, const PastQuery& query, Effects& effects);
  void ask_for_legs(Iterator it, Effects& effects);
  void take_legs(Iterator it, const base::Result<HttpReply>& reply, Effects& effects);
  void ask_for_family(Iterator it, Effects& effects);
  void take_family(Iterator it, const base::Result<HttpReply>& reply, Effects& effects);
  void finish(Iterator it, Effects& effects);
  void inform(Iterator it, Inform::Answer answer, Effects& effects);

  const std::chrono::milliseconds limit_;  // of a recording's bytes
  Rest& rest_;
  const Directory& directory_;
  std::map<call::InquiryId, Open> open_;
  std::map<HttpId, call::InquiryId> asked_;
};

}  // namespace pbx::webitel
