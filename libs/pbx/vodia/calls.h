#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "call/model.h"
#include "pbx/session.h"
#include "pbx/vodia/codec.h"
#include "pbx/vodia/directory.h"

namespace pbx::vodia {

// Vodia tells no events, but the whole list of calls at each change. This finds what is different
// from the list before, makes legs of the entries, joins two entries that are the sides of one
// call, and decides who holds, who was transferred and who was replaced. The rules are in
// README.md, "From lists to calls".
//
// What a list costs grows with what it changes: an entry that reads as it did is compared, and not
// even parsed. Lives as long as a session. Pure but for its own memory; time is an argument.
class Calls {
 public:
  struct Options {
    bool confirm = true;  // ask again before a call that is missing is told as ended
    std::chrono::milliseconds confirm_limit{};  // how long to wait for that answer
  };
  // Who showed a call: only a list of the same kind can end it.
  enum class Source : std::uint8_t { call_state, domain_state };

  // A call that is no longer as it was, whole; a leg that has just ended is in it once more, with
  // the reason.
  struct Seen {
    call::CallView view;
    bool is_new = false;
  };
  // A call in which one of the extensions holds, and the list does not say which.
  struct Doubt {
    std::string key, id;
    std::vector<std::string> extensions;
  };
  struct Output {
    std::vector<Seen> seen;
    std::vector<Doubt> doubts;
    bool ask = false;                      // for the list, once more
    std::size_t repeated = 0, unread = 0;  // entries
    std::size_t parsed = 0;                // entries that were not as before
  };

  // What a command of ours is about to do with a leg.
  enum class Doing { hold, clear, transfer, join, deflect, pickup, park, record };

  Calls(Options options, const Directory& directory);
  ~Calls();

  // Precondition: of the message parsed last by this thread.
  Output on_list(Source source, const CallList& list, TimePoint now);
  Output on_recording(const RecordingMark& mark);
  // This extension is the one that holds, if somebody still does.
  Output on_holder(const std::string& key, const std::string& extension);
  // The directory's generation has changed: who is an extension, and who is outside?
  Output on_directory();
  Output on_tick(TimePoint now);
  TimePoint deadline() const;

  // All there are, as they were told last.
  std::vector<call::CallView> all() const;

  void expect(const std::string& leg, Doing doing);
  void forget(const std::string& leg);

  // What is known of a leg, for commands. Valid until the next call of a non-const function.
  struct Known {
    std::string_view id;         // the PBX's, of the entry that has the extension
    std::string_view extension;  // or the number of somebody outside
    std::string_view peer;  // the number of the other party; empty if there is none, or several
    std::string_view key;
    call::Role role;
    call::ConnectionState state;
    std::optional<bool> recording;
  };
  std::optional<Known> find(std::string_view leg) const;
  // Whether the extension takes part, answered, in the call with this key.
  bool is_in(std::string_view extension, std::string_view key) const;
  bool is_talking(std::string_view extension) const;
  std::size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pbx::vodia
