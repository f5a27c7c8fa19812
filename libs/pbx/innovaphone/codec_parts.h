#pragma once

#include <string_view>

#include "pbx/innovaphone/codec.h"

// The parts of the codec, by API; codec.cc reads mt, api and src, and asks the part they belong to.
// Each sets `frame.body` and nothing else, and says whether `mt` is a message of its own; if it is
// not, the frame stays as it was.
//
// `text` is the whole message, already found to be one JSON object. It is parsed again, with this
// thread's parser, so `mt` may not point into that.
namespace pbx::innovaphone {

// AppWebsocket itself: messages without an api. Theirs are AppChallengeResult, AppLoginResult,
// PbxInfo, AppInfo, CheckBuild and KeepAlive.
bool parse_base(std::string_view mt, std::string_view text, Frame& frame);

// PbxTableUsers: ReplicateNextResult, ReplicateAdd, ReplicateUpdate, ReplicateDel. That of
// ReplicateStart is a Result like any other.
bool parse_table(std::string_view mt, std::string_view text, Frame& frame);

// PbxApi: PresenceUpdate and PresenceState. Its results are like any other.
bool parse_presence(std::string_view mt, std::string_view text, Frame& frame);

}  // namespace pbx::innovaphone
