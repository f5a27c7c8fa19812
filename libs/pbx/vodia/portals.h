#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "call/command.h"
#include "pbx/session.h"
#include "pbx/settings.h"
#include "pbx/vodia/extension_socket.h"
#include "pbx/vodia/http.h"

namespace pbx::vodia {

// Servers before 69 take what a phone is to do from the socket of that phone's extension only, as
// the user portal has it. This keeps such sockets for the extensions that commands act for: opened
// when they are needed, closed when they are not any more.
//
// Lives as long as a session.
class Portals {
 public:
  // Links from here on are of portals.
  static constexpr LinkId kFirstLink = 0x8000'0000;

  struct Options {
    std::string domain, path;
    std::map<std::string, pbx::Account> accounts;  // web passwords of extensions
    std::chrono::milliseconds login_limit{}, idle{};
    std::size_t most = 0;  // at once; for another one, one that nobody waits for is closed
  };
  // A message that was not said: nobody else knows of it yet.
  struct Unsaid {
    call::CommandId command;
    call::Refusal why;
  };

  Portals(Options options, const Http& http) : options_(std::move(options)), http_(http) {}

  // Whether there is a way to log in for it.
  bool has(const std::string& extension) const {
    return http_.has_admin() || options_.accounts.contains(extension);
  }
  // Says it now, or as soon as the extension's socket is open.
  std::vector<Unsaid> say(const std::string& extension, call::CommandId command, std::string text,
                          TimePoint now, Effects& effects);

  bool waits_for(HttpId id) const;
  std::vector<Unsaid> on_http(HttpId id, const base::Result<HttpReply>& reply,
                              const std::string& detail, TimePoint now, Effects& effects);
  void on_link_open(LinkId link, TimePoint now, Effects& effects);
  std::vector<Unsaid> on_link_closed(LinkId link, const base::Error& why,
                                     const std::string& detail);
  std::vector<Unsaid> on_tick(TimePoint now, Effects& effects);
  TimePoint deadline() const;

 private:
  struct Portal {
    Portal(ExtensionSocket::Options options, Http http)
        : socket(std::move(options), std::move(http)) {}
    ExtensionSocket socket;
    std::vector<std::pair<call::CommandId, std::string>> waiting;
    TimePoint idle_end{};
  };
  using Map = std::map<std::string, Portal>;  // by extension

  bool make_room(Effects& effects);
  std::vector<Unsaid> end(Map::iterator it, const ExtensionSocket::Failure& why);

  Options options_;
  const Http& http_;
  Map portals_;
  LinkId last_link_ = kFirstLink - 1;
};

}  // namespace pbx::vodia
