#pragma once

#include <ostream>
#include <string>
#include <vector>

#include <boost/system/result.hpp>
#include <grpcpp/support/status.h>

#include "google/rpc/status.pb.h"

namespace pbxctl {

// What the program ends with. Scripts rely on the numbers: each means one thing for ever.
enum class ExitCode {
  ok = 0,
  other = 1,            // anything else; also: fewer events than `watch --expect` asks for
  usage = 2,            // the command line, or a field of the request, is wrong
  not_found = 3,        // no such tenant, device, call or connection
  not_possible = 4,     // not now (wrong state), or never with this PBX
  refused = 5,          // by the gateway (permission) or by the PBX
  unavailable = 6,      // no control service, no link to the PBX: nothing was done
  unknown_outcome = 7,  // no answer in time: it may have been done
  exhausted = 8,        // a limit was reached
};
// The same as text, for --help.
std::string exit_codes_text();

// Why the program did not do what it was asked to.
struct Failure {
  ExitCode code = ExitCode::other;
  std::string message;             // for people
  std::vector<std::string> hints;  // what else is known, and what to do: a line each
  google::rpc::Status status;      // as the service said it; code 0 if it did not come from there
};

template <class T>
using Outcome = boost::system::result<T, Failure>;

// What the service's errors are to us. `server` is the address that was asked, `patience` for how
// long, as text.
Failure to_failure(const grpc::Status& status, const std::string& server,
                   const std::string& patience);
// ErrorInfo.reason of an error; empty if it has none.
std::string reason_of(const grpc::Status& status);

// For people: the message, then the hints, indented. With `json`: all as one line of JSON.
void print(const Failure& failure, bool json, std::ostream& err);

}  // namespace pbxctl
