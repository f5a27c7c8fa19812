#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "bus/connection.h"

namespace bus {

// What a connection takes from files to log in and to know its servers, all read at one time: an
// attempt to connect uses one Identity from its beginning to its end, however the files change
// meanwhile. Never changes; has to outlive the natsOptions made with it.
struct Identity {
  std::string ca, certificate, key;  // PEM
  std::string jwt, seed, nkey;       // nkey: the public one of the seed, if there is no JWT
  std::string password, token;

  bool operator==(const Identity&) const = default;
};

// Whether there is any file that could change.
bool reads_files(const Options& options);

// invalid_argument, and `why` tells which file is of no use; never what stands in it.
base::Result<std::shared_ptr<const Identity>> read_identity(const Options& options,
                                                            std::string& why);

// What one attempt to connect needs. Null if any of it cannot be used; `why` tells.
OptionsHandle make_options(const Options& options, const Identity& identity, std::string& why);

// Why a connection was not made, in words that say what to do about it, where that can be told;
// `detail` is cnats' own, and stands at the end.
std::string explain(const Options& options, const std::string& detail);

}  // namespace bus
