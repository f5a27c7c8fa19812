#pragma once

#include <chrono>
#include <functional>
#include <iostream>
#include <ostream>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "pbxctl/words.h"

namespace pbxctl {

// Where the program writes to and reads from, and what time it is. Lives as long as the run.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  bool is_terminal = false;  // `out` is one that shows colours
  std::function<Time()> now = [] { return std::chrono::system_clock::now(); };
  std::istream& in = std::cin;
};

// What every verb takes.
struct Options {
  std::string server = "127.0.0.1:7443";
  std::string tenant;  // its id; empty: not said
  std::chrono::milliseconds timeout{10'000};
  bool json = false;
  std::string color = "auto";
  bool tls = false;
  std::string ca_file, cert_file, key_file;
  std::string token_file;       // read anew for each RPC: it may be replaced
  bool insecure_token = false;  // send it without TLS, too
};

// Declares them on the root.
void add_options(CLI::App& root, Options& options);

// An option whose value is a time ("500ms", "10s", "5m"); set() gets it.
CLI::Option* add_duration(CLI::App& app, const std::string& name,
                          std::function<void(std::chrono::milliseconds)> set,
                          const std::string& meaning);
// One that is KEY=VALUE; into `data`, where a key may stand once.
using Data = std::vector<std::pair<std::string, std::string>>;
CLI::Option* add_data(CLI::App& app, const std::string& name, Data& data,
                      const std::string& meaning);

bool colored(const Options& options, const Terminal& terminal);

}  // namespace pbxctl
