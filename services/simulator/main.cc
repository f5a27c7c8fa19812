#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include "common/ask_health.h"
#include "simulator/server.h"

namespace {

constexpr int kBadConfiguration = 2;

// Sockets are what we have many of.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

bool report(const std::vector<config::Problem>& problems) {
  for (const auto& problem : problems) std::cerr << problem.text() << '\n';
  return problems.empty();
}

bool read_scenarios(const std::string& file,
                    std::vector<std::shared_ptr<const simulator::scenario::Scenario>>& all) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    std::cerr << file << ": cannot be read\n";
    return false;
  }
  std::ostringstream text;
  text << in.rdbuf();
  auto parsed = simulator::scenario::parse_scenarios(text.str(), file);
  all.insert(all.end(), parsed.scenarios.begin(), parsed.scenarios.end());
  return report(parsed.problems);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The PBX's side of the PBX gateway: tenants, phones, calls, and faults.");
  std::string config_file, address;
  std::vector<std::string> scenario_files;
  std::int64_t seed = -1;
  bool check = false, any_ports = false, health = false;
  app.add_option("--config", config_file, "YAML; without it, a demo tenant on default ports");
  app.add_option("--scenario", scenario_files, "YAML; started at once, may be given repeatedly");
  app.add_option("--seed", seed, "Instead of the configuration's")->check(CLI::NonNegativeNumber);
  app.add_option("--address", address, "Of every listener, instead of the configuration's");
  app.add_flag("--any-ports", any_ports, "Every port is any free one; they are printed");
  app.add_flag("--check-config", check, "Only reads the files, and says what is wrong");
  app.add_flag("--health", health,
               "Ask the simulator that runs here with this configuration; status 0 if it answers");
  app.set_version_flag("--version", std::string("simulator ") + PBXGW_VERSION);
  CLI11_PARSE(app, argc, argv);

  try {
    auto document = config_file.empty()
                        ? config::Document::parse("{}", "defaults", {})
                        : config::Document::load(config_file, config::process_environment());
    auto settings = simulator::read_settings(document.root());
    std::vector<std::shared_ptr<const simulator::scenario::Scenario>> scenarios;
    bool good = report(document.finish());
    for (const auto& file : scenario_files) good = read_scenarios(file, scenarios) && good;
    if (!good) return kBadConfiguration;
    if (check) return 0;

    if (seed >= 0) simulator::reseed(settings, static_cast<std::uint64_t>(seed));
    if (any_ports) simulator::take_any_ports(settings);
    if (!address.empty()) settings.address = settings.control_address = address;
    if (health) {
      return common::ask_health(settings.control_address, settings.control_port, "livez",
                                std::cout);
    }
    raise_file_limit();
    simulator::Server server(std::move(settings));
    std::string why;
    if (!scenarios.empty() && !server.control().launch(scenarios, why)) {
      std::cerr << "simulator: " << why << '\n';
      return kBadConfiguration;
    }
    if (const auto& made = server.certificate()) {
      std::cerr << "simulator: certificate " << made->certificate_file << ", SHA-256 pin "
                << made->sha256 << '\n';
    }
    std::cout << server.ready_line() << std::endl;
    server.run();
    return 0;
  } catch (const std::exception& failure) {
    std::cerr << "simulator: " << failure.what() << '\n';
    return 1;
  }
}
