#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "pbx/session.h"
#include "pbx/vodia/media.h"
#include "pbx/vodia/texts.h"

namespace pbx::vodia {

// The calls of one phone: between a media client and a socket of the PBX's.
//
// A call that the client starts begins with its offer (sdp-packet). Servers up to 68 answer it.
// Later ones ignore it and send an offer of their own, which the client has to answer (sdp-200ok)
// before the far side picks up, or the PBX drops the call with 415. That the far side has picked up
// is told by an `sdp` of code 200, or only by the list of the extension's calls; then sip-ack.
//
// A call that comes in begins with the PBX's offer (invitesdp), and is connected once the client's
// answer is on its way: the PBX acknowledges nothing.
//
// Towards the client a call keeps the id that whoever started it gave it. The PBX may give another
// one to a call of the client's: from then on we use that, and understand both. Servers of 2016
// give none, and have one call on a socket.
class PhoneCalls {
 public:
  static constexpr std::size_t kCallsMax = 8;
  static constexpr std::size_t kEarlyMax = 64;  // candidates before the call that they are of

  struct Options {
    call::SignalId stream = 0;
    LinkId link = 0;
    std::string extension;
    bool receives_calls = false;
    bool legacy = false;   // the PBX answers offers; later ones send their own
    bool numbered = true;  // false: calls have no ids (2016)
  };

  explicit PhoneCalls(Options options) : options_(std::move(options)) {}

  void on_client(const call::FromClient& message, Effects& effects);
  void on_frame(const MediaFrame& frame, Effects& effects);
  // The client is gone. What only rings here may go on ringing at the extension's other phones.
  void hang_up(Effects& effects);

 private:
  enum class Media {
    none,     // nothing has come from the PBX yet
    offered,  // by the PBX, and the client has to answer
    settled,
  };
  struct Call {
    std::string id;           // towards the client
    std::string pbx_id;       // in what we send; empty: nothing there
    std::string destination;  // of a call of the client's
    bool incoming = false;
    Media media = Media::none;
    bool answer_due = false;  // the client has offered, and the PBX answers
    bool rang = false, up = false, held = false;
    std::string cseq;               // of the offer that the client has to answer
    std::size_t offer = 0;          // its hash
    std::vector<std::string> past;  // ids in the extension's list that are of other calls
    std::string listed;             // its own id there, once it is known
  };
  struct Early {
    std::string call;
    call::IceCandidate candidate;
  };

  // What the client says.
  void take(const call::StartCall& it, Effects& effects);
  void take(Call& call, const call::AnswerOffer& it, Effects& effects);
  void take(Call& call, const call::IceCandidate& it, Effects& effects);
  void take(Call& call, const call::RejectCall& it, Effects& effects);
  void take(Call& call, const call::HoldMedia& it, Effects& effects);
  void take(Call& call, const call::ResumeMedia& it, Effects& effects);
  void take(Call& call, const call::MuteMedia& it, Effects& effects);
  void take(Call& call, const call::TransferMedia& it, Effects& effects);
  void take(Call& call, const call::HangUp& it, Effects& effects);

  // What the PBX says.
  void take(const Description& it, Effects& effects);
  void take(const Invitation& it, Effects& effects);
  void take(const Candidates& it, Effects& effects);
  void take(const Goodbye& it, Effects& effects);
  void take(const Cancellation& it, Effects& effects);
  void take(const Rejection& it, Effects& effects);
  void take(const Ringing& it, Effects& effects);
  void take(const Registration&, Effects&) {}
  void take(const Identity& it, Effects& effects);
  void take(const RecordingMark& it, Effects& effects);
  void take(const OwnCalls& it, Effects& effects);
  void take(const Aside&, Effects&) {}

  void take_sdp(Call& call, const Description& it, Effects& effects);
  void offer(Call& call, const Sdp& sdp, const std::string& cseq, Effects& effects);
  bool drop_stray(std::string_view wanted);
  void release_early(const Call& call, Effects& effects);
  void ring(Call& call, Effects& effects);
  void connect(Call& call, Effects& effects);
  void refuse_unseen(const Invitation& it, std::string_view code, Effects& effects);
  void say_bye(const Call& call, Effects& effects);
  void end(Call& call, call::Cause cause, unsigned code, std::string detail, Effects& effects);

  Call* find(std::string_view pbx_id);
  Call* find_or_name(std::string_view pbx_id, std::string_view to);
  Call* find_of_client(std::string_view id);
  const CallEntry* entry_of(const Call& call, const OwnCalls& list) const;
  bool is_over(std::string_view id) const;
  std::string new_id();

  void say(std::string_view name, std::string_view call, std::string_view cseq,
           std::initializer_list<Field> fields, Effects& effects) const;
  void tell(call::ToClient message, Effects& effects) const;
  void refuse(const std::string& call, base::Errc why, std::string detail, Effects& effects) const;

  Options options_;
  std::vector<Call> calls_;
  std::deque<std::string> over_;     // ids of calls that have ended
  std::deque<Early> early_;          // before the description that they belong to
  std::vector<std::string> listed_;  // ids in the last list of the extension's calls
  bool list_seen_ = false;
  unsigned last_id_ = 0;
};

}  // namespace pbx::vodia
