#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pbx/session.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/legs.h"
#include "pbx/webitel/line.h"
#include "pbx/webitel/rest.h"
#include "pbx/webitel/socket.h"

namespace pbx::webitel {

// Sockets of single users, beside the control socket: the PBX tells of a user's calls nowhere else
// (webitel.md 6). Each is a link of its own, with a token of that user's: one from the settings, or
// one that we make, after we have deleted those that an earlier session of ours has left behind.
//
// One that fails is opened again, later each time; its user is watched by the lists meanwhile, as
// everybody is who has none. Lives as long as a session.
class UserSockets {
 public:
  enum class Whose { nobody, listed, everybody };
  struct Options {
    Whose whose = Whose::nobody;
    std::map<std::string, std::string> tokens;  // by extension; secrets
    std::size_t most = 0;
    Handshake where;  // of a socket
    Line::Options line;
  };

  UserSockets(Options options, Rest& rest, const Directory& directory, Legs& legs)
      : options_(std::move(options)), rest_(rest), directory_(directory), legs_(legs) {}

  // Who is to be watched, now that the directory is known, or has changed. `own`: the control
  // socket's user, who is watched by that; `domain`: that all of them have to be of.
  void on_people(const std::string& own, const std::string& domain, TimePoint now,
                 Effects& effects);
  // False if it is not the reply to a request of theirs.
  bool on_http(HttpId id, const base::Result<HttpReply>& reply, TimePoint now, Effects& effects);
  void on_link_open(LinkId link, TimePoint now, Effects& effects);
  void on_link_closed(LinkId link, const base::Error& why, const std::string& detail, TimePoint now,
                      Effects& effects);
  struct Heard {
    Line::Heard what;
    std::string user;
  };
  // What is left for others to take; a failure is none of it.
  Heard on_text(LinkId link, std::string_view text, TimePoint now, Effects& effects);
  void on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

  // Users that are told of by their own sockets now.
  std::size_t live() const;

 private:
  enum class Step { waiting, listing, deleting, minting, opening, open };
  struct Watch {
    std::string extension;  // whose token it is, in the settings; empty: it is minted
    std::string user;       // nothing, until the directory or hello tells
    std::string token;      // a secret
    std::string token_id;   // if we made it
    Step step = Step::waiting;
    TimePoint due = TimePoint::min();  // waiting: until then
    unsigned failures = 0;             // in a row
    std::optional<base::Error> told;   // why it has failed, as told last; nothing since it is right
    std::vector<std::string> stale;    // tokens to be deleted
    HttpId request = 0;
    LinkId link = kPrimary;
    std::unique_ptr<Socket> socket{};
    std::unique_ptr<Line> line{};
    bool wanted = true;
  };

  Watch* of_link(LinkId link);
  void begin(Watch& watch, TimePoint now, Effects& effects);
  void begin_next(TimePoint now, Effects& effects);
  void delete_next(Watch& watch, Effects& effects);
  void revoke(const Watch& watch, Effects& effects);
  void send(Watch& watch, Step step, std::string method, const std::string& path, std::string body,
            Effects& effects);
  void open(Watch& watch, Effects& effects);
  void fail(Watch& watch, const base::Error& why, std::string detail,
            std::optional<std::chrono::milliseconds> retry_after, TimePoint now, Effects& effects);
  void close(Watch& watch, Effects& effects);

  Options options_;
  Rest& rest_;
  const Directory& directory_;
  Legs& legs_;
  std::map<std::string, Watch> watches_;  // by extension if listed, "#user" if minted
  std::map<LinkId, std::string> links_;
  std::string own_, domain_;
  LinkId last_link_ = kPrimary;
  std::size_t left_out_ = 0;  // as told last
};

}  // namespace pbx::webitel
