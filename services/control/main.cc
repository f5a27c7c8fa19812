#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/ask_health.h"
#include "common/bus_report.h"
#include "config/document.h"
#include "control/config.h"
#include "control/control.h"
#include "rights/policy.h"
#include "rights/rules.h"
#include "telemetry/log.h"
#include "telemetry/version.h"

namespace {

struct Arguments {
  std::string config = "control.yaml", policy, health;
  bool check = false, reference = false, announce = false;
};

// Says what is wrong with a policy file, or what each of its principals may do.
int check_policy(const std::string& file) {
  std::vector<config::Problem> problems;
  const auto policy = rights::Policy::load(file, problems);
  for (const auto& problem : problems) std::cerr << problem.text() << '\n';
  if (!policy) return 2;
  return std::cout << rights::description_of(policy->rules()), EXIT_SUCCESS;
}

int serve(const Arguments& arguments) {
  if (!arguments.policy.empty()) return check_policy(arguments.policy);
  auto document = arguments.reference
                      ? config::Document::for_reference()
                      : config::Document::load(arguments.config, config::process_environment());
  if (!arguments.health.empty()) {
    const auto admin = control::read_admin(document);
    return common::ask_health(admin.address, admin.port, arguments.health, std::cout);
  }
  const control::Config config = control::read_config(document);
  if (arguments.reference) return std::cout << document.reference(), EXIT_SUCCESS;
  const auto problems = document.finish();
  for (const auto& problem : problems) std::cerr << problem.text() << '\n';
  if (!problems.empty()) return 2;
  if (arguments.check) return std::cout << arguments.config << ": ok\n", EXIT_SUCCESS;

  telemetry::log::setup(config.log);
  control::Control service(config);
  if (arguments.announce) {
    std::printf("{\"ready\":true,\"grpc\":%d,\"admin\":%d}\n", service.grpc_port(),
                service.admin_port());
    std::fflush(stdout);
  }
  return service.run();
}

void print_metrics() {
  telemetry::Metrics all;
  const control::Metrics declared(all);
  const common::BusReport bus(all);
  std::cout << all.reference();
  throw CLI::Success();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("The gRPC face of the PBX gateway.");
  app.add_option("--config", arguments.config, "The configuration file")->capture_default_str();
  app.add_flag("--check-config", arguments.check,
               "Only say what is wrong with the configuration; status 0 if nothing");
  app.add_option("--check-policy", arguments.policy,
                 "Only say what is wrong with this policy file, or what each principal may do");
  app.add_flag("--config-reference", arguments.reference, "Print every setting, as Markdown");
  app.add_flag_callback("--metric-reference", print_metrics, "Print every metric, as Markdown");
  app.add_flag("--announce", arguments.announce, "Print the ports as one line of JSON once ready");
  app.add_flag("--health{readyz}", arguments.health,
               "Ask the service that runs here with this configuration how it is (or its livez, "
               "startupz); status 0 if well")
      ->check(CLI::IsMember({"readyz", "livez", "startupz"}));
  app.set_version_flag("--version", std::string(telemetry::version()));
  CLI11_PARSE(app, argc, argv);
  try {
    return serve(arguments);
  } catch (const std::exception& error) {
    std::cerr << "control: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
