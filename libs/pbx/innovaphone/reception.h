#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pbx/innovaphone/digest.h"
#include "pbx/reception.h"
#include "pbx/settings.h"

namespace pbx::innovaphone {

// Who has dialled us? The PBX is the one that logs in, with its App object's password:
//
//   AppChallenge → we answer AppChallengeResult {challenge} → AppLogin {digest, info} → verdict
//
// A person who opens the App in myApps comes to the same URL and knows how to log in, too; there is
// nothing here for people. Before the login nothing else is talked about: CheckBuild and KeepAlive
// have their answers, AppCheckLogin (is this the password?) has none, other messages without an api
// are passed over, and one with an api ends it. One challenge, one login.
class Reception : public pbx::Reception {
 public:
  struct Options {
    std::string app_object, password;
    std::string url_app;            // the last component of the App object's URL
    std::string domain;             // empty: any
    std::vector<std::string> pbxs;  // empty: any
  };

  // `challenge`: 64 bits that nobody could guess, used only here.
  Reception(Options options, std::uint64_t challenge);

  Step on_text(std::string_view text) override;

 private:
  struct Message;
  Step on_login(const Message& message);

  Options options_;
  std::string challenge_;
  unsigned messages_ = 0;
  bool challenged_ = false, over_ = false;
};

// A login is a few hundred bytes; its `apps` may make it longer. The vendor's own limit.
inline constexpr std::size_t kReceptionMessageMax = 65'535;
// A login takes two messages.
inline constexpr unsigned kReceptionMessagesMax = 20;

// For pbx::Inbound: the path of the settings, with a slash in front and none behind; empty if it is
// we who dial.
std::string inbound_path(const Settings& settings);
std::unique_ptr<pbx::Reception> receive(const Settings& settings, std::uint64_t challenge);

}  // namespace pbx::innovaphone
