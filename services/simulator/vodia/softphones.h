#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "simulator/vodia/client_frames.h"
#include "simulator/vodia/pbx.h"

namespace simulator::vodia {

// Sockets that are phones: they have said sip-register, or start calls with an sdp-packet. Only the
// signalling; there is no media, and what a session description says matters to nobody here.
//
// A call that the client starts: it sends its offer, and up to 68 gets an answer (code 183) when it
// rings, and code 200. From 69 on its offer is ignored: the PBX sends one of its own, under a call
// id of its own, and unless the client answers that one (sdp-200ok) the call is dropped with 415 as
// soon as it is picked up. Both ids are good afterwards.
//
// A call that comes: every registered socket of the extension gets an invitesdp, and candidates at
// once. Whoever says sdp-200ok has it; for the others it is cancelled.
class Softphones {
 public:
  using Send = std::function<void(engine::ConnectionId, const boost::json::object&)>;

  // `send` is called at any time, also while the tenant changes.
  Softphones(Pbx& pbx, Send send) : pbx_(pbx), send_(std::move(send)) {}

  // False if that is none of its actions, or of no call of this socket's.
  bool act(engine::ConnectionId socket, engine::ExtensionIndex extension, const ClientFrame& frame,
           engine::TimePoint now);
  void on_change(const engine::Change& change);
  // Its calls are hung up.
  void on_closed(engine::ConnectionId socket);
  void forget();

  engine::TimePoint deadline() const;
  void advance(engine::TimePoint now);

 private:
  struct Call {
    engine::ConnectionId socket = 0;
    engine::ExtensionIndex extension = engine::kOutside;
    engine::LegId leg = 0;
    std::string client_id, pbx_id;  // the same, if the client's is kept
    bool caller = false;
    bool accepted = false;  // the client has answered the offer it was sent
    bool rang = false, up = false;
    std::uint32_t cseq = 1;
  };
  struct Placing {
    engine::ConnectionId socket;
    std::string client_id;
  };

  void start_call(engine::ConnectionId socket, engine::ExtensionIndex extension,
                  const ClientFrame& frame, engine::TimePoint now);
  void perform(Call& call, const ClientFrame& frame, engine::TimePoint now);
  void ring(const engine::Leg& leg);
  void follow(Call& call, const engine::Leg& leg);
  void end(const Call& call, engine::Cause cause);
  void tell(Call& call, boost::json::object frame);
  void tell_candidate(Call& call);
  boost::json::object description(const Call& call, unsigned code, const engine::Leg& leg) const;
  Call* find(engine::ConnectionId socket, std::string_view id);
  std::string make_id(engine::LegId leg, engine::ConnectionId socket) const;
  void drop_later(engine::LegId leg, engine::ExtensionIndex extension);

  Pbx& pbx_;
  Send send_;
  std::map<engine::ConnectionId, engine::ExtensionIndex> phones_;
  std::vector<Call> calls_;  // at most one for each leg and socket
  const Placing* placing_ = nullptr;
  std::map<engine::LegId, engine::ExtensionIndex> drops_;
  engine::TimePoint last_{};  // that we have heard of
};

}  // namespace simulator::vodia
