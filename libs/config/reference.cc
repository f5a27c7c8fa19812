#include "config/reference.h"

namespace config {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(std::string_view text) {
  return text.empty() ? std::string() : '`' + cell(text) + '`';
}

}  // namespace

std::string markdown_of(std::span<const Setting> settings) {
  std::string out =
      "| Setting | Type | Default | Allowed | Environment | Meaning |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const auto& it : settings) {
    const bool word = it.otherwise == "required" || it.otherwise == "none";
    out += "| " + code(it.path) + " | " + cell(it.type) + " | " +
           (word ? it.otherwise : code(it.otherwise)) + " | " + cell(it.allowed) + " | " +
           code(it.environment) + " | " + cell(it.doc) + " |\n";
  }
  return out;
}

}  // namespace config
