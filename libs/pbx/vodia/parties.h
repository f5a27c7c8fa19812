#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "call/model.h"
#include "pbx/vodia/codec.h"
#include "pbx/vodia/directory.h"

namespace pbx::vodia {

// A leg as it was told.
struct Part {
  std::string leg;
  call::Party party;
  call::Role role = call::Role::called;
  call::ConnectionState state = call::ConnectionState::null;
  bool talked = false;  // is connected, or was
  bool member = false;  // an entry has listed it among its extensions
};

// A leg as the entries now have it.
struct Wanted {
  call::Party party;
  call::Role role = call::Role::called;
  call::ConnectionState state = call::ConnectionState::null;
  bool member = false;
};

struct Arrangement {
  std::vector<Wanted> parts;  // the calling one first, if there is one
  bool answered = false;
  bool on_hold = false;         // somebody holds
  bool holder_unknown = false;  // and the PBX does not say who
};

// Who takes part in a call, and in which state. `entries` are its sides, one or two; `before` are
// its legs as told last, `left` the extensions that were in it and are not any more, and `holder`
// the extension that we know to hold, if we do. Pure.
Arrangement arrange(std::span<const CallEntry* const> entries, const Directory& directory,
                    std::span<const Part> before, std::span<const std::string> left,
                    std::string_view holder);

// Of what an entry calls them, as the directory knows them: an alias is the account's number.
std::string own_number(const Directory& directory, std::string_view number);
// Whether it is an extension's, as far as the directory or the entry tells.
bool is_extension(const Directory& directory, const CallEntry& entry, std::string_view number);

}  // namespace pbx::vodia
