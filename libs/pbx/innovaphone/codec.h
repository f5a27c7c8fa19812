#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

// The vocabulary of AppWebsocket and the APIs we use on it, as plain data. What the PBX leaves out
// because it is false, zero or empty is that here. Protocol facts: README.md beside this.
namespace pbx::innovaphone {

// ---- AppWebsocket itself, what comes before and beside the APIs.

// To us as the one who logs in: the text to sign, as it was written (a number keeps its digits).
struct Challenge {
  std::string text;
};
struct LoginResult {
  bool ok = false;
  std::string error;  // number or text, and what else it says; empty if it gives no reason
};
// From a PBX that has dialled us, after its login.
struct PbxInfo {
  std::string domain, pbx, dns;
  std::vector<std::string> apis;  // granted to our App object
  std::string version, build;
};
struct AppInfo {
  std::string app;
};
struct CheckBuild {};
struct KeepAlive {};

// ---- RCC: users and their calls.

// What the PBX shows of a user; replaces all that was known of its `guid`.
struct UserInfo {
  std::string update;  // empty: of the initial list; "del": gone; anything else: changed
  std::string guid;
  std::string cn;  // Long Name: the argument of UserInitialize
  std::string dn;  // display name
  std::string h323, e164, node;
  std::string pbx;     // where the user is homed
  std::string pseudo;  // type of an object that is no ordinary user
  unsigned registrations = 0;
  int channel = 0, alert = 0;  // numbers of calls, of alerting ones

  bool deleted() const { return update == "del"; }
};

// A party, as calls have it.
struct Connector {
  std::string type;  // in CallInfo::no: "leg2", "ct", …
  std::string cn, dn, h323, e164, norm;

  bool operator==(const Connector&) const = default;
};

// One leg as it is now.
struct CallInfo {
  int user = 0, call = 0;   // our handles, on this socket
  std::string conf;         // of the call, the same for all its legs; not in every message
  int state = 0;            // low four bits and flags: states.h
  std::optional<int> time;  // seconds since the call began
  Connector peer;
  std::vector<Connector> no;
  std::string msg, dtmf;
  std::optional<int> cause;  // Q.850
  std::string cause_text;
  bool del = false;  // the leg's last message
};

// ---- Answers. One type for all: `mt` says of what (without "Result"), and which fields count.
struct Result {
  std::string mt;
  bool ok = false;
  std::string error;  // number or text, and what else it says; empty: none
  int user = 0, call = 0;
  std::string number, sip;            // GetDiversion, GetNormalizedNumber
  std::string pbx;                    // GetPbxConfig's loc
  std::vector<std::string> hardware;  // Devices: the hw of each
};

// ---- PbxTableUsers.

struct Diversion {
  std::string type;  // "cfu", "cfb", "cfnr"
  std::string e164, h323;
  bool conditional = false;  // hangs on a boolean or a filter of the caller

  bool operator==(const Diversion&) const = default;
};
struct UserRow {
  std::string guid, h323, cn, dn, e164, node, loc, pseudo;
  bool hide = false;
  std::vector<Diversion> diversions;
};
// ReplicateNextResult; without a row the list is at its end.
struct NextRow {
  std::optional<UserRow> row;
  std::string error;
};
struct RowAdded {
  UserRow row;
};
struct RowUpdated {
  UserRow row;  // whole
};
struct RowDeleted {
  std::string guid;
};

// ---- Presence.

struct PresenceItem {
  std::string contact;  // "tel:", "im:", "calendar:"
  std::string activity, status, note;
};
// Whose it is only `src` tells.
struct PresenceUpdate {
  std::vector<PresenceItem> items;
};
struct PresenceState {
  bool up = false;
};

// ---- Anything else.
struct Unknown {
  std::string mt;
};

struct Frame {
  std::string api, src;  // empty if absent
  std::variant<Unknown, Challenge, LoginResult, PbxInfo, AppInfo, CheckBuild, KeepAlive, UserInfo,
               CallInfo, Result, NextRow, RowAdded, RowUpdated, RowDeleted, PresenceUpdate,
               PresenceState>
      body;
};

// bad_frame if it is not one JSON object with an `mt`. What is unknown in it is ignored; what is of
// another JSON type than expected is read as what it stands for ("16" is 16).
base::Result<Frame> parse(std::string_view text);

}  // namespace pbx::innovaphone
