#include "pbxctl/run.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <grpc/support/log.h>

#include "pbxctl/verb.h"
#include "telemetry/version.h"

namespace pbxctl {
namespace {

constexpr char kDescription[] =
    "Looks at PBXs and controls their calls, through the control service of the PBX gateway.\n";

// Lists verbs by their summary; CLI11's own way is the whole description.
class Formatter : public CLI::Formatter {
 public:
  Formatter() {
    column_width(26);
    label("REQUIRED", "");
    label("SUBCOMMAND", "VERB");
    label("Positionals", "Arguments");
  }
  std::string make_subcommand(const CLI::App* app) const override {
    const std::string text = app->get_description();
    std::stringstream out;
    CLI::detail::format_help(out, app->get_name(), text.substr(0, text.find('\n')), column_width_);
    return out.str();
  }
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    const std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    return CLI::detail::find_and_replace(text, "\n\n\n", "\n\n");
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text = CLI::Formatter::make_option_opts(option);
    // Values without a type before them.
    if (text.starts_with(" :{")) text.erase(1, 1);
    while (text.ends_with(' ')) text.pop_back();
    std::string out;
    std::size_t column = 0;
    for (const char c : text) {
      out += c;
      ++column;
      if (c != ',' || column < kLineWidth) continue;
      out += "\n        ";
      column = 0;
    }
    return out;
  }

 private:
  static constexpr std::size_t kLineWidth = 70;
};

// How many letters to change, add or leave out to get from one word to the other.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// Longer words are nobody's typing error.
constexpr std::size_t kWordMax = 32;

Failure unknown_verb(const std::string& text) {
  Failure failure{ExitCode::usage, "there is no verb \"" + printable(text) + "\"", {}, {}};
  if (text.size() > kWordMax) return failure;
  const auto all = verbs();
  const auto nearest = std::min_element(all.begin(), all.end(), [&](const Verb& a, const Verb& b) {
    return distance(text, a.name) < distance(text, b.name);
  });
  if (distance(text, nearest->name) <= 2) {
    failure.message += std::string("; did you mean ") + nearest->name + "?";
  }
  return failure;
}

// What CLI11 throws, as a failure of ours.
Failure usage_failure(const CLI::App& root, const CLI::ParseError& error) {
  const auto chosen = root.get_subcommands();
  const auto rest = root.remaining();
  Failure failure{ExitCode::usage, printable(error.what()), {}, {}};
  if (chosen.empty() && !rest.empty() && !rest.front().starts_with('-')) {
    failure = unknown_verb(rest.front());
  } else if (chosen.empty() && !rest.empty()) {
    failure.message = "there is no option " + printable(rest.front());
  } else if (chosen.empty() && dynamic_cast<const CLI::RequiredError*>(&error)) {
    failure.message = "what to do? Say a verb";
  }
  const std::string verb = chosen.empty() ? "" : chosen.front()->get_name() + " ";
  failure.hints.push_back("pbxctl " + verb + "--help tells more.");
  return failure;
}

std::string footer_of(const Verb& verb) {
  std::string out = "Example:\n  ";
  for (const char c : std::string_view(verb.example)) out += c == '\n' ? "\n  " : std::string(1, c);
  return out + "\n\npbxctl --help lists the options of every verb.";
}

// gRPC tells stderr what it tells us, in words for its authors; whoever wants to hear it says so.
void quieten_grpc() {
  if (std::getenv("GRPC_VERBOSITY") || std::getenv("GRPC_TRACE")) return;
  gpr_set_log_function([](gpr_log_func_args*) {});
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Terminal& terminal) {
  Options options;
  CLI::App root(kDescription, "pbxctl");
  root.formatter(std::make_shared<Formatter>());
  root.set_help_flag("-h,--help", "This, or with a verb what that does");
  root.set_version_flag("--version", "pbxctl " + std::string(telemetry::version()));
  root.require_subcommand(1);
  root.fallthrough();
  root.footer(exit_codes_text() + "\n\npbxctl VERB --help tells more, with an example.");
  add_options(root, options);
  std::map<const CLI::App*, Action> actions;
  for (const Verb& verb : verbs()) {
    CLI::App* app =
        root.add_subcommand(verb.name, std::string(verb.summary) + ".\n\n" + verb.help + "\n");
    app->group(verb.group)->footer(footer_of(verb));
    actions[app] = verb.declare(*app);
  }

  try {
    // CLI11 takes them from the back.
    root.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForVersion& version) {
    terminal.out << version.what() << '\n';
    return 0;
  } catch (const CLI::CallForHelp&) {
    terminal.out << root.help();  // of the verb, if there is one
    return 0;
  } catch (const CLI::ParseError& error) {
    const Failure failure = usage_failure(root, error);
    print(failure, options.json, terminal.err);
    return static_cast<int>(failure.code);
  }

  quieten_grpc();
  Session session(options, terminal);
  const Outcome<void> outcome = actions[root.get_subcommands().front()](session);
  terminal.out << std::flush;
  if (outcome) return 0;
  print(outcome.error(), options.json, terminal.err);
  return static_cast<int>(outcome.error().code);
}

}  // namespace pbxctl
