#include "call/state.h"

#include <cstddef>
#include <cstdint>

namespace call {
namespace {

using enum ConnectionState;

constexpr std::size_t kCount = kConnectionStates.size();

constexpr std::size_t index_of(ConnectionState state) { return static_cast<std::size_t>(state); }

// Which steps there are (csta.md section 2). Row: from. Column: to, in the order of the
// enumeration: null, initiated, alerting, connected, hold, queued, fail.
constexpr bool kLegal[kCount][kCount] = {
    {false, true, true, true, false, true, true},     // null
    {true, false, false, true, false, true, true},    // initiated
    {true, false, false, true, true, true, true},     // alerting
    {true, false, true, false, true, true, true},     // connected
    {true, false, true, true, false, true, true},     // hold
    {true, false, true, true, true, false, true},     // queued
    {true, false, false, false, false, true, false},  // fail: may camp on
};

// The way from one state to another, a letter for each state entered; '0' is null. The reasons:
//  - who is held has been answered ("ch"), also where CSTA would allow to hold a ringing call: the
//    consumer who measures talk time must see it begin;
//  - a called device that is connected has rung ("ac"); a calling one went off-hook, and nobody
//    needs to be told so afterwards;
//  - nothing leads back to initiated, from initiated to alerting, or from fail to life but camping
//    on (queued): that is a new connection of the same device ("0…").
struct Row {
  const char* to[kCount];
};
constexpr Row kCalling[kCount] = {
    // null  initiated alerting connected hold queued fail
    {{"", "i", "a", "c", "ch", "q", "f"}},      // null
    {{"0", "", "0a", "c", "ch", "q", "f"}},     // initiated
    {{"0", "0i", "", "c", "ch", "q", "f"}},     // alerting
    {{"0", "0i", "a", "", "h", "q", "f"}},      // connected
    {{"0", "0i", "a", "c", "", "q", "f"}},      // hold
    {{"0", "0i", "a", "c", "ch", "", "f"}},     // queued
    {{"0", "0i", "0a", "0c", "0ch", "q", ""}},  // fail
};
constexpr Row kCalled[kCount] = {
    {{"", "i", "a", "ac", "ach", "q", "f"}},      // null
    {{"0", "", "0a", "c", "ch", "q", "f"}},       // initiated
    {{"0", "0i", "", "c", "ch", "q", "f"}},       // alerting
    {{"0", "0i", "a", "", "h", "q", "f"}},        // connected
    {{"0", "0i", "a", "c", "", "q", "f"}},        // hold
    {{"0", "0i", "a", "c", "ch", "", "f"}},       // queued
    {{"0", "0i", "0a", "0ac", "0ach", "q", ""}},  // fail
};

struct Path {
  std::array<ConnectionState, 4> states{};
  std::uint8_t length = 0;
};
using Paths = std::array<std::array<Path, kCount>, kCount>;

constexpr ConnectionState state_of(char letter) {
  switch (letter) {
    case 'i': return initiated;
    case 'a': return alerting;
    case 'c': return connected;
    case 'h': return hold;
    case 'q': return queued;
    case 'f': return fail;
    default: return null;
  }
}

constexpr Paths paths_of(const Row (&rows)[kCount]) {
  Paths paths;
  for (std::size_t from = 0; from < kCount; ++from) {
    for (std::size_t to = 0; to < kCount; ++to) {
      Path& path = paths[from][to];
      for (const char* letter = rows[from].to[to]; *letter != '\0'; ++letter) {
        path.states[path.length++] = state_of(*letter);
      }
    }
  }
  return paths;
}

constexpr Paths kPaths[] = {paths_of(kCalling), paths_of(kCalled)};

}  // namespace

const char* name_of(ConnectionState state) noexcept {
  switch (state) {
    case null: return "null";
    case initiated: return "initiated";
    case alerting: return "alerting";
    case connected: return "connected";
    case hold: return "hold";
    case queued: return "queued";
    case fail: return "fail";
  }
  return "null";
}

bool is_legal(ConnectionState from, ConnectionState to) noexcept {
  return kLegal[index_of(from)][index_of(to)];
}

std::span<const ConnectionState> path(Role role, ConnectionState from,
                                      ConnectionState to) noexcept {
  const Path& found = kPaths[static_cast<std::size_t>(role)][index_of(from)][index_of(to)];
  return {found.states.data(), found.length};
}

}  // namespace call
