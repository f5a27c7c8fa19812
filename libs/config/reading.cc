#include "config/reading.h"

#include <cctype>
#include <stdexcept>

namespace config {

std::string variable_of(std::string_view path) {
  std::string name = "PBXGW_";
  for (char c : path) {
    name +=
        c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

Reading::Reading(const Section& section, std::string_view name) : in(section), key(name) {
  in.state_->known[in.path_].keys.insert(key);
  if (const auto* entry = in.node_ ? in.node_->find(key) : nullptr) {
    node = entry->value.get();
    line = entry->line;
  }
}

void Reading::allow_variable() {
  if (variable.empty()) return;
  const auto it = state().variables.emplace(variable, path).first;
  if (it->second != path) {
    throw std::logic_error(variable + " would set both " + it->second + " and " + path);
  }
  const auto found = state().environment.find(variable);
  if (found != state().environment.end()) set = &found->second;
}

void Reading::record(std::string type, std::string otherwise, std::string allowed,
                     std::string_view doc) {
  auto generic = child(in.generic_);
  if (!state().recorded.insert(generic).second) return;
  state().settings.push_back({std::move(generic), std::move(type), std::move(otherwise),
                              std::move(allowed), variable, std::string(doc)});
}

void Reading::wrong(std::string message) const {
  if (set) {
    state().problems.push_back({"", 0, variable, path, std::move(message)});
  } else {
    state().problems.push_back({state().file, line, "", path, std::move(message)});
  }
}

}  // namespace config
