#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "simulator/innovaphone/pbx.h"

namespace simulator::innovaphone {

// Tells whoever watches a user what becomes of the user's calls: CallInfo, and on sockets that
// follow the whole PBX CallAdd, CallUpdate and CallDel.
//
// Every leg of an extension has a view, from the moment it comes to be. `state` is the PBX's
// towards the phone, `msg` the user's towards the other party: so an outgoing call is x-setup 1,
// r-alert 4, r-conn 5, and an incoming one r-setup 129, x-alert 132, x-conn 133. Both legs of an
// internal call have one conf. A call that is parked goes on as a leg of the user at whose object
// it waits.
class Calls {
 public:
  Calls(Pbx& pbx, Outlet& outlet) : pbx_(pbx), outlet_(outlet) {}

  void on_change(const engine::Change& change);
  // Of a handle that is new: the calls that its user has already.
  void tell_running(Socket& socket, std::int64_t user, engine::TimePoint now);
  // What its other party gets, in the middle of the call.
  void tell_digits(const engine::Leg& from, std::string_view digits, engine::TimePoint now);
  void tell_user_info(const engine::Leg& from, std::string_view text, engine::TimePoint now);
  // Where the next call waits that comes to a park orbit; without it, at whose user parked it.
  void park_at(engine::ExtensionIndex user) { park_at_ = user; }
  // All calls have gone without a word.
  void forget() { views_.clear(); }

 private:
  struct View {
    engine::ExtensionIndex user = engine::kOutside;  // who is told
    engine::CallId conf = 0;
    std::int64_t low = 1;  // of `state`
    bool incoming = false, waiting = false, parked = false;
    bool left_held = false;  // it was on hold when it was transferred away
    json::object peer;
    bool told = false;
  };
  struct Words {
    std::string_view msg;
    json::array no = {};
    json::array info = {};
    std::string_view digits = {};
    bool del = false;
  };

  void added(const engine::Change& change);
  void changed(const engine::Change& change);
  void ended(const engine::Change& change);
  void joined(const engine::Change& change);
  void held(const engine::Change& change);
  void dialled(const engine::Change& change);

  bool is_orbit(const engine::Leg& leg) const;
  std::int64_t state_of(const View& view, const engine::Leg& leg) const;
  json::object party(std::string_view number) const;
  json::object party_as(std::string_view type, std::string_view number) const;
  void look_at_peer(View& view, const engine::Leg& leg) const;
  View* view_of(const engine::Leg* leg);

  void tell(View& view, const engine::Leg& leg, const Words& words, engine::TimePoint at);
  void tell(Socket& socket, Monitor& monitor, std::int64_t user, const View& view,
            const engine::Leg& leg, const Words& words, engine::TimePoint at, bool first);
  json::object call_info(const Monitor& monitor, std::int64_t user, std::int64_t call,
                         const View& view, const engine::Leg& leg, const Words& words,
                         engine::TimePoint at, bool first) const;
  void end_twin(Socket& socket, Monitor& monitor, std::int64_t user, const View& view,
                const engine::Leg& leg, engine::TimePoint at);
  void stream(Socket& socket, const View& view, const engine::Leg& leg, const Words& words,
              engine::TimePoint at);

  Pbx& pbx_;
  Outlet& outlet_;
  std::unordered_map<engine::LegId, View> views_;
  engine::ExtensionIndex park_at_ = engine::kOutside;
};

// The word for a Q.850 cause.
std::string_view cause_text(std::int64_t cause);

}  // namespace simulator::innovaphone
