// The connector: holds its share of the tenants, keeps a link to each one's PBX, and publishes what
// happens there. Configuration, objects, run.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <malloc.h>

#include "common/ask_health.h"
#include "common/bus_report.h"
#include "connector/capability_reference.h"
#include "connector/config.h"
#include "connector/connector.h"
#include "connector/metrics.h"
#include "telemetry/log.h"
#include "telemetry/version.h"

namespace {

// `files`: what the ones it names said when it was last read well; gets what they say now.
std::optional<connector::Config> read(const std::string& file, std::ostream& complaints,
                                      config::Files& files) {
  auto document = config::Document::load(file, config::process_environment(), files);
  auto config = connector::read_config(document);
  const auto problems = document.finish();
  for (const auto& problem : problems) complaints << problem.text() << '\n';
  if (!problems.empty()) {
    // Those that are new, and perhaps not there yet, are worth watching.
    for (const auto& [path, content] : document.files()) files[path];
    return std::nullopt;
  }
  files = document.files();
  return config;
}

std::optional<connector::Config> load(const std::string& file, std::ostream& complaints,
                                      config::Files& files) {
  auto config = read(file, complaints, files);
  // The document is gone, but glibc keeps its memory: some 20 KiB for each tenant.
  ::malloc_trim(0);
  return config;
}

void print_metrics() {
  telemetry::Metrics all;
  const connector::Metrics declared(all);
  const common::BusReport bus(all);
  std::cout << all.reference();
  throw CLI::Success();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Keeps one link to each tenant's PBX, and publishes its events to NATS JetStream."};
  std::string file = "connector.yaml";
  std::string health;
  bool check = false, reference = false, table = false, notes = false, announce = false;
  app.add_option("--config", file, "The configuration file")->capture_default_str();
  app.add_flag("--check-config", check,
               "Only say what is wrong with the configuration; status 0 if nothing");
  app.add_flag("--config-reference", reference, "Print every setting, as Markdown");
  app.add_flag_callback("--metric-reference", print_metrics, "Print every metric, as Markdown");
  app.add_flag("--capability-table", table, "Print what each PBX can do, as Markdown");
  app.add_flag("--capability-reference", notes, "The same, with what to know and why not");
  app.add_flag("--announce", announce,
               "Print the ports in use as one line of JSON, for whoever started it");
  app.add_flag("--health{readyz}", health,
               "Ask the connector that runs here with this configuration how it is (or its livez, "
               "startupz); status 0 if well")
      ->check(CLI::IsMember({"readyz", "livez", "startupz"}));
  app.set_version_flag("--version", std::string(telemetry::version()));
  CLI11_PARSE(app, argc, argv);

  if (reference) {
    auto document = config::Document::for_reference();
    connector::read_config(document);
    std::cout << document.reference();
    return 0;
  }
  if (table) std::cout << connector::capability_table(pbx::vendors());
  if (notes) std::cout << connector::capability_reference(pbx::vendors());
  if (table || notes) return 0;
  if (!health.empty()) {
    auto document = config::Document::load(file, config::process_environment());
    const auto admin = connector::read_admin(document);
    return common::ask_health(admin.address, admin.port, health, std::cout);
  }
  config::Files files;
  auto config = load(file, std::cerr, files);
  if (!config) return 2;
  if (check) {
    std::cout << file << ": ok, " << config->tenants.size() << " tenants\n";
    return 0;
  }
  telemetry::log::setup(config->log);
  try {
    connector::Connector connector(
        std::move(*config), std::filesystem::absolute(file),
        [&] { return load(file, std::cerr, files); }, files);
    if (announce) {
      std::string line = R"({"ready":true,"admin":)" + std::to_string(connector.admin_port());
      if (connector.inbound_port() != 0) {
        line += R"(,"inbound":)" + std::to_string(connector.inbound_port());
      }
      // In one piece: other threads log already.
      std::cout << line + "}\n" << std::flush;
    }
    return connector.run();
  } catch (const std::exception& error) {
    std::cerr << "connector: " << error.what() << '\n';
    return 1;
  }
}
