#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pbx/innovaphone/codec.h"
#include "pbx/session.h"

namespace pbx::innovaphone {

// The `src` of a user's messages is this and the user's guid: updates do not say otherwise whose
// they are.
inline constexpr std::string_view kPresenceSrc = "pre:";

// What the items of a user's presence come to. Of the contacts, the one counts that says something:
// first what the user has set ("tel:"), then what the PBX sees of it online ("im:", above all
// on-the-phone), then the calendar. Of several items of one contact, the first, which is the
// newest.
struct PresenceView {
  // The PBX's word ("away", "busy", "dnd", "on-the-phone", "lunch", …); "available" if no contact
  // has one, "offline" if moreover all of them are closed.
  std::string text;
  std::string note;  // beside it
  bool do_not_disturb = false;
};
PresenceView view_of(const std::vector<PresenceItem>& items);

// The presence of all users of a PBX, asked for with PbxApi and told by it from then on: one
// SubscribePresence for each, of which a limited number waits at a time. If not one of the first
// ones is answered, the API is not granted, and there is no presence; if some are, those that are
// not are passed over. Knows who is asked about, and not what was told: that is for the caller to
// keep. Lives as long as the socket.
class Presence {
 public:
  struct Options {
    std::chrono::milliseconds limit{};  // for each request
    std::size_t outstanding = 50;       // subscriptions that wait at once
    std::size_t most = 100'000;         // users; those beyond it are left out
  };
  struct Change {
    std::string guid;
    std::optional<PresenceView> now;  // nothing: the PBX does not see it any more
  };
  struct Step {
    std::vector<std::string> texts;  // to be sent, in this order
    std::optional<Change> change;
    std::string unavailable;  // once: there is no presence, and a sentence why
  };

  explicit Presence(Options options) : options_(options) {}

  // Somebody is there: by the login name, or else by number; without either nothing is asked. To be
  // called again whenever one of them may have changed.
  Step add(const std::string& guid, const std::string& sip, const std::string& number,
           TimePoint now);
  Step remove(const std::string& guid, TimePoint now);
  // For frames whose src begins with kPresenceSrc.
  Step on_frame(const Frame& frame, TimePoint now);
  Step on_tick(TimePoint now);
  TimePoint deadline() const;

  bool unavailable() const { return unavailable_; }
  std::size_t users() const { return users_.size(); }
  std::size_t refused() const { return refused_; }  // subscriptions that had an error or no answer
  std::size_t waiting() const { return waiting_; }

  static bool concerns(const Frame& frame);

 private:
  enum class Stage { queued, asked, settled };
  struct User {
    std::string sip, number;
    Stage stage = Stage::queued;
    unsigned turn = 0;  // of its subscription: an older one in a queue is none any more
  };
  struct Turn {
    std::string guid;
    unsigned turn;
    TimePoint due;  // of those that were asked
  };

  void ask_more(Step& step, TimePoint now);
  void forget_answered();
  bool is_current(const Turn& it, Stage stage) const;
  void settle(User& user);

  Options options_;
  std::unordered_map<std::string, User> users_;
  std::deque<Turn> queue_;  // to be asked
  std::deque<Turn> asked_;  // in the order of their deadlines; those answered go when in front
  std::size_t waiting_ = 0, refused_ = 0;
  unsigned turns_ = 0;
  bool answered_ = false, unavailable_ = false;
};

}  // namespace pbx::innovaphone
