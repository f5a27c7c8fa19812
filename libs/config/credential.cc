#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <sys/stat.h>

#include "config/reading.h"

namespace config {
namespace {

constexpr std::size_t kSecretBytesMax = 64 << 10;

// Reads a file for its content. On failure the reason is in `why`.
std::optional<std::string> content_of(const std::filesystem::path& path, std::string& why) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    why = std::strerror(errno);
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode)) {
    why = "not a file";
    return std::nullopt;
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    why = std::strerror(errno);
    return std::nullopt;
  }
  std::string text(kSecretBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kSecretBytesMax) {
    why = "larger than " + text_of_bytes(kSecretBytesMax);
    return std::nullopt;
  }
  return text;
}

// The content of a credential, wherever it was given. Messages do not even show the path or the
// variable's name: people paste the password itself there.
Secret secret_from(const Reading& it, std::string_view form) {
  if (!it.set && it.node->kind != Node::Kind::scalar) {
    it.found_wrong(found_of(*it.node), form == "file"  ? "the path of a file"
                                       : form == "env" ? "the name of an environment variable"
                                                       : "text");
    return {};
  }
  const std::string& text = it.set ? *it.set : it.node->text;
  std::string content = text;
  if (form == "file") {
    std::string why;
    auto read = content_of(it.state().folder / text, why);
    if (!read) {
      it.wrong("the file it names cannot be read: " + why);
      return {};
    }
    content = std::move(*read);
    if (content.ends_with('\n')) content.pop_back();
    if (content.ends_with('\r')) content.pop_back();
  } else if (form == "env") {
    const auto variable = it.state().environment.find(text);
    if (variable == it.state().environment.end()) {
      it.wrong("the environment variable it names is not set");
      return {};
    }
    // It may be called PBXGW_… without being a setting.
    it.state().named.insert(text);
    content = variable->second;
  }
  if (content.empty()) {
    it.wrong(form == "file"  ? "the file it names is empty"
             : form == "env" ? "the environment variable it names is empty"
                             : "is empty; expected a secret");
  } else if (content.size() > kSecretBytesMax) {
    it.wrong("is larger than " + text_of_bytes(kSecretBytesMax));
  } else {
    return Secret(std::move(content),
                  form == "file" ? (it.state().folder / text).string() : std::string());
  }
  return {};
}

}  // namespace

Secret Section::secret(std::string_view key, const Credential& how) const {
  const std::string name(key);
  std::array<Reading, 3> forms{Reading(*this, name), Reading(*this, name + "_file"),
                               Reading(*this, name + "_env")};
  constexpr std::array<std::string_view, 3> kForms{"text", "file", "env"};
  forms[0].record("secret", how.required ? "required" : "none",
                  "or " + name + "_file: a path, or " + name + "_env: a variable's name", how.doc);
  for (auto& form : forms) form.allow_variable();
  const bool from_environment =
      std::any_of(forms.begin(), forms.end(), [](const Reading& it) { return it.set; });

  const Reading* chosen = nullptr;
  std::string_view how_given;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    if (from_environment ? !forms[i].set : !forms[i].node) continue;
    if (chosen) {
      forms[i].wrong("given as well as " + (chosen->set ? chosen->variable : chosen->path) +
                     "; expected one of them");
      return {};
    }
    chosen = &forms[i];
    how_given = kForms[i];
  }
  if (chosen) return secret_from(*chosen, how_given);
  if (how.required) {
    forms[0].missing("this, or " + forms[1].path + ", or " + forms[2].path);
  }
  return {};
}

}  // namespace config
