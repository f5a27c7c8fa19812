#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "pbx/session.h"
#include "pbx/vodia/directory.h"
#include "pbx/vodia/http.h"
#include "pbx/vodia/phone.h"

namespace pbx::vodia {

// The media clients' streams of a session: each one a phone on a link of its own. What comes on
// those links goes to the phones only; nothing of it is observed.
//
// Lives as long as a session. A stream that cannot be opened, or ends by itself, gets EndSignal.
class Phones {
 public:
  struct Options {
    std::string domain, user, path;
    std::chrono::milliseconds login_limit{};
    std::size_t most = 0;  // at once
  };

  Phones(Options options, const Http& http, const Directory& directory)
      : options_(std::move(options)), http_(http), directory_(directory) {}

  // `legacy`: the server is of before 69.
  void open(call::SignalId id, const call::SignalOptions& wanted, bool legacy, TimePoint now,
            Effects& effects);
  void on_signal(call::SignalId id, const call::FromClient& message, Effects& effects);
  void close(call::SignalId id, Effects& effects);

  // False if it is not the reply to a request of theirs.
  bool on_http(HttpId id, const base::Result<HttpReply>& reply, const std::string& detail,
               TimePoint now, Effects& effects);
  void on_link_open(LinkId link, TimePoint now, Effects& effects);
  void on_link_closed(LinkId link, const base::Error& why, const std::string& detail,
                      Effects& effects);
  void on_text(LinkId link, std::string_view text, TimePoint now, Effects& effects);
  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

 private:
  using Map = std::map<call::SignalId, Phone>;

  Map::iterator find(LinkId link);
  void tidy(Map::iterator it);

  Options options_;
  const Http& http_;
  const Directory& directory_;
  Map phones_;
  std::map<LinkId, call::SignalId> streams_;
  LinkId last_link_ = kPrimary;
};

}  // namespace pbx::vodia
