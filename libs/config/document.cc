#include "config/document.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <tuple>
#include <utility>

#include <unistd.h>

#include "config/state.h"

namespace config {
namespace {

constexpr std::string_view kPrefix = "PBXGW_";

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Kubernetes puts the address of each Service into the environment of each pod, in the manner of
// Docker links: one called pbxgw-control becomes PBXGW_CONTROL_SERVICE_HOST, PBXGW_CONTROL_PORT =
// "tcp://…" and PBXGW_CONTROL_PORT_8080_TCP_ADDR. Those are nobody's misspelt settings.
bool from_kubernetes(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") ||
      name.find("_SERVICE_PORT_") != std::string_view::npos) {
    return true;
  }
  if (name.ends_with("_PORT")) {
    return value.starts_with("tcp://") || value.starts_with("udp://") ||
           value.starts_with("sctp://") ||
           (name.find("_TCP_") != std::string_view::npos && all_digits(value));
  }
  const auto port = name.rfind("_PORT_");
  if (port == std::string_view::npos) return false;
  const auto rest = name.substr(port + 6);
  const auto digits = rest.substr(0, rest.find('_'));
  const auto protocol = rest.substr(std::min(digits.size(), rest.size()));
  return all_digits(digits) && (protocol.starts_with("_TCP") || protocol.starts_with("_UDP") ||
                                protocol.starts_with("_SCTP"));
}

std::string unknown_message(std::string_view what, std::string_view word,
                            const std::vector<std::string>& candidates) {
  std::string message = "unknown " + std::string(what);
  if (const auto meant = nearest(word, candidates); !meant.empty()) {
    return message + "; did you mean \"" + std::string(meant) + "\"?";
  }
  if (candidates.empty()) return message;
  constexpr std::size_t kShownMax = 12;
  message += "; known here: ";
  for (std::size_t i = 0; i < std::min(candidates.size(), kShownMax); ++i) {
    message += (i ? ", " : "") + candidates[i];
  }
  if (candidates.size() > kShownMax) message += ", …";
  return message;
}

void add_unknown_keys(const State& state, std::vector<Problem>& problems) {
  for (const auto& [path, known] : state.known) {
    if (!known.node) continue;
    const std::vector<std::string> candidates(known.keys.begin(), known.keys.end());
    for (const auto& entry : known.node->entries) {
      if (known.keys.contains(entry.key)) continue;
      auto shown = quote(entry.key);  // a key is whatever stands before a colon
      shown = shown == '"' + entry.key + '"' ? entry.key : shown;
      problems.push_back({state.file, entry.line, "", path + (path.empty() ? "" : ".") + shown,
                          unknown_message("setting", entry.key, candidates)});
    }
  }
}

void add_unknown_variables(const State& state, std::vector<Problem>& problems) {
  // Without the prefix: what all have in common does not make two of them alike.
  std::vector<std::string> candidates;
  for (const auto& [name, path] : state.variables) {
    if (name.starts_with(kPrefix)) candidates.push_back(name.substr(kPrefix.size()));
  }
  for (const auto& [name, value] : state.environment) {
    if (!name.starts_with(kPrefix) || state.variables.contains(name)) continue;
    if (state.named.contains(name) || from_kubernetes(name, value)) continue;
    std::string message = "unknown variable; the reference lists those there are";
    const auto word = std::string_view(name).substr(kPrefix.size());
    if (const auto meant = nearest(word, candidates); !meant.empty()) {
      message = "unknown variable; did you mean " + std::string(kPrefix) + std::string(meant) + "?";
    }
    problems.push_back({"", 0, name, "", std::move(message)});
  }
}

}  // namespace

Environment process_environment() {
  Environment all;
  for (char** it = environ; it && *it; ++it) {
    const std::string_view entry = *it;
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    all.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return all;
}

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Document Document::load(const std::filesystem::path& file, Environment environment, Files before) {
  const auto unreadable = [&](std::string why) {
    auto document = parse("", file, std::move(environment));
    document.state_->readable = false;
    document.state_->problems.push_back({file.string(), 0, "", "", std::move(why)});
    return document;
  };
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    return unreadable("is a folder; expected a YAML file");
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) return unreadable(std::string("cannot be opened: ") + std::strerror(errno));
  // Piece by piece: a buffer of kBytesMax, once freed, would have glibc keep as much ever after.
  std::string text;
  std::array<char, 16'384> piece;
  while (in && text.size() <= kBytesMax) {
    in.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) return unreadable(std::string("cannot be read: ") + std::strerror(errno));
  return parse(text, file, std::move(environment), std::move(before));
}

Document Document::parse(const std::string& text, const std::filesystem::path& file,
                         Environment environment, Files before) {
  auto state = std::make_unique<State>();
  state->before = std::move(before);
  state->file = file.string();
  state->folder = file.parent_path();
  state->environment = std::move(environment);
  if (text.size() > kBytesMax) {
    state->problems.push_back(
        {state->file, 0, "", "", "is larger than " + text_of_bytes(kBytesMax)});
  } else {
    state->tree = yaml_tree_from(text, state->file, state->problems);
  }
  state->readable = state->tree != nullptr;
  if (!state->tree) state->tree = std::make_shared<Node>();
  if (state->tree->kind == Node::Kind::scalar || state->tree->kind == Node::Kind::list) {
    state->problems.push_back(
        {state->file, state->tree->line, "", "",
         "the document is " +
             std::string(state->tree->kind == Node::Kind::list ? "a list" : "a single value") +
             "; expected \"name: value\" lines"});
    state->readable = false;
  }
  return Document(std::move(state));
}

Document Document::for_reference() {
  auto document = parse("", "", {});
  document.state_->documenting = true;
  document.state_->readable = false;
  return document;
}

Section Document::root() {
  const auto& tree = state_->tree;
  return Section(state_.get(), tree->kind == Node::Kind::mapping ? tree.get() : nullptr, "", "", 1,
                 false, false);
}

void Document::allow_variable(std::string_view name, std::string_view doc) {
  state_->variables.emplace(name, "");
  state_->settings.push_back({"", "text", "none", "", std::string(name), std::string(doc)});
}

std::vector<Problem> Document::finish() const {
  if (state_->documenting) return {};
  auto problems = state_->problems;
  if (state_->readable) add_unknown_keys(*state_, problems);
  add_unknown_variables(*state_, problems);
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tuple(!a.variable.empty(), a.line) < std::tuple(!b.variable.empty(), b.line);
  });
  if (problems.size() > kProblemsMax) {
    const auto more = problems.size() - kProblemsMax;
    problems.resize(kProblemsMax);
    problems.push_back({state_->file, 0, "", "", "and " + std::to_string(more) + " more"});
  }
  return problems;
}

const Files& Document::files() const { return state_->files; }

const std::vector<std::string>& Document::kept() const { return state_->kept; }

const std::vector<Setting>& Document::settings() const { return state_->settings; }

std::string Document::reference() const { return markdown_of(state_->settings); }

}  // namespace config
