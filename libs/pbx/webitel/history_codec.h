#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "call/model.h"

// Legs that are over, as GET /calls/history tells them (webitel.md 5.3).
namespace pbx::webitel {

inline constexpr std::size_t kPastLegsMax = 2'000;  // of one page; what is beyond is not looked at
inline constexpr std::size_t kPastFieldsMax = 48;   // of one leg, beside those we know
inline constexpr std::size_t kPastFilesMax = 64;    // of one leg

// Times are Unix milliseconds by the PBX's clock; 0: never.
struct PastLeg {
  struct End {
    std::string type;  // "user", "dest", "gateway", or nothing
    std::string number, name, id;
  };

  std::string id, parent;
  std::string user;  // id; empty: nobody's, a trunk's
  std::string extension;
  std::string direction;  // "inbound", "outbound": from this leg's point of view
  std::string destination;
  End from, to;
  std::int64_t created = 0, answered = 0, bridged = 0, hangup = 0;
  int sip_code = 0;
  bool has_children = false;
  std::vector<std::string> files;           // ids of recordings
  std::map<std::string, std::string> data;  // all other fields, lists joined by commas
};
struct PastLegs {
  std::vector<PastLeg> legs;
  std::size_t unread = 0;  // without an id or a start
  bool cut = false;        // there were more than kPastLegsMax
  bool next = false;       // there is another page
};
// bad_frame if there is no list in it.
base::Result<PastLegs> parse_past_legs(std::string_view body);

// What to ask for: the newest first, of those that began in [from, until], in milliseconds.
// `user`: whose; empty: all. `roots`: only legs that no other leg has caused.
struct PastQuery {
  std::int64_t from = 0, until = 0;
  std::string_view user;
  bool roots = false;
  unsigned page = 1, size = 0;
};
// The path with its query.
std::string history_path(const PastQuery& query);

}  // namespace pbx::webitel
